"""Checks that the defaults of prepared schemas are values of their types."""

import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

from tools.codegen.document import JSON, Node, pointer
from tools.codegen.errors import SpecError
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


def check_defaults(schema: JSON, node: Node, made: JSON) -> None:
    """Checks the defaults of an object's properties: one that is wrong would spoil each object.

    Args:
        schema: The object's prepared schema.
        node: Where it stands.
        made: All prepared components by name.

    Raises:
        SpecError: A default is no value of its type.
    """
    for key, part in schema.get("properties", {}).items():
        # Null stands for a default that is not told.
        if part.get("default") is not None and not _fits(part["default"], part, made):
            raise SpecError(
                f"{node.place}{pointer('properties', key)[1:]}",
                f"the default {json.dumps(part['default'])} is no value of this type",
            )


def _fits(value: Any, schema: JSON, made: JSON) -> bool:
    """Whether a value is one of a schema's, constraints aside.

    Args:
        value: The value.
        schema: A prepared schema.
        made: All prepared components by name.
    """
    if "$ref" in schema:
        return _fits(value, made[schema["$ref"].rpartition("/")[2]], made)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return any(_fits(value, part, made) for part in schema[key])
    if "allOf" in schema:
        return all(_fits(value, part, made) for part in schema["allOf"])
    if "customTypePath" in schema:
        return _fits_text(value, "date-time")
    if "const" in schema:
        return type(value) is type(schema["const"]) and bool(value == schema["const"])
    types = schema.get("type", list(_KINDS))
    kinds = [
        kind for name in ([types] if isinstance(types, str) else types) for kind in _KINDS[name]
    ]
    if type(value) not in kinds:
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
