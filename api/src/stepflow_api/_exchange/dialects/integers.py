"""Return numbers back their type where a server has made all of them floats.

Servers from 0.12 on keep every JSON value that is the user's as protobuf's, whose numbers are
doubles. What a JSON schema says of itself, and what it says is an integer, can be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepflow_api._exchange.dialects.base import is_array, is_object

# A double holds every integer up to here.
_EXACT: Final = 2**53

_COUNTS: Final = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
)
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SCHEMAS: Final = (
    "items",
    "additionalItems",
    "additionalProperties",
    "propertyNames",
    "contains",
    "unevaluatedItems",
    "unevaluatedProperties",
    "not",
    "if",
    "then",
    "else",
)
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")


def in_schema(schema: Any) -> Any:
    """Return a JSON schema with its integers as such.

    Args:
        schema: The schema; what is none comes back as it is.
    """
    if not is_object(schema):
        return schema
    done: dict[str, Any] = {**schema}
    for name in _COUNTS:
        if name in done:
            done[name] = _integer(done[name])
    if _is_integer(schema):
        for name in (*_BOUNDS, "const"):
            if name in done:
                done[name] = _integer(done[name])
    if "default" in done:
        done["default"] = in_value(done["default"], schema)
    for name in ("enum", "examples"):
        if is_array(done.get(name)):
            done[name] = [in_value(one, schema) for one in done[name]]
    for name in _SCHEMAS:
        if name in done:
            done[name] = in_schema(done[name])
    for name in _LISTS:
        if is_array(done.get(name)):
            done[name] = [in_schema(one) for one in done[name]]
    for name in _MAPS:
        if is_object(done.get(name)):
            done[name] = {key: in_schema(one) for key, one in done[name].items()}
    return done


def in_value(value: Any, schema: Any) -> Any:
    """Return a value with those numbers as integers that its schema says are."""
    if not is_object(schema):
        return value
    if isinstance(value, float):
        return _integer(value) if _is_integer(schema) else value
    if is_array(value):
        return [in_value(one, schema.get("items")) for one in value]
    if is_object(value):
        properties = schema.get("properties")
        known = properties if is_object(properties) else {}
        others = schema.get("additionalProperties")
        return {key: in_value(one, known.get(key, others)) for key, one in value.items()}
    return value


def _is_integer(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "integer" or (is_array(kind) and "integer" in kind and "number" not in kind)


def _integer(value: Any) -> Any:
    # Further on the double may stand for another integer than the one that was meant.
    exact = isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT
    return int(value) if exact else value
