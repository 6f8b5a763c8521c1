"""Checks that the defaults of prepared schemas are values of their types."""

import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

from tools.codegen.directions import name_of
from tools.codegen.document import JSON
from tools.json_types import is_json_array, is_json_object

_KINDS: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_FORMATS: dict[str, Callable[[str], object]] = {
    "date": datetime.date.fromisoformat,
    "date-time": datetime.datetime.fromisoformat,
    "uuid": uuid.UUID,
}


def drop_wrong_defaults(schema: JSON, made: JSON) -> None:
    """Drop the defaults of an object's properties that are no values of their types.

    Such a default would spoil each object. The property's description says what the spec has.
    """
    for part in schema.get("properties", {}).values():
        # Null stands for a default that is not told.
        if part.get("default") is not None and not _fits(part["default"], part, made):
            wrong = json.dumps(part.pop("default"), ensure_ascii=False)
            said = f"The spec's default, `{wrong}`, is no value of this type."
            part["description"] = "\n\n".join(filter(None, [part.get("description"), said]))


def _fits(value: Any, schema: JSON, made: JSON) -> bool:
    """Whether a value has the type of a schema; constraints are ignored."""
    if value is None and schema.get("nullable"):
        return True
    if "$ref" in schema:
        return _fits(value, made[name_of(schema)], made)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return any(_fits(value, part, made) for part in schema[key])
    if "allOf" in schema:
        return all(_fits(value, part, made) for part in schema["allOf"])
    if "literals" in schema:
        return value in schema["literals"]
    if "const" in schema:
        return type(value) is type(schema["const"]) and bool(value == schema["const"])
    types = schema.get("type", list(_KINDS))
    names = [types] if isinstance(types, str) else types
    if not any(type(value) in _KINDS[name] for name in names):
        return False
    if isinstance(value, str) and "format" in schema:
        return _fits_text(value, schema["format"])
    if is_json_object(value):
        properties = schema.get("properties", {})
        other = schema.get("additionalProperties")
        other = other if is_json_object(other) else {}
        asked = properties.keys() & set(schema.get("required", ()))
        return asked <= value.keys() and all(
            (part is None and key not in asked) or _fits(part, properties.get(key, other), made)
            for key, part in value.items()
        )
    if is_json_array(value) and "prefixItems" in schema:
        members = schema["prefixItems"]
        return len(value) == len(members) and all(map(_fits, value, members, [made] * len(value)))
    if is_json_array(value):
        return all(_fits(part, schema.get("items", {}), made) for part in value)
    return True


def _fits_text(value: Any, kind: str) -> bool:
    try:
        return isinstance(value, str) and bool(_FORMATS[kind](value))
    except ValueError:
        return False
