"""JSON as type checkers see it, which know no more of a parsed value than that it is anything."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_json_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an object."""
    return isinstance(value, dict)


def is_json_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)
