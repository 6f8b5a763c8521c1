"""Prepares one schema: what Python type it is, in the words of JSON Schema."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from tools.codegen.docs import WIDTH, wrapped
from tools.codegen.document import JSON, Node, pointer
from tools.codegen.enumerations import enumeration, open_values
from tools.codegen.inheritance import WAYS
from tools.codegen.names import attribute_names, pascal_case
from tools.codegen.normal import ANNOTATIONS, constraints
from tools.codegen.shapes import Shape, Shapes, is_tuple
from tools.codegen.unions import Tags, constants_of
from tools.json_types import is_json_array, is_json_object

if TYPE_CHECKING:
    from tools.codegen.schemas import Registry

# Other formats are text: what pydantic makes of a URL or a duration is not what the wire had.
_FORMATS = ("uuid", "date", "date-time")
_ALONE = frozenset({"default", "nullable"})


class Types:
    """Types of schemas."""

    def __init__(self, registry: Registry, shapes: Shapes, tags: Tags) -> None:
        self._registry = registry
        self._shapes = shapes
        self._tags = tags
        # Places of newtypes that are being put in, which may hold themselves.
        self._within: list[str] = []

    def component(self, shape: Shape, name: str, title: str) -> JSON:
        """Prepare a schema that has a name."""
        if shape.is_class:
            # These belong to where the class is used.
            rest = {k: v for k, v in shape.node.value.items() if k not in _ALONE}
            shape = Shape(shape.kind, shape.node.with_value(rest), shape.parts, shape.members)
        prepared = self.of(shape, name)
        return {"description": f"`{title}`, which the spec does not describe.", **prepared}

    def of(self, shape: Shape, name: str) -> JSON:
        """Prepare a shape; `name` begins the names inside it."""
        node = shape.node
        match shape.kind:
            case "any":
                prepared: JSON = {}
            case "reference":
                return self._reference(node)
            case "enumeration":
                prepared = enumeration(node)
            case "object":
                prepared = self._class(shape, name)
            case "union":
                prepared = self._union(shape, name)
            case _ if "enum" in node or "const" in node:
                prepared = open_values(node)
            case _:
                prepared = self._value(node, name)
        return _annotated(node, prepared)

    def reference(self, name: str, shape: Shape) -> JSON:
        """Prepare a reference to a named schema, where its own annotations count."""
        beside = {k: v for k, v in shape.node.value.items() if k in ANNOTATIONS}
        return _annotated(shape.node.with_value(beside), {"$ref": component(name)})

    def _reference(self, node: Node, *, exact: bool = False) -> JSON:
        name, target = self._registry.resolve(node)
        beside = {key: value for key, value in node.value.items() if key != "$ref"}
        if not name:
            if target.place in self._within:
                # It holds itself, and has no name to say so.
                return _annotated(node.with_value(beside), {})
            self._within.append(target.place)
            try:
                shape = self._shapes.of(target)
                inner = shape.node.with_value({**shape.node.value, **beside})
                return self.of(Shape(shape.kind, inner, shape.parts, shape.members), _words(target))
            finally:
                self._within.pop()
        shape = self._shapes.of(target)
        if shape.kind == "reference":
            return self._reference(shape.node.with_value({**shape.node.value, **beside}))
        if shape.is_class and shape.node.flag("nullable"):
            beside["nullable"] = True
        if not exact:
            name = self._tags.any_of.get(name, name)
        return _annotated(node.with_value(beside), {"$ref": component(name)})

    def _value(self, node: Node, name: str) -> JSON:
        """Prepare arrays, maps and scalars."""
        types: list[str] = node.value.get("type", [])
        if not types:
            implied = {
                "object": ("additionalProperties", "required"),
                "array": ("items", "prefixItems"),
            }
            types = [kind for kind, keys in implied.items() if any(key in node for key in keys)]
        if types == ["string"] and node.text("format") in _FORMATS:
            return {"type": "string", "format": node.value["format"]}
        prepared: JSON = {"type": types[0] if len(types) == 1 else types} if types else {}
        if "object" in types:
            values: JSON = {}
            if is_json_object(node.value.get("additionalProperties")):
                values = self._registry.expression(node["additionalProperties"], f"{name}Value")
            prepared["additionalProperties"] = values or True
        if "array" in types:
            prepared |= self._array(node, name)
            if "prefixItems" in prepared:
                return prepared
        return prepared | (constraints(node, types[0]) if len(types) == 1 else {})

    def _array(self, node: Node, name: str) -> JSON:
        # Before 2020-12, `items` was an array for a tuple.
        is_old = is_json_array(node.value.get("items"))
        first = node.members("items" if is_old else "prefixItems")
        members = [self._registry.expression(part, f"{name}Item") for part in first]
        if members and is_tuple(node):
            return {"prefixItems": members}
        key = "additionalItems" if is_old else "items"
        rest = node.value.get(key)
        if not is_json_object(rest) or not rest:
            return {"items": {}}
        items = self._registry.expression(node[key], f"{name}Item")
        return {"items": {"anyOf": [*members, items]} if members else items}

    def _class(self, shape: Shape, name: str) -> JSON:
        """Prepare an object with properties of its own: a class, perhaps with base classes."""
        defined = self._shapes.properties(shape)
        required = self._shapes.required(shape)
        attributes = attribute_names(defined)
        bases, parts = self._bases(shape)
        prepared: list[JSON] = [self._reference(base, exact=True) for base in bases]
        done: set[str] = set()
        for part in parts:
            own = self._object(part, name, defined, required, done)
            done |= own["properties"].keys()
            prepared.append({**own, "attributes": attributes})
        if not bases and len(prepared) == 1:
            return prepared[0]
        return {"allOf": prepared}

    def _bases(self, shape: Shape) -> tuple[list[Node], list[Node]]:
        """Return the objects that the `allOf` of a class refers to, and what it has itself."""
        bases: dict[str, Node] = {}
        own: list[Node] = []
        for part in shape.parts:
            if "$ref" not in part:
                own.append(part)
            elif self._shapes.target(part).kind == "object":
                bases.setdefault(self._tags.places(part)[-1], part)
        for part in [*bases.values()]:
            for place in self._tags.ancestors(self._shapes.target(part)):
                bases.pop(place, None)
        return [*bases.values()], own or [shape.node.with_value({"properties": {}})]

    def _object(
        self,
        node: Node,
        name: str,
        defined: dict[str, list[Node]],
        required: list[str],
        done: set[str],
    ) -> JSON:
        # A property that allows no value is none.
        keys = [key for key, part in node.entries("properties") if part.value is not False]
        # A base class may do without what is required here.
        here = node.value.get("required", ())
        keys += [key for key in here if key in defined and key not in keys]
        properties = {
            key: self._property(defined[key], name + pascal_case(key))
            for key in keys
            if key not in done
        }
        extra = node.value.get("additionalProperties")
        opened: JSON = {}
        if is_json_object(extra) and extra:
            # A closed object is left to its base class, which says who may add what.
            values = self._registry.expression(node["additionalProperties"], f"{name}Value")
            opened = {"additionalProperties": values or True}
        elif extra is not None:
            opened = {"closed": True} if extra is False else {"additionalProperties": True}
        required = [key for key in required if key in properties]
        return {"type": "object", "properties": properties, "required": required, **opened}

    def _property(self, nodes: list[Node], name: str) -> JSON:
        """Prepare a property, which parts of an object may define one after the other."""
        shapes = [self._shapes.of(node) for node in nodes]
        typed = [index for index, shape in enumerate(shapes) if shape.kind != "any"]
        index = typed[-1] if typed else len(nodes) - 1
        node, shape = nodes[index], shapes[index]
        if index == len(nodes) - 1:
            prepared = self._registry.expression(node, name)
        else:
            # Only a text or a default is new.
            beside = shape.node.value | {
                k: v for s in shapes[index:] for k, v in s.node.value.items()
            }
            shape = Shape(shape.kind, shape.node.with_value(beside), shape.parts, shape.members)
            prepared = self._registry.express(shape, node.place, name)
        ways = {way: True for way in WAYS if any(self._flag(one, way) for one in nodes)}
        return {**prepared, **ways}

    def _flag(self, node: Node, key: str) -> bool:
        if not is_json_object(node.value):
            return False
        return node.value.get(key) is True or any(
            self._flag(part, key) for part in node.members("allOf")
        )

    def _union(self, shape: Shape, name: str) -> JSON:
        members = shape.members
        if "discriminator" in shape.node:
            told = self._tags.union(shape.node["discriminator"].object(), members)
            if told is not None:
                tag, found = told
                prepared = [self._member(parts, name, tag) for parts, _ in found]
                values = [values for _, values in found]
                return self._tags.made(tag, prepared, values)
        return {"anyOf": [self._member(parts, name, "") for parts in members]}

    def _member(self, parts: tuple[Node, ...], name: str, tag: str) -> JSON:
        shape = self._shapes.member(parts)
        if shape.kind == "reference":
            return self._reference(shape.node, exact=bool(tag))
        if not shape.is_class:
            return self._registry.express(shape, parts[-1].place, f"{name}Item")
        references = [
            str(part.value["$ref"]).rpartition("/")[2]
            for part in parts[-1:]
            if is_json_object(part.value) and "$ref" in part.value
        ]
        words = [
            shape.node.text("title"),
            *references,
            *constants_of(self._shapes, shape, tag),
            *self._shapes.required(shape),
            *self._shapes.properties(shape),
            "Choice",
        ]
        suffixes = [pascal_case(word) for word in words if pascal_case(word)]
        free = [suffix for suffix in suffixes if self._registry.is_free(name + suffix)]
        return self._registry.express(shape, parts[-1].place, name + (free or suffixes)[0])


def component(python_name: str) -> str:
    """Return the reference to a prepared component."""
    return pointer("components", "schemas", python_name)


def _words(node: Node) -> str:
    return pascal_case(str(node.path[-1]) if node.path else PurePath(node.document.name).stem)


def _annotated(node: Node, prepared: JSON) -> JSON:
    """Add what a schema says beside its type."""
    if node.flag("nullable") and prepared:
        prepared = {**prepared, "nullable": True}
    described = [text for text in (node.text("description"), prepared.get("description")) if text]
    if described:
        # Docstrings of classes and fields stand four columns in.
        prepared = {**prepared, "description": wrapped("\n\n".join(described), WIDTH - 4)}
    if "default" in node:
        prepared = {**prepared, "default": node.value["default"]}
    return {**prepared, "deprecated": True} if node.flag("deprecated") else prepared
