"""Random documents for the reader of long arrays, which must read the same as `json.loads`.

`tools/bazel run //client:fuzz_reader -- --seconds 3600` looks for an hour.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from stepflow_client._core.json_array import read_blocks, read_elements
from tools.fuzz.fuzz import run

ARRAY = "items"

_PARSE = TypeAdapter(list[Any])
_NAMES = (ARRAY, "itemCount", "n", "", "é", 'a"b', "\\", "items ")
_TEXTS = ("", "x", "é😀", '"', "\\", "},{", '},{"n":', "]", "\u2028", "\x7f", "a" * 300)
_SPOILERS = (b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"1", b"-", b".", b"e", b" ", b"\n")
_ODD = (b"\xff", b"\xc3", b"\x00", b"NaN", b"Infinity", b"\\ud800", b"null", b'"items":[1],')

# Deeper than Python reads whatever the stack holds already.
_DEEP = 200_000


def check(source: random.Random) -> None:
    """Check that a document reads the same as a whole and cut anywhere."""
    content = _document(source)
    expected = _reference(content)
    for pieces in _cuts(source, content):
        for read in (_by_element, _by_block):
            found = read(pieces)
            assert found == expected, f"{read.__name__} of {pieces!r}: {found}, not {expected}"


def _reference(content: bytes) -> str:
    """Read the document as a whole; a duplicate array is an error."""

    class Pairs(dict[str, Any]):
        pairs: list[tuple[str, Any]]

    def keep(pairs: list[tuple[str, Any]]) -> Pairs:
        made = Pairs(pairs)
        made.pairs = pairs
        return made

    try:
        document = json.loads(content.decode(), object_pairs_hook=keep)
    except (ValueError, RecursionError):
        return "an error"
    if not isinstance(document, Pairs):
        return "an error"
    if sum(name == ARRAY for name, _ in document.pairs) > 1:
        return "an error"
    items = document.get(ARRAY)
    elements = document.pop(ARRAY) if isinstance(items, list) else []
    return _shown(elements, document)


def _by_element(pieces: list[bytes]) -> str:
    return _outcome(lambda others: list(read_elements(pieces, ARRAY, others)))


def _by_block(pieces: list[bytes]) -> str:
    def read(others: dict[str, Any]) -> list[Any]:
        blocks = read_blocks(pieces, ARRAY, others, _PARSE.validate_json, lambda value: value)
        return [value for block in blocks for value in block]

    return _outcome(read)


def _outcome(read: Callable[[dict[str, Any]], list[Any]]) -> str:
    others: dict[str, Any] = {}
    try:
        return _shown(read(others), others)
    except ValueError:
        return "an error"


def _shown(elements: list[Any], others: dict[str, Any]) -> str:
    # As text, in which 1, 1.0 and True differ and NaN equals itself.
    return json.dumps([elements, others])


def _cuts(source: random.Random, content: bytes) -> list[list[bytes]]:
    size = len(content)
    at = sorted(source.randrange(size + 1) for _ in range(source.randrange(1, 6)))
    some = [content[a:b] for a, b in zip([0, *at], [*at, size], strict=True)]
    if size > 2_000:
        step = source.choice((777, 4096, 8191))
        return [[content], some, [content[n : n + step] for n in range(0, size, step)]]
    return [[content], some, [content[n : n + 1] for n in range(size)]]


def _document(source: random.Random) -> bytes:
    names = source.choices(_NAMES, k=source.randrange(4))
    if source.random() < 0.9:
        names.insert(source.randrange(len(names) + 1), ARRAY)
    members = [(name, _array(source) if name == ARRAY else _value(source, 2)) for name in names]
    style: dict[str, Any] = {
        "ensure_ascii": source.random() < 0.5,
        "indent": source.choice((None, None, 1)),
        "separators": source.choice(((",", ":"), (", ", ": "), (" ,\t", "\r\n: "))),
    }
    written = ",".join(
        f"{json.dumps(name, **style)}:{json.dumps(value, **style)}" for name, value in members
    )
    content = bytearray(f"{{{written}}}".encode())
    if source.random() < 0.01:
        at = source.randrange(len(content))
        content[at:at] = b"[" * _DEEP
    for _ in range(source.choice((0, 0, 1, 1, 2, 5))):
        _spoil(source, content)
    return bytes(content)


def _spoil(source: random.Random, content: bytearray) -> None:
    at = source.randrange(len(content) + 1)
    match source.randrange(4):
        case 0:
            content[at:at] = source.choice(_SPOILERS)
        case 1:
            content[at:at] = source.choice(_ODD)
        case 2:
            del content[at : at + source.randrange(1, 8)]
        case _:
            end = at + source.randrange(1, 40)
            content[at:at] = content[at:end]


def _array(source: random.Random) -> Any:
    if source.random() < 0.05:
        return _value(source, 1)
    if source.random() < 0.05:
        # Longer than a block, of objects that begin alike.
        return [
            {"n": number, "x": source.choice(_TEXTS), "y": _value(source, 1)}
            for number in range(source.randrange(100, 300))
        ]
    return [_value(source, 3) for _ in range(source.randrange(6))]


def _value(source: random.Random, depth: int) -> Any:
    kind = source.randrange(7 if depth else 5)
    if kind == 0:
        return source.choice((None, True, False))
    if kind == 1:
        return source.choice((0, 1, -1, 12345678901234567890, 10**30))
    if kind == 2:
        return source.choice((0.5, -1.5e300, 1e-7, 1e22))
    if kind in (3, 4):
        return source.choice(_TEXTS)
    if kind == 5:
        return [_value(source, depth - 1) for _ in range(source.randrange(4))]
    return {source.choice(_NAMES): _value(source, depth - 1) for _ in range(source.randrange(4))}


if __name__ == "__main__":
    sys.exit(run(check))
