"""The message of an error response."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from stepflow_api._constants import ERROR_BODY_LIMIT
from stepflow_api.errors import one_line

if TYPE_CHECKING:
    from stepflow_api._operation import Answer


def error_message(answer: Answer) -> str:
    """Return the server's message: servers send JSON as text/plain, and text as JSON."""
    place = answer.headers.get("location").partition("?")[0]
    if 300 <= answer.status_code < 400 and place:
        return one_line(f"it is at {place}; set base_url to where the server is")
    content = answer.content[:ERROR_BODY_LIMIT]
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return one_line(content.decode("utf-8", "replace"))
    if (whole := _object(document)) is not None:
        for source in (whole, _object(whole.get("error")) or {}):
            for key in ("message", "detail", "title", "error"):
                if isinstance(source.get(key), str) and source[key]:
                    return one_line(": ".join([source[key], *_error_chain(source, source[key])]))
    return one_line(content.decode("utf-8", "replace"))


def _error_chain(document: dict[str, Any], message: str) -> list[str]:
    """Return the messages of the error's stack: often the first one names no cause."""
    stack = document.get("stack")
    entries = cast("Sequence[Any]", stack) if isinstance(stack, list) else ()
    errors = [(_object(entry) or {}).get("error") for entry in entries]
    return [error for error in errors if isinstance(error, str) and error != message]


def _object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
