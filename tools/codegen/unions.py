"""The values of a tag, which distinguish the members of a union."""

from collections.abc import Callable, Iterator

from tools.codegen.document import JSON, Node, pointer
from tools.codegen.errors import SpecError
from tools.codegen.names import attribute_names
from tools.codegen.shapes import Shape, Shapes
from tools.json_types import is_json_object

Parts = tuple[Node, ...]
Told = tuple[Parts, list[str]]
_COMPONENTS = pointer("components", "schemas")


class Tags:
    """The tags of a document's unions.

    Attributes:
        any_of: For a class with a discriminator that others inherit from, the union of them all.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.any_of: dict[str, str] = {}
        self._shapes = shapes
        # Values by class and tag, and the tag's attribute.
        self._told: dict[str, dict[str, tuple[str, list[str]]]] = {}

    def union(self, node: Node, members: tuple[Parts, ...]) -> tuple[str, list[Told]] | None:
        """Return the tag of a union, and its members with the values that tell them.

        Args:
            node: The discriminator.
            members: The members; a union among them stands for its own members.

        Returns:
            None if the tag cannot tell all members, so that a value has to be tried with each.

        Raises:
            SpecError: The discriminator has no tag, or refers to nothing.
        """
        tag = node.text("propertyName")
        if not tag:
            raise node.error("has no propertyName")
        given = self._mapping(node)
        found: list[Told] = []
        taken: set[str] = set()
        attributes: set[str] = set()
        for parts, places in self._flat(members):
            shape = self._target(parts)
            if shape.kind != "object":
                return None
            constants = constants_of(self._shapes, shape, tag)
            values = [value for value, place in given.items() if place in places] or constants
            if not values:
                # A component goes by its name.
                found_at = [place.rpartition("/") for place in places]
                values = [name for at, _, name in found_at if at == _COMPONENTS][-1:]
            if not values or not {*constants} <= {*values} or taken & {*values}:
                return None
            taken |= {*values}
            found.append((parts, values))
            attributes.add(attribute_names([*self._shapes.properties(shape), tag])[tag])
        return (tag, found) if len(attributes) == 1 else None

    def made(self, tag: str, members: list[JSON], values: list[list[str]]) -> JSON:
        """Prepare a union that is told by a tag."""
        names = [str(member.get("$ref", "")).rpartition("/")[2] for member in members]
        if not all(names) or len({*names}) < len(names):
            return {"anyOf": members}
        attribute = attribute_names([tag])[tag]
        for name, of_member in zip(names, values, strict=True):
            known = self._told.setdefault(name, {}).setdefault(tag, (attribute, []))[1]
            known += [value for value in of_member if value not in known]
        mapping = {
            value: member["$ref"]
            for member, of_member in zip(members, values, strict=True)
            for value in of_member
        }
        told = {"propertyName": tag, "mapping": mapping}
        return {"oneOf": members, "discriminator": told, "known": [*mapping]}

    def find_children(
        self,
        components: list[tuple[str, Node]],
        names: dict[str, str],
        give_name: Callable[[str, str], str],
    ) -> Iterator[tuple[str, JSON]]:
        """Find the classes with a discriminator that others inherit from.

        Yields:
            For each the name of the union of them all, and the union, prepared.
        """
        children: dict[str, list[Node]] = {}
        bases: dict[str, Node] = {}
        for _, node in components:
            try:
                shape = self._shapes.of(node)
                for part in shape.parts if shape.kind == "object" else ():
                    if "discriminator" in part and "$ref" not in part:
                        bases[node.place] = part["discriminator"].object()
                for place in self.ancestors(shape):
                    children.setdefault(place, []).append(node)
            except SpecError:
                # It is refused where it is prepared.
                continue
        for place, discriminator in bases.items():
            if place not in children:
                continue
            members = tuple((child,) for child in children[place])
            told = self.union(discriminator, members)
            if told is None:
                continue
            tag, found = told
            refs = [
                {"$ref": pointer("components", "schemas", names[parts[0].place])}
                for parts, _ in found
            ]
            union = self.made(tag, refs, [values for _, values in found])
            if "oneOf" in union:
                name = give_name(f"Any{names[place]}", f"{place}/discriminator")
                self.any_of[names[place]] = name
                base = {"$ref": pointer("components", "schemas", names[place])}
                text = f"A `{names[place]}`: one of those that inherit from it, by `{tag}`."
                yield name, {**union, "otherwise": base, "description": text}

    def places(self, node: Node) -> list[str]:
        """Return the places that a schema leads to, its own first."""
        places = [node.place]
        while is_json_object(node.value) and "$ref" in node.value and len(places) < 50:
            node = node.document.resolve(node.value["$ref"], node.place)
            places.append(node.place)
        return places

    def ancestors(self, shape: Shape) -> Iterator[str]:
        """Yield the places of the objects that an object builds on."""
        for part in shape.parts if shape.kind == "object" else ():
            if "$ref" in part:
                yield self.places(part)[-1]
                yield from self.ancestors(self._shapes.target(part))

    def tell_members(self, made: JSON) -> None:
        """Make the tags constants of the classes that they tell."""
        for name, tags in self._told.items():
            if name not in made or not made[name].keys() & {"properties", "allOf"}:
                continue
            parts = [p for p in made[name].get("allOf", [made[name]]) if "$ref" not in p]
            for tag, (attribute, values) in tags.items():
                part = next((p for p in parts if tag in p["properties"]), parts[-1])
                old = part["properties"].get(tag, {})
                told: JSON = {"literals": values} if len(values) > 1 else {"const": values[0]}
                new: JSON = {"type": "string", **told}
                if "description" in old:
                    new["description"] = old["description"]
                part["properties"][tag] = {**new, "tag": True}
                part["attributes"] = {**part["attributes"], tag: attribute}
                part["required"] = list(dict.fromkeys([*part["required"], tag]))

    def _mapping(self, node: Node) -> dict[str, str]:
        given: dict[str, str] = {}
        for value, target in node.entries("mapping"):
            reference = target.value
            if isinstance(reference, str) and "/" not in reference:
                reference = pointer("components", "schemas", reference)
            given[value] = self.places(node.document.resolve(reference, target.place))[-1]
        return given

    def _flat(
        self, members: tuple[Parts, ...], via: tuple[str, ...] = ()
    ) -> Iterator[tuple[Parts, set[str]]]:
        for parts in members:
            places = [*via, *(place for part in parts for place in self.places(part))]
            shape = self._target(parts)
            if shape.kind == "union" and len(places) < 50:
                yield from self._flat(shape.members, tuple(places))
            else:
                yield parts, {*places}

    def _target(self, parts: Parts) -> Shape:
        return self._shapes.target(parts[0]) if len(parts) == 1 else self._shapes.member(parts)


def constants_of(shapes: Shapes, shape: Shape, tag: str) -> list[str]:
    """Return the constant strings of an object: the tag's, or all where there is no tag."""
    found: list[str] = []
    for key, nodes in shapes.properties(shape).items():
        if tag in ("", key) and is_json_object(nodes[-1].value):
            value = shapes.of(nodes[-1]).node.value.get("const")
            if isinstance(value, str):
                found.append(value)
    return found
