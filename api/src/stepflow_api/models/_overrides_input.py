"""The shapes in which people write step overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def normalised_overrides(value: Any) -> Any:
    """Gives overrides in the server's shape, `{"steps": {step id: {"value": patch}}}`.

    Args:
        value: That shape; a flat map of step ids; either with a bare patch, such as
            `{"input": {...}}`, in the place of `{"value": patch}`. Anything else is returned as is.
    """
    if not isinstance(value, Mapping):
        return value
    steps = value.get("steps")
    # A step may be called "steps": then its override, not a map of overrides, stands there.
    if isinstance(steps, Mapping) and not _is_override(steps):
        return {**value, "steps": {name: _override(one) for name, one in steps.items()}}
    return {"steps": {name: _override(one) for name, one in value.items()}}


def _override(value: Any) -> Any:
    if isinstance(value, Mapping) and not _is_override(value):
        return {"value": value}
    return value


def _is_override(value: Mapping[str, Any]) -> bool:
    return "value" in value and value.keys() <= {"value", "$type", "type"}
