"""The inputs of steps, which no server reports: the flow's expressions with known values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from stepflow_api.types import UNSET

_PART = re.compile(r"""\.?([^.\[\]"']+)|\[(\d+)\]|\[["']([^"']*)["']\]""")


def resolve(expression: Any, item_input: Any, output_of: Callable[[str], Any]) -> Any:
    """Return an expression with the values that it reads, or itself if they are not known.

    An unknown input of the item, or output of a step, is `UNSET`.
    """
    if isinstance(expression, list):
        return [resolve(one, item_input, output_of) for one in cast("Any", expression)]
    if not isinstance(expression, Mapping):
        return expression
    fields = cast("Mapping[str, Any]", expression)
    match fields:
        case {"$literal": value}:
            return value
        case {"$step": str(step)}:
            found = at_path(output_of(step), fields.get("path"))
        case {"$input": str(path)}:
            found = at_path(item_input, path)
        case _ if any(name.startswith("$") for name in fields):
            # Which value a condition has chosen is not known.
            return fields
        case _:
            return {name: resolve(one, item_input, output_of) for name, one in fields.items()}
    return fields if found is UNSET else found


def at_path(value: Any, path: Any) -> Any:
    """Return the value at a path such as `messages[0].content`; `UNSET` if there is none."""
    if path is None:
        return value
    rest = str(path).removeprefix("$")
    while rest and value is not UNSET:
        match = _PART.match(rest)
        if match is None:
            return UNSET
        rest = rest[match.end() :]
        key: Any = match[1] or match[3] if match[2] is None else int(match[2])
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return UNSET
    return value
