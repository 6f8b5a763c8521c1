"""Reads one long array of a JSON document element by element, never the whole document at once."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from stepflow_api.errors import one_line

T = TypeVar("T")

# Characters that may continue a number, and the end of the text; `in` finds "" as well.
_GOES_ON = "0123456789+-.eE"

_decode = json.JSONDecoder().raw_decode

# How many characters of the document are made into models at once. A longer block saves nothing
# more, and its models would make the collector of cyclic garbage look at them.
_BLOCK = 8 * 1024

# How the next element begins that is an object, up to its first member's value.
_NEXT = re.compile(r',\s*\{\s*"[^"\\]*"\s*:')


def read_elements(pieces: Iterable[bytes], array: str, others: dict[str, Any]) -> Iterator[Any]:
    """Gives the elements of one member of an object.

    Args:
        pieces: The document, an object in UTF-8, cut anywhere.
        array: Name of the member whose elements are given.
        others: Receives the object's other members as they are read, before and after the array.

    Raises:
        ValueError: The document is not such an object, ends early, or has the array twice.
    """
    return _read(pieces, array, others, _elements)


def read_blocks(
    pieces: Iterable[bytes],
    array: str,
    others: dict[str, Any],
    parse: Callable[[str], list[T]],
    make: Callable[[Any], T],
) -> Iterator[list[T]]:
    """Gives the same elements as `read_elements`, made into something else, some at a time.

    Args:
        pieces: The document, an object in UTF-8, cut anywhere.
        array: Name of the member whose elements are given.
        others: Takes the object's other members as they are met, before and after the array.
        parse: Makes the elements of the text of a JSON array. A ValueError of it is no failure:
            those elements are made one by one.
        make: Makes an element of its JSON value.

    Raises:
        ValueError: The document is not such an object, ends early, or has the array twice, or
            `make` raised it; all elements before it have been returned.
    """
    return _read(pieces, array, others, lambda window: _blocks(window, parse, make))


def _read(
    pieces: Iterable[bytes],
    array: str,
    others: dict[str, Any],
    read_array: Callable[[_Window], Iterator[Any]],
) -> Iterator[Any]:
    window = _Window(pieces)
    window.take("{")
    if window.peek() == "}":
        window.take("}")
        return window.end()
    has_array = False
    while True:
        name = window.value()
        if not isinstance(name, str):
            raise ValueError(f"{one_line(repr(name))} stands where a name must")
        window.take(":")
        if name == array:
            # `json.loads` keeps the last one, but elements of the first have been returned.
            if has_array:
                raise ValueError(f"the member {array!r} is there twice")
            has_array = True
        if name == array and window.peek() == "[":
            yield from read_array(window)
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


def _blocks(
    window: _Window, parse: Callable[[str], list[T]], make: Callable[[Any], T]
) -> Iterator[list[T]]:
    refused = 0
    for value in _elements(window):
        yield [make(value)]
        # A block that was refused is gone through to its end before another is tried.
        while window.passed >= refused and (block := window.block()):
            try:
                elements = parse(f"[{block[1:]}]")
            except ValueError:
                refused = window.passed + len(block)
            else:
                window.skip(block)
                yield elements


class _Window:
    """The part of the document that is being read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._before = 0
        self._is_at_end = False

    @property
    def passed(self) -> int:
        """How many characters have been read."""
        return self._before + self._at

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
            except RecursionError:
                raise ValueError("it is nested too deeply") from None
            except ValueError:
                if not self._more():
                    raise
            else:
                # The beginning of a number is a number, too.
                is_cut = type(value) in (int, float) and self._text[end : end + 1] in _GOES_ON
                if not is_cut or not self._more():
                    self._at = end
                    return value

    def block(self) -> str:
        """Gives, and does not pass, what seem to be elements of an array, each after its comma.

        They end where the next one begins as the first of them does. That may be in the midst of
        one, which then has an open bracket or text: what is an array between brackets was cut
        right. The text is empty where there is no such place.
        """
        while len(self._text) - self._at < _BLOCK and self._more():
            pass
        first = _NEXT.match(self._text, self._at)
        if first is None:
            return ""
        end = self._text.rfind(first.group(), first.end(), self._at + _BLOCK)
        return self._text[self._at : end] if end > 0 else ""

    def skip(self, block: str) -> None:
        """Passes a block."""
        self._at += len(block)

    def _more(self) -> bool:
        """Double the unread text, so that a long value is not decoded too often.

        Returns:
            Whether there was more; if not, the window and the offsets into it stay as they are.
        """
        parts: list[str] = []
        wanted = max(1, len(self._text) - self._at)
        while wanted > 0 and not self._is_at_end:
            piece = next(self._pieces, None)
            self._is_at_end = piece is None
            part = self._utf8.decode(piece or b"", final=self._is_at_end)
            parts.append(part)
            wanted -= len(part)
        if not any(parts):
            return False
        self._text = "".join((self._text[self._at :], *parts))
        self._before += self._at
        self._at = 0
        return True
