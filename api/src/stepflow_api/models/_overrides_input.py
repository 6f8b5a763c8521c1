"""The shapes in which people write step overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def normalised_overrides(value: Any) -> Any:
    """Return overrides in the server's shape, `{"steps": {step id: {"value": patch}}}`.

    Args:
        value: That shape; a flat map of step ids; either with a bare patch, such as
            `{"input": {...}}`, in the place of `{"value": patch}`. Anything else is returned as is.
    """
    if not isinstance(value, Mapping):
        return value
    overrides = cast("Mapping[str, Any]", value)
    steps = overrides.get("steps")
    # A step may be called "steps": then its override, not a map of overrides, stands there.
    if isinstance(steps, Mapping) and not _is_override(named := cast("Mapping[str, Any]", steps)):
        return {**overrides, "steps": {name: _override(one) for name, one in named.items()}}
    return {"steps": {name: _override(one) for name, one in overrides.items()}}


def _override(value: Any) -> Any:
    return _wrapped(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


def _wrapped(patch: Mapping[str, Any]) -> Mapping[str, Any]:
    return patch if _is_override(patch) else {"value": patch}


def _is_override(value: Mapping[str, Any]) -> bool:
    return "value" in value and value.keys() <= {"value", "$type", "type"}
