"""Parser of one long array in a JSON document, element by element."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from stepflow_api.errors import one_line

T = TypeVar("T")

# What may follow the digits of a number that is cut, and the end of the text: `"" in` is true.
_CONTINUES = ".eE"

_decode = json.JSONDecoder().raw_decode

# Maximum number of characters parsed into models at once. A longer block is not faster, and so many
# models would start the garbage collector.
_BLOCK = 8 * 1024

# Start of the next element that is an object, up to its first member's value.
_NEXT = re.compile(r',\s*\{\s*"[^"\\]*"\s*:')


def read_elements(pieces: Iterable[bytes], array: str, others: dict[str, Any]) -> Iterator[Any]:
    """Iterate over the elements of an array that is a member of an object.

    Args:
        pieces: The document, an object in UTF-8, in pieces of any size.
        array: Name of the member.
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
    """Iterate over the parsed elements of an array, some at a time; see `read_elements`.

    `parse` parses the text of a JSON array. If it raises a ValueError, `make` parses the elements
    one by one.

    Raises:
        ValueError: As for `read_elements`, or from `make`, after all elements before it.
    """
    return _read(pieces, array, others, lambda window: _blocks(window, parse, make))


def _read(
    pieces: Iterable[bytes],
    array: str,
    others: dict[str, Any],
    read_array: Callable[[_Window], Iterator[Any]],
) -> Iterator[Any]:
    window = _Window(pieces)
    window.expect("{")
    if window.peek() == "}":
        window.expect("}")
        return window.end()
    has_array = False
    while True:
        name = window.value()
        if not isinstance(name, str):
            raise ValueError(f"{one_line(repr(name))} instead of a name")
        window.expect(":")
        if name == array:
            # `json.loads` keeps the last one, but elements of the first have been returned.
            if has_array:
                raise ValueError(f"duplicate member {array!r}")
            has_array = True
        if name == array and window.peek() == "[":
            yield from read_array(window)
        else:
            others[name] = window.value()
        if window.expect(",}") == "}":
            return window.end()


def _elements(window: _Window) -> Iterator[Any]:
    window.expect("[")
    if window.peek() == "]":
        window.expect("]")
        return
    while True:
        yield window.value()
        if window.expect(",]") == "]":
            return


def _blocks(
    window: _Window, parse: Callable[[str], list[T]], make: Callable[[Any], T]
) -> Iterator[list[T]]:
    rejected = 0
    for value in _elements(window):
        yield [make(value)]
        # The elements of a rejected block are parsed one by one before another block is tried.
        while window.position >= rejected and (block := window.block()):
            try:
                elements = parse(f"[{block[1:]}]")
            except ValueError:
                rejected = window.position + len(block)
            else:
                window.skip(block)
                yield elements


class _Window:
    """The part of the document that is being parsed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._before = 0
        self._is_at_end = False

    @property
    def position(self) -> int:
        """Number of characters read."""
        return self._before + self._at

    def peek(self) -> str:
        """Return the next character after white space; an empty string at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, expected: str) -> str:
        """Read the next character, which must be one of the expected."""
        found = self.peek()
        if not found or found not in expected:
            raise ValueError(
                f"{found!r} instead of one of {expected!r}" if found else "it ends early"
            )
        self._at += 1
        return found

    def end(self) -> None:
        """Check that nothing is left."""
        if found := self.peek():
            raise ValueError(f"{found!r} after the end")

    def value(self) -> Any:
        """Read the next value."""
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
                is_partial = type(value) in (int, float) and self._text[end : end + 1] in _CONTINUES
                if not is_partial or not self._more():
                    self._at = end
                    return value

    def block(self) -> str:
        """Return, without reading them, probable elements of an array, each after its comma.

        The block ends where another element seems to start like the first one. That may be inside
        an element, which is then cut off, so that the block is not valid JSON. The string is empty
        if there is no such place.
        """
        while len(self._text) - self._at < _BLOCK and self._more():
            pass
        first = _NEXT.match(self._text, self._at)
        if first is None:
            return ""
        end = self._text.rfind(first.group(), first.end(), self._at + _BLOCK)
        return self._text[self._at : end] if end > 0 else ""

    def skip(self, block: str) -> None:
        """Skip a block."""
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
