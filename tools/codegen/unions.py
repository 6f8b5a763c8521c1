"""What tells the members of a union: tags, and where references to them lead."""

from tools.codegen.document import JSON, Node, pointer
from tools.codegen.normal import is_object, normalised


def target_of(node: Node) -> Node:
    """Gives the normalised schema that a reference leads to in the end."""
    node = normalised(node)
    while "$ref" in node:
        node = normalised(node.followed())
    return node


def tag_mapping(
    node: Node,
    parts: list[Node],
    members: list[JSON],
    tag: str,
    told: dict[tuple[str, str], list[str]],
) -> dict[str, str]:
    """Gives the member of a union for each value of its tag, and adds the values to `told`."""
    given: dict[str, str] = {}
    for value, target in node.entries("mapping"):
        reference = target.value
        if isinstance(reference, str) and "/" not in reference:
            reference = pointer("components", "schemas", reference)
        given[value] = target_of(node.document.resolve(reference, target.place)).place
    mapping: dict[str, str] = {}
    for part, member in zip(parts, members, strict=True):
        shape = target_of(part)
        if "$ref" not in member or not is_object(shape):
            raise part.error(f"is no object with properties, so {tag!r} cannot tell it")
        constants = constants_of(shape, tag)
        values = [value for value, place in given.items() if place == shape.place] or constants
        if not values and shape.place != part.place:
            # A component goes by its name.
            values = [str(shape.path[-1])]
        if not values:
            raise part.error(f"has no constant {tag!r}, which the discriminator needs")
        if not {*constants} <= {*values} or values != told.setdefault((shape.place, tag), values):
            raise part.error(f"is told by {tag!r} {values[0]!r} here, and by another one elsewhere")
        for value in values:
            if mapping.setdefault(value, member["$ref"]) != member["$ref"]:
                raise part.error(f"has the same {tag!r} as another member: {value!r}")
    return mapping


def constants_of(shape: Node, tag: str) -> list[str]:
    """Gives the constant strings of an object: the tag's, or all where there is no tag."""
    parts = [
        normalised(part)
        for key, part in shape.entries("properties")
        if tag in ("", key) and isinstance(part.value, dict)
    ]
    return [part.value["const"] for part in parts if isinstance(part.value.get("const"), str)]
