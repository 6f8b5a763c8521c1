"""Parsers of answers' bodies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from stepflow_api._collector import COLLECTOR
from stepflow_api._fork import reset_after_fork
from stepflow_api.base import BY_ALIAS

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Parser = Callable[[bytes], Any]

# Shorter bodies make too few models for the garbage collector to run often.
_LONG_BODY = 64 * 1024


class Json:
    """Parse a JSON body to a type, which is prepared when it is first needed."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        self._adapter: TypeAdapter[Any] | None = None
        self._begin()
        reset_after_fork(self, Json._begin)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()

    def __call__(self, content: bytes) -> Any:
        """Parse; raises ValueError where the body is not of the type."""
        if self._adapter is None:
            from pydantic import TypeAdapter

            with self._lock:
                self._adapter = self._adapter or TypeAdapter(self._type)
        if len(content) < _LONG_BODY:
            return self._adapter.validate_json(content, **BY_ALIAS)
        with COLLECTOR.paused():
            return self._adapter.validate_json(content, **BY_ALIAS)


def raw(content: bytes) -> bytes:
    """Parse a binary body: to itself."""
    return content


def text(content: bytes, charset: str = "utf-8") -> str:
    """Parse a text body; raises ValueError where it is not in the encoding, or that is unknown."""
    try:
        return content.decode(charset)
    except LookupError as error:
        raise ValueError(f"its encoding, {charset!r}, is unknown") from error


class ByType:
    """Parse a body by the media type that the server sent; one that is not listed as the first.

    Args:
        parsers: Parsers by media type, which may have wildcards, such as `image/*`.
    """

    def __init__(self, parsers: Mapping[str, Parser]) -> None:
        self._parsers = parsers

    def __call__(self, content: bytes) -> Any:
        """Parse a body whose media type is not known, as the first of the types."""
        return self.choose("")(content)

    def choose(self, media_type: str) -> Parser:
        """Return the parser of a media type."""
        sent = media_type.partition(";")[0].strip().lower()
        first = next(iter(self._parsers.values()))
        for wanted in (sent, f"{sent.partition('/')[0]}/*", "*/*"):
            if wanted in self._parsers:
                return self._parsers[wanted]
        return first


def nothing(content: bytes) -> None:
    """Parse the body of an answer that has none to speak of.

    Raises ValueError for a page of something else; what JSON a newer server puts there is ignored.
    """
    if content:
        from_json(content)


class Event(Json):
    """Parse an event of a stream to a type, or else to plain JSON values or text."""

    def __call__(self, content: bytes) -> Any:
        """Parse; raise ValueError if the event is not text."""
        try:
            return super().__call__(content)
        except ValueError:
            pass
        try:
            return from_json(content)
        except ValueError:
            return content.decode()
