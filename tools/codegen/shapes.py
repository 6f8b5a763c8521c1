"""The shape of a schema, whatever keywords describe it: class, enumeration, union or plain value.

`allOf`, unions, references and the keywords beside them are split into parts with one meaning each.
"""

from dataclasses import dataclass

from tools.codegen.document import JSON, Node
from tools.codegen.enumerations import is_enumeration
from tools.codegen.normal import ANNOTATIONS, CONSTRAINTS, TYPES, is_null, normalised
from tools.json_types import is_json_array, is_json_object

_UNIONS = ("oneOf", "anyOf")

# More classes than that for one schema would help nobody.
_MOST_MEMBERS = 200


@dataclass(frozen=True)
class Shape:
    """What a schema is.

    Attributes:
        kind: `any`, `reference`, `object`, `enumeration`, `union` or `value`.
        node: Its annotations, and for a value or an enumeration its keywords.
        parts: Of an object: references to other objects, and schemas with properties.
        members: Of a union: the parts of each member.
    """

    kind: str
    node: Node
    parts: tuple[Node, ...] = ()
    members: tuple[tuple[Node, ...], ...] = ()

    @property
    def is_class(self) -> bool:
        """Whether it has to have a name of its own."""
        return self.kind in ("object", "enumeration") or "discriminator" in self.node

    @property
    def is_newtype(self) -> bool:
        """Whether it is but another name for a scalar, for any value, or for a bare map."""
        if self.kind == "any":
            return True
        value = self.node.value
        return (
            self.kind == "value"
            and not value.keys() & {"enum", "const", "prefixItems", "items"}
            and "array" not in value.get("type", ())
            and not is_json_object(value.get("additionalProperties"))
        )


class Shapes:
    """The shapes of a document's schemas."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[int, tuple[str | int, ...]], tuple[Node, Shape]] = {}
        self._pending: set[str] = set()

    def of(self, node: Node) -> Shape:
        """Return the shape of a schema.

        Raises:
            SpecError: It has none, since it is at odds with itself.
        """
        key = (id(node.value), node.path)
        if key not in self._shapes:
            parts, notes = self._parts(node)
            # With the node, since another value may get the identity of one that is gone.
            self._shapes[key] = node, self.of_parts(parts, node.with_value(notes))
        return self._shapes[key][1]

    def of_parts(self, parts: list[Node], notes: Node) -> Shape:
        """Return the shape of parts together, with the annotations that they have."""
        if len(parts) > 1:
            parts = [part for part in parts if not self._says_nothing(part, parts)] or parts[:1]
        if not parts:
            return Shape("any", notes)
        if len(parts) == 1:
            return self._single(parts[0].with_value({**parts[0].value, **notes.value}))
        for index, part in enumerate(parts):
            if self.target(part).members:
                return self._joined(parts[index], parts[:index] + parts[index + 1 :], notes)
        is_objects = [self._is_object(part) for part in parts]
        if all(is_objects):
            return Shape("object", notes, tuple(parts))
        if any(is_objects):
            raise parts[is_objects.index(False)].error(
                "allOf joins an object and what is none, which no value can be"
            )
        return self._merged(parts, notes)

    def member(self, parts: tuple[Node, ...]) -> Shape:
        """Return the shape of a member of a union."""
        if len(parts) == 1:
            return self.of(parts[0])
        found: list[Node] = []
        notes: JSON = {}
        for part in parts:
            inner, notes = self._parts(part)
            found += inner
        return self.of_parts(found, parts[-1].with_value(notes))

    def target(self, node: Node) -> Shape:
        """Return the shape that a schema has in the end, behind all references."""
        shape = self.of(node)
        seen: set[str] = set()
        while shape.kind == "reference":
            reference = shape.node
            found = reference.document.resolve(reference.value["$ref"], reference.place)
            if found.place in self._pending or found.place in seen:
                raise reference.error(f"$ref {reference.value['$ref']!r} leads back to itself")
            seen.add(found.place)
            self._pending.add(found.place)
            try:
                shape = self.of(found)
            finally:
                self._pending.discard(found.place)
        return shape

    def properties(self, shape: Shape) -> dict[str, list[Node]]:
        """Return the properties of an object, each as often as its parts define it."""
        found: dict[str, list[Node]] = {}
        for part in shape.parts:
            if "$ref" in part:
                inherited = self.properties(self.target(part))
            else:
                inherited = {key: [node] for key, node in part.entries("properties")}
            for key, nodes in inherited.items():
                found.setdefault(key, []).extend(nodes)
        return found

    def required(self, shape: Shape) -> list[str]:
        """Return the names of the properties that an object must have."""
        # A map may have required keys, whose properties are elsewhere.
        found = dict.fromkeys(() if shape.parts else shape.node.value.get("required", ()))
        for part in shape.parts:
            found |= dict.fromkeys(
                self.required(self.target(part))
                if "$ref" in part
                else part.value.get("required", ())
            )
        return list(found)

    def _parts(self, node: Node) -> tuple[list[Node], JSON]:
        """Take a schema apart."""
        if node.value is True:
            return [], {}
        if node.value is False:
            raise node.error("allows no value; leave out what has this schema")
        node = normalised(node)
        notes = {key: node.value[key] for key in ANNOTATIONS & node.value.keys()}
        rest = {key: value for key, value in node.value.items() if key not in notes}
        parts: list[Node] = []
        if "$ref" in rest:
            parts.append(node.with_value({"$ref": rest.pop("$ref")}))
        for member in node.members("allOf") if rest.pop("allOf", None) else []:
            inner, beside = self._parts(member)
            if not inner:
                notes = {**beside, **notes}
            elif len(inner) == 1:
                inner = [inner[0].with_value({**beside, **inner[0].value})]
            parts += inner
        tags = {"discriminator": rest.pop("discriminator")} if "discriminator" in rest else {}
        for key in _UNIONS:
            if key in rest:
                union = {key: rest.pop(key), **tags}
                tags = {}
                parts.append(node.with_value(union))
        if rest or tags:
            parts.append(node.with_value({**rest, **tags}))
        return parts, notes

    def _says_nothing(self, part: Node, parts: list[Node]) -> bool:
        """Whether a part adds no type to what the others say."""
        keys = part.value.keys() - ANNOTATIONS
        if "$ref" in keys:
            return self.target(part).kind == "any"
        if part.value.get("required") and "properties" not in keys:
            return False
        if "object" in part.value.get("type", ["object"]):
            keys -= {"type", "required"}
        if "type" not in part.value:
            # What limits a text or a list limits no object.
            keys -= {"format", "items", *(key for limits in CONSTRAINTS.values() for key in limits)}
        if not is_json_object(part.value.get("additionalProperties")):
            keys -= {"additionalProperties"}
        if not keys:
            return any(self._is_object(other) for other in parts if other is not part)
        if keys & {*_UNIONS}:
            # Which of its properties an object must have at least is no type.
            return all(
                is_json_object(member.value)
                and member.value.keys() <= ANNOTATIONS | {"required", "type", "not"}
                and member.value.get("type", "object") == "object"
                for key in _UNIONS
                for member in part.members(key)
            ) and any(self._is_object(other) for other in parts if other is not part)
        return False

    def _agree(self, parts: list[Node]) -> bool:
        """Whether a value can be what all parts say."""
        parts = [part for part in parts if not self._says_nothing(part, parts)]
        if any(map(self._is_object, parts)):
            return all(map(self._is_object, parts))
        kinds = [self.target(part).node.value.get("type", TYPES) for part in parts]
        return any(all(kind in some for some in kinds) for kind in TYPES)

    def _is_object(self, part: Node) -> bool:
        shape = self.target(part)
        if shape.kind == "union":
            return any(self._is_object(one) for member in shape.members for one in member)
        return shape.kind == "object" or _is_map(shape.node.value)

    def _single(self, node: Node) -> Shape:
        value = node.value
        if "$ref" in value:
            return Shape("reference", node)
        if not value.keys().isdisjoint(_UNIONS):
            return self._union(node)
        if is_enumeration(node):
            return Shape("enumeration", node)
        types = value.get("type", [])
        if value.get("properties") and len(types) > 1:
            return Shape(
                "union",
                _notes(node),
                members=tuple(
                    (Node(node.document, _of_type(value, kind), (*node.path, "type", index)),)
                    for index, kind in enumerate(types)
                ),
            )
        if value.get("properties"):
            return Shape("object", _notes(node), (node,))
        if not value.keys() - ANNOTATIONS - {"discriminator"}:
            return Shape("any", node)
        rest = {key: part for key, part in value.items() if key != "discriminator"}
        return Shape("value", node.with_value(rest))

    def _union(self, node: Node) -> Shape:
        key = next(key for key in _UNIONS if key in node)
        notes = _notes(node)
        members: list[Node] = []
        for member in node.members(key):
            if is_null(member.value):
                notes = notes.with_value({**notes.value, "nullable": True})
            elif member.value is not False:
                members.append(member)
        if not members:
            return Shape("value", notes.with_value({**notes.value, "const": None}))
        taken_apart = [self._parts(member) for member in members]
        every = tuple((member,) for member in members)
        if any(not parts for parts, _ in taken_apart):
            # Alone, it allows everything; beside properties, its members add to them or do not.
            return Shape("any", notes, members=every)
        if len(members) == 1:
            parts, beside = taken_apart[0]
            return self.of_parts(parts, members[0].with_value({**beside, **notes.value}))
        if "discriminator" in node:
            notes = notes.with_value({**notes.value, "discriminator": node.value["discriminator"]})
        return Shape("union", notes, members=every)

    def _joined(self, union: Node, others: list[Node], notes: Node) -> Shape:
        """Join each member of a union with what stands beside the union."""
        shape = self.target(union)
        members: list[tuple[Node, ...]] = []
        for member in shape.members:
            inner = [part for one in member for part in self._parts(one)[0]]
            if not self._agree([*others, *inner]):
                continue
            # Where the member stands is where the joined schema stands.
            members.append((*others, *member))
        if not members or len(members) > _MOST_MEMBERS:
            raise notes.error("allOf joins a union and what none of its members can be")
        if "discriminator" in shape.node:
            told = {"discriminator": shape.node.value["discriminator"]}
            notes = notes.with_value({**notes.value, **told})
        return Shape("union", notes, members=tuple(members))

    def _merged(self, parts: list[Node], notes: Node) -> Shape:
        """Merge parts that are no objects: the keywords of one limit those of another."""
        plain = [self.target(part) if "$ref" in part else self.of(part) for part in parts]
        named = [part for part, shape in zip(parts, plain, strict=True) if shape.is_class]
        if len(named) == 1 and "$ref" in named[0]:
            return self._single(named[0].with_value({**named[0].value, **notes.value}))
        merged: JSON = {}
        for shape in plain:
            value = {k: v for k, v in shape.node.value.items() if k not in ANNOTATIONS}
            if "enum" in merged and "enum" in value:
                both = [one for one in merged["enum"] if one in value["enum"]]
                value["enum"] = both or merged["enum"]
            if "type" in merged and "type" in value:
                kept = [kind for kind in merged["type"] if kind in value["type"]]
                value["type"] = kept or value["type"]
            merged |= value
        return self._single(notes.with_value({**merged, **notes.value}))


def refuse_circle(start: Node) -> None:
    """Refuse a schema that is itself by definition, rather than one that holds itself."""
    pending, seen = [start], set[str]()
    while pending:
        node = pending.pop()
        if not is_json_object(node.value):
            continue
        for key in ("allOf", *_UNIONS):
            pending += node.members(key)
        if "$ref" in node:
            reference = node.value["$ref"]
            target = node.document.resolve(reference, node.place)
            if target.place == start.place:
                raise node.error(f"$ref {reference!r} leads back to itself")
            if target.place not in seen:
                seen.add(target.place)
                pending.append(target)


def _notes(node: Node) -> Node:
    kept = ANNOTATIONS | {"discriminator"}
    return node.with_value({key: node.value[key] for key in kept & node.value.keys()})


def _is_map(value: JSON) -> bool:
    types: list[str] = value.get("type", [])
    if types:
        return types == ["object"]
    return not value.keys().isdisjoint(("additionalProperties", "required", "properties"))


def _of_type(value: JSON, kind: str) -> JSON:
    """Return the keywords of a schema of several types that concern one of them."""
    others = {
        "object": {"properties", "required", "additionalProperties"},
        "array": {"items", "prefixItems", "additionalItems"},
    }
    foreign = {key for name, keys in others.items() if name != kind for key in keys}
    limits = {key for name, keys in CONSTRAINTS.items() if name != kind for key in keys}
    limits -= set(CONSTRAINTS.get(kind, ()))
    kept = {k: v for k, v in value.items() if k not in foreign | limits | ANNOTATIONS}
    return {**kept, "type": kind}


def is_tuple(node: Node) -> bool:
    """Whether an array has a schema for each member, and no others."""
    key, rest = "prefixItems", "items"
    if is_json_array(node.value.get("items")):
        key, rest = "items", "additionalItems"
    count = len(node.value.get(key, ()))
    most: int = count if node.value.get(rest) is False else node.value.get("maxItems", count + 1)
    return count > 0 and most <= count
