"""Writes the idioms of JSON Schema, OpenAPI 3.0 and 3.1 in one way.

After `normalised`, null is allowed by `nullable` alone, an enumeration is an `enum` of several
values, a keyword has the kind of value that it needs, and what no type can say is left out.
"""

import json
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic_core import SchemaError

from tools.codegen.document import JSON, Node, kind_of
from tools.json_types import is_json_array, is_json_object

TYPES = ("string", "integer", "number", "boolean", "object", "array")

# What may stand beside a reference without making another type of it.
ANNOTATIONS = frozenset({"description", "default", "deprecated", "nullable", "title"})

_NUMBER = (int, float)
_KINDS: dict[str, tuple[type, ...]] = {
    "additionalProperties": (dict, bool),
    "allOf": (list,),
    "anyOf": (list,),
    "deprecated": (bool,),
    "description": (str,),
    "discriminator": (dict,),
    "enum": (list,),
    "exclusiveMaximum": (*_NUMBER, bool),
    "exclusiveMinimum": (*_NUMBER, bool),
    "format": (str,),
    "items": (dict, list, bool),
    "maxItems": (int,),
    "maxLength": (int,),
    "maximum": _NUMBER,
    "minItems": (int,),
    "minLength": (int,),
    "minimum": _NUMBER,
    "multipleOf": _NUMBER,
    "nullable": (bool,),
    "oneOf": (list,),
    "pattern": (str,),
    "prefixItems": (list,),
    "properties": (dict,),
    "required": (list, bool),
    "title": (str,),
    "type": (str, list),
    "x-enum-descriptions": (list,),
    "x-enum-varnames": (list,),
}
_STRINGS = ("required", "x-enum-descriptions", "x-enum-varnames")
_SIZES = ("maxItems", "maxLength", "minItems", "minLength")
_NOT_EMPTY = ("allOf", "anyOf", "enum", "oneOf", "type")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
CONSTRAINTS = {
    "string": ("minLength", "maxLength", "pattern"),
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "array": ("minItems", "maxItems"),
}
_KNOWN = _KINDS.keys() | {"$ref", "additionalItems", "const", "default"}


def normalised(node: Node) -> Node:
    """Return a schema, which is an object, in the one way of writing it.

    Raises:
        SpecError: It is no schema.
    """
    _check(node)
    schema: JSON = {key: value for key, value in node.value.items() if key in _KNOWN}
    for key in ("required", "readOnly"):
        # As a boolean, it belongs to the parameter or form that the schema once was.
        if isinstance(schema.get(key), bool):
            del schema[key]
    types = schema.pop("type", [])
    types = [types] if isinstance(types, str) else list(dict.fromkeys(types))
    if "null" in types:
        types.remove("null")
        schema["nullable"] = True
        if not types and not schema.keys() & {"enum", "oneOf", "anyOf", "allOf", "$ref"}:
            schema["const"] = None
    if types:
        schema["type"] = types
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        # In 3.0 it says how `minimum` is meant.
        if schema.get(exclusive) is True and limit in schema:
            schema[exclusive] = schema.pop(limit)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]
    if "$ref" in schema and node.document.version < (3, 1):
        # In 3.0, what stands beside a reference does not count; notes do no harm.
        schema = {key: schema[key] for key in schema.keys() & (ANNOTATIONS | {"$ref"})}
    return _enumeration(node.with_value(schema))


def _check(node: Node) -> None:
    for key, value in node.object().value.items():
        if key not in _KINDS:
            continue
        part = node[key]
        if type(value) not in _KINDS[key]:
            raise part.error(f"is {kind_of(value)}, which has no meaning here")
        if key in _NOT_EMPTY and not value and (key != "enum" or node.document.version < (3, 1)):
            raise part.error("is empty; leave it out or fill it")
        if key in _STRINGS and not _is_of_strings(value):
            raise part.error("has a member that is not a string")
        number: Any = value
        if (key in _SIZES and number < 0) or (key == "multipleOf" and number <= 0):
            raise part.error(f"is {value}, which is too small")
        if key == "type":
            for kind in [value] if isinstance(value, str) else value:
                if kind not in (*TYPES, "null"):
                    raise part.error(f"{kind!r} is no JSON type")


def _is_of_strings(value: object) -> bool:
    return not is_json_array(value) or all(isinstance(member, str) for member in value)


def is_null(schema: Any) -> bool:
    """Whether a schema allows null alone."""
    return is_json_object(schema) and (
        schema.get("type") in ("null", ["null"])
        or schema.get("enum") == [None]
        or ("const" in schema and schema["const"] is None)
    )


def _enumeration(node: Node) -> Node:
    """Write a union of constants as an enumeration, and one of a single value as a constant."""
    schema: JSON = dict(node.value)
    for key in ("oneOf", "anyOf"):
        parts = [part for part in node.members(key) if not is_null(part.value)]
        values = [_constant(part.value) for part in parts]
        if parts and all(len(value) == 1 for value in values):
            if len(parts) < len(schema.pop(key)):
                schema["nullable"] = True
            schema["enum"] = [value[0] for value in values]
            schema["x-enum-descriptions"] = [part.text("description") for part in parts]
    if not schema.get("enum", True):
        # Since 3.1 it may be empty, which authors write for values that they do not tell.
        del schema["enum"]
    elif "enum" in schema:
        given: list[object] = schema["enum"]
        if None in given:
            schema["nullable"] = True
        # Equal numbers and booleans are equal to Python, but not to JSON.
        unique = {(type(value), json.dumps(value)): value for value in given if value is not None}
        schema["enum"] = list(unique.values())
        if len(schema["enum"]) < 2:
            schema["const"] = next(iter(schema.pop("enum")), None)
    return node.with_value(schema)


def _constant(schema: Any) -> list[Any]:
    """Return the only value that a schema allows, in a list; an empty one where it allows more."""
    if not is_json_object(schema):
        return []
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if is_json_array(values) and len(values) == 1 else []


def constraints(node: Node, kind: str) -> JSON:
    """Return the constraints on values that pydantic can check; the server checks all."""
    found = {key: node.value[key] for key in CONSTRAINTS.get(kind, ()) if key in node}
    if kind == "integer":
        found = {key: value for key, value in found.items() if value == int(value)}
    if "pattern" in found and not _can_check(found["pattern"]):
        del found["pattern"]
    return found


def _can_check(pattern: str) -> bool:
    try:
        TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except SchemaError:
        return False
    return True
