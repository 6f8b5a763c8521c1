"""Brings the schemas of a document into the form that datamodel-code-generator compiles best.

What comes out has one component for each class, under its Python name, and nothing else that needs
a name: schemas that stand inline are lifted out, and newtypes are put in where they are used.
"""

from dataclasses import dataclass, field

from tools.codegen.defaults import check_defaults
from tools.codegen.directions import ask_for_what_goes_this_way, reachable
from tools.codegen.docs import WIDTH, wrapped
from tools.codegen.document import JSON, Document, Node, pointer
from tools.codegen.enumerations import enumeration, is_enumeration, open_values
from tools.codegen.names import Taken, field_name, module_name, pascal_case
from tools.codegen.normal import (
    ANNOTATIONS,
    constraints,
    is_object,
    normalised,
    parts_of,
    unconstrained,
)
from tools.codegen.operations import Operations
from tools.codegen.unions import constants_of, tag_mapping, target_of
from tools.json_types import is_json_array, is_json_object

PROBE = "CompilerProbe"

# What the module of the models imports beside what datamodel-code-generator knows of.
BASES = ("AnswerModel", "Model", "RequestModel", "SendsConstants")
_RESERVED = {PROBE, *BASES} - {"Model"}

# Other formats are text: what pydantic makes of a URL or a duration is not what the wire had.
_FORMATS = ("uuid", "date")

# Methods of the models' base class.
_METHODS = frozenset({"from_dict", "to_dict", "to_json"})


@dataclass
class Schemas:
    """The schemas of a document, prepared.

    Attributes:
        made: Schema of each class and alias by its Python name.
        nodes: Where in the spec each of them stands, by its Python name.
        sent: Python names of those that requests hold.
        received: Python names of those that answers hold.
        probe: Schema of each type that an endpoint needs, by the operations' keys.
        attributes: Names of attributes that datamodel-code-generator would choose differently, by
            class and property.
    """

    made: JSON = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    probe: JSON = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


def prepare_schemas(document: Document, operations: Operations, support: str) -> Schemas:
    """Prepares all schemas of a document, and those of its operations.

    Args:
        document: The spec.
        operations: What `read_operations` found in it.
        support: Import name of the package with `types`.

    Raises:
        SpecError: A schema cannot be compiled.
    """
    preparation = _Preparation(document.root.entries("components", "schemas"), support)
    schemas = preparation.schemas
    for key, use in operations.uses.items():
        schemas.probe[key] = preparation.expression(use.schema, use.name) if use.schema else {}
    for sent, found in ((True, schemas.sent), (False, schemas.received)):
        found |= reachable(
            schemas.made,
            [schemas.probe[key] for key, use in operations.uses.items() if use.sent is sent],
        )
    for name, schema in schemas.made.items():
        for part in (schema, *schema.get("allOf", ())):
            ask_for_what_goes_this_way(part, name in schemas.sent, name in schemas.received)
    for name, schema in schemas.made.items():
        for part in (schema, *schema.get("allOf", ())):
            check_defaults(part, schemas.nodes[name], schemas.made)
    return schemas


class _Preparation:
    def __init__(self, components: list[tuple[str, Node]], support: str) -> None:
        self.schemas = Schemas()
        self._timestamp = f"{support}.types.Timestamp"
        self._classes, self._modules = Taken("schema"), Taken("schema")
        # Values of each tag by the member's place and the tag's name.
        self._told: dict[tuple[str, str], list[str]] = {}
        # Components by their place.
        self._names: dict[str, str] = {}
        self._newtypes: set[str] = set()
        for name, node in components:
            _refuse_circle(node)
            self._names[node.place] = self._named(name, node)
            if _is_newtype(node):
                self._newtypes.add(node.place)
        for _, node in components:
            if node.place not in self._newtypes:
                self._make(self._names[node.place], normalised(node))

    def expression(self, node: Node, name: str) -> JSON:
        """Prepares a schema that stands inside another, or in an operation.

        Args:
            node: The schema.
            name: What its class is called, if it needs one of its own.

        Raises:
            SpecError: It cannot be compiled.
        """
        if node.value is True:
            return {}
        if node.value is False:
            raise node.error("allows no value; leave out what has this schema")
        node = normalised(node)
        if not _is_class(node):
            return self._type(node, name)
        self._make(self._named(name, node), node)
        beside = {key: node.value[key] for key in ANNOTATIONS & node.value.keys()}
        return _annotated(node.with_value(beside), {"$ref": _component(name)})

    def _named(self, name: str, node: Node) -> str:
        """Gives the Python name of a schema that has to have one."""
        python_name = pascal_case(name)
        module = module_name(node.place, "schema", name)
        if python_name in _RESERVED or module == "generated":
            raise node.error(f"schema {name!r} has a name that the compiler needs; rename it")
        self._classes.take(python_name, name, node.place)
        self._modules.take(module, name, node.place)
        return python_name

    def _make(self, python_name: str, node: Node) -> None:
        self.schemas.nodes[python_name] = node
        if _is_class(node):
            # These belong to where the class is used.
            rest = {k: v for k, v in node.value.items() if k not in ("default", "nullable")}
            node = node.with_value(rest)
        undescribed = f"`{python_name}`, which the spec does not describe."
        prepared = self._type(node, python_name)
        self.schemas.made[python_name] = {"description": undescribed, **prepared}

    def _type(self, node: Node, name: str) -> JSON:
        """Prepares a normalised schema as it stands; `name` begins the names inside it."""
        if "$ref" in node:
            return self._reference(node)
        if "discriminator" in node and not node.value.keys() & {"oneOf", "anyOf"}:
            raise node["discriminator"].error("has nothing to tell; list the members in a oneOf")
        if "allOf" in node:
            prepared = self._whole(node, name)
        elif "oneOf" in node or "anyOf" in node:
            prepared = self._union(node, name)
        elif is_enumeration(node):
            prepared = enumeration(node)
        elif "enum" in node or "const" in node:
            prepared = open_values(node)
        else:
            prepared = self._plain(node, name)
        return _annotated(node, prepared)

    def _reference(self, node: Node) -> JSON:
        reference = node.value["$ref"]
        target = node.document.resolve(reference, node.place)
        beside = {key: value for key, value in node.value.items() if key != "$ref"}
        if target.place in self._newtypes:
            newtype = target.value if is_json_object(target.value) else {}
            return self._type(normalised(node.with_value({**newtype, **beside})), "")
        if target.place not in self._names:
            raise node.error(
                f"$ref {reference!r} leads to no component schema; give its target a name under"
                " #/components/schemas"
            )
        component = normalised(target)
        if "$ref" in component:
            return self._reference(component.with_value({**component.value, **beside}))
        if _is_class(component) and component.flag("nullable"):
            beside["nullable"] = True
        name = self._names[target.place]
        return _annotated(node.with_value(beside), {"$ref": _component(name)})

    def _plain(self, node: Node, name: str) -> JSON:
        """Prepares objects, arrays and scalars."""
        types: list[str] = node.value.get("type", [])
        if not types:
            implied = {"object": ("properties", "additionalProperties"), "array": ("items",)}
            types = [kind for kind, keys in implied.items() if any(key in node for key in keys)]
        if types == ["string"] and node.text("format") == "date-time":
            return {"customTypePath": self._timestamp}
        if types == ["string"] and node.text("format") in _FORMATS:
            return {"type": "string", "format": node.value["format"]}
        prepared: JSON = {"type": types[0] if len(types) == 1 else types} if types else {}
        if "object" in types:
            prepared |= self._object(node, name)
        if "array" in types:
            prepared |= self._array(node, name)
        return prepared | (constraints(node, types[0]) if len(types) == 1 else {})

    def _object(self, node: Node, name: str) -> JSON:
        extra = node.value.get("additionalProperties")
        properties: JSON = {}
        taken = Taken("property")
        for key, part in node.entries("properties"):
            attribute = field_name(key)
            taken.take(attribute, key, part.place)
            # Left alone, `$type` would be `field_type`; nobody would guess that.
            if not key[:1].isalnum():
                self.schemas.attributes[f"{name}.{key}"] = attribute
            elif attribute in _METHODS:
                self.schemas.attributes[f"{name}.{key}"] = f"{attribute}_"
            prepared = self.expression(part, name + pascal_case(key))
            ways = {way: True for way in ("readOnly", "writeOnly") if _flag(part, way)}
            properties[key] = {**prepared, **ways}
        if properties:
            # A closed object is left to its base class, which says who may add what.
            opened = {"additionalProperties": True} if extra not in (None, False) else {}
            required = list(node.value.get("required", []))
            return {"properties": properties, "required": required, **opened}
        if not is_json_object(extra):
            return {"additionalProperties": True}
        values = self.expression(node["additionalProperties"], f"{name}Value")
        return {"additionalProperties": unconstrained(values)}

    def _array(self, node: Node, name: str) -> JSON:
        # Before 2020-12, `items` was an array for a tuple.
        key = "items" if is_json_array(node.value.get("items")) else "prefixItems"
        members = [
            unconstrained(self.expression(part, f"{name}Item")) for part in node.members(key)
        ]
        if members:
            return {"prefixItems": members, "items": False}
        if not is_json_object(node.value.get("items")):
            return {"items": {}}
        return {"items": unconstrained(self.expression(node["items"], f"{name}Item"))}

    def _whole(self, node: Node, name: str) -> JSON:
        """Prepares a class that is made up of others."""
        own = {key: node.value[key] for key in ("properties", "required") if key in node}
        prepared: list[JSON] = []
        for part in (*parts_of(node, "allOf"), *([node.with_value(own)] if own else [])):
            if part.value is True:
                continue
            part, target = normalised(part), target_of(part)
            if {"oneOf", "anyOf", "enum", "const"} & target.value.keys():
                raise part.error(
                    "allOf joins objects, and this is a union or an enumeration; make it a property"
                )
            if "allOf" in part:
                prepared += self._whole(part, name)["allOf"]
            elif "$ref" in part and is_object(target):
                reference = self._reference(target.with_value({"$ref": target.place}))
                # A class can be null where it stands, but not as a part of another.
                prepared.append(reference.get("anyOf", [reference])[0])
            elif "$ref" not in part and part.value.get("type", ["object"]) == ["object"]:
                required = list(part.value.get("required", []))
                prepared.append({"required": required, **self._plain(part, name), "type": "object"})
            elif "$ref" not in part or target.value.get("type", ["object"]) != ["object"]:
                raise part.error("allOf joins objects, and this is none")
        return {"allOf": prepared}

    def _union(self, node: Node, name: str) -> JSON:
        key = "oneOf" if "oneOf" in node else "anyOf"
        beside = node.value.keys() & {"anyOf", "properties", "allOf", "enum", "const"} - {key}
        if beside:
            raise node.error(
                f"{key} beside {min(beside)} is not supported; put it into each member"
            )
        parts = parts_of(node, key)
        if "discriminator" not in node:
            return {"anyOf": [self._member(part, name, "") for part in parts]}
        discriminator = node["discriminator"].object()
        tag = discriminator.text("propertyName")
        if not tag:
            raise discriminator.error("has no propertyName")
        members = [self._member(part, name, tag) for part in parts]
        mapping = tag_mapping(discriminator, parts, members, tag, self._told)
        return {"oneOf": members, "discriminator": {"propertyName": tag, "mapping": mapping}}

    def _member(self, node: Node, name: str, tag: str) -> JSON:
        shape = normalised(node)
        if not _is_class(shape):
            return unconstrained(self.expression(node, f"{name}Item"))
        properties = shape.value.get("properties", {})
        words = [shape.text("title"), *constants_of(shape, tag), *shape.value.get("required", ())]
        named = next((word for word in words if pascal_case(word)), "")
        suffix = named or next(iter(properties), "Choice")
        return self.expression(node, name + pascal_case(suffix))


def _refuse_circle(start: Node) -> None:
    """Refuses a schema that is itself by definition, rather than one that holds itself."""
    pending, seen = [start], set[str]()
    while pending:
        node = pending.pop()
        if not is_json_object(node.value):
            continue
        for key in ("allOf", "oneOf", "anyOf"):
            pending += node.members(key)
        if "$ref" in node:
            reference = node.value["$ref"]
            target = node.document.resolve(reference, node.place)
            if target.place == start.place:
                raise node.error(f"$ref {reference!r} leads back to itself")
            if target.place not in seen:
                seen.add(target.place)
                pending.append(target)


def _is_newtype(node: Node) -> bool:
    """Whether a schema is but another name for a scalar, for any value, or for a bare map."""
    if isinstance(node.value, bool):
        return True
    node = normalised(node)
    if node.value.keys() & {"$ref", "allOf", "oneOf", "anyOf", "enum", "const", "prefixItems"}:
        return False
    if "items" in node or "array" in node.value.get("type", ()) or node.value.get("properties"):
        return False
    return not is_json_object(node.value.get("additionalProperties"))


def _is_class(node: Node) -> bool:
    """Whether a normalised schema has to have a name of its own."""
    return is_object(node) or "discriminator" in node or is_enumeration(node)


def _component(python_name: str) -> str:
    return pointer("components", "schemas", python_name)


def _annotated(node: Node, prepared: JSON) -> JSON:
    """Adds what a schema says beside its type."""
    if node.flag("nullable") and prepared:
        kind = prepared.get("type")
        if "const" in prepared:
            # Beside null, a constant would become an enumeration without a name.
            literal = {"enum": [prepared["const"]], "x-enum-field-as-literal": True}
            prepared = {"anyOf": [{"type": kind, **literal}, {"type": "null"}]}
        elif kind:
            prepared = {**prepared, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}
        else:
            prepared = {"anyOf": [*prepared.get("anyOf", [prepared]), {"type": "null"}]}
    described = [text for text in (node.text("description"), prepared.get("description")) if text]
    if described:
        # Docstrings of classes and fields stand four columns in.
        prepared = {**prepared, "description": wrapped("\n\n".join(described), WIDTH - 4)}
    if "default" in node:
        prepared = {**prepared, "default": node.value["default"]}
    return {**prepared, "deprecated": True} if node.flag("deprecated") else prepared


def _flag(node: Node, key: str) -> bool:
    return is_json_object(node.value) and node.flag(key)
