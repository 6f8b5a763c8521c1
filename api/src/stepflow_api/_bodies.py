"""JSON bodies of requests, and what the media type of a body says."""

from __future__ import annotations

import json

from pydantic_core import PydanticSerializationError, SchemaSerializer, core_schema

from stepflow_api.errors import one_line

# JSON has no NaN; written as such, it can be told and refused.
_ANY = SchemaSerializer(
    core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="constants")
)


def to_json(value: object) -> bytes:
    """Return a value as JSON, of models only what was set.

    Raises:
        ValueError: JSON cannot hold it.
    """
    try:
        content = _ANY.to_json(value, by_alias=True, exclude_unset=True)
        if b"NaN" in content or b"Infinity" in content:
            json.loads(content, parse_constant=_refuse_constant)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"cannot be written as JSON ({one_line(str(error))}); pass values that JSON can hold"
        ) from error
    return content


def is_json(media_type: str) -> bool:
    """Whether a media type is one of JSON."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith(("/json", "+json"))


def charset(media_type: str) -> str:
    """Return the encoding that a media type names; UTF-8 where it names none."""
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower() or "utf-8"
    return "utf-8"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that JSON has")
