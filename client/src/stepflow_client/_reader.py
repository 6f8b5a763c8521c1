"""Reads one long array of a JSON document element by element, never the whole document at once."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

# What may follow on the part of a number, and the end of what has come; `in` finds "" as well.
_GOES_ON = "0123456789+-.eE"

_decode = json.JSONDecoder().raw_decode


def read_elements(pieces: Iterable[bytes], array: str, others: dict[str, Any]) -> Iterator[Any]:
    """Gives the elements of one member of an object.

    Args:
        pieces: The document, an object in UTF-8, cut anywhere.
        array: Name of the member whose elements are given.
        others: Takes the object's other members as they are met, before and after the array.

    Raises:
        ValueError: The document is not such an object, or ends early.
    """
    window = _Window(pieces)
    window.take("{")
    if window.peek() == "}":
        window.take("}")
        return window.end()
    while True:
        name = window.value()
        if not isinstance(name, str):
            raise ValueError(f"{name!r} stands where a name must")
        window.take(":")
        if name == array and window.peek() == "[":
            yield from _elements(window)
        else:
            others[name] = window.value()
        if window.take(",}") == "}":
            return window.end()


def _elements(window: _Window) -> Iterator[Any]:
    window.take("[")
    if window.peek() == "]":
        window.take("]")
        return
    while True:
        yield window.value()
        if window.take(",]") == "]":
            return


class _Window:
    """The part of the document that is being read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """Gives the next character that is no space; an empty text at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> str:
        """Gives and passes the next character, which must be one of those that are wanted."""
        found = self.peek()
        if not found or found not in wanted:
            raise ValueError(
                f"{found!r} stands where one of {wanted!r} must" if found else "it ends early"
            )
        self._at += 1
        return found

    def end(self) -> None:
        """Makes sure that nothing is left."""
        if found := self.peek():
            raise ValueError(f"{found!r} stands after the end")

    def value(self) -> Any:
        """Gives and passes the next value."""
        if not self.peek():
            raise ValueError("it ends early")
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
            else:
                # A number that has been cut is one as well, up to there.
                if self._text[end : end + 1] not in _GOES_ON or not self._more():
                    self._at = end
                    return value

    def _more(self) -> bool:
        """Takes in as much again as is unread, so that a long value is not decoded too often."""
        unread = self._text[self._at :]
        parts = [unread]
        wanted = max(1, len(unread))
        while wanted > 0:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(self._utf8.decode(piece))
            wanted -= len(parts[-1])
        self._text = "".join(parts)
        self._at = 0
        return len(self._text) > len(unread)
