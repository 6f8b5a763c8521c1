"""The reader of long arrays: whatever the cuts, it returns what the whole document contains."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from stepflow_client._core.json_array import read_blocks, read_elements

DOCUMENTS: list[Any] = [
    {"items": []},
    {"items": [1]},
    {"itemCount": 3, "items": [{"a": [1, {"b": "]}"}]}, 'é😀\\"', None, -1.5e3, 12345], "z": {}},
    {"a": [1, 2], "b": "items", "items": [[], {}, ""], "c": 12},
    {"items": None},
    {},
]


def read(pieces: list[bytes]) -> Any:
    others: dict[str, Any] = {}
    elements = list(read_elements(pieces, "items", others))
    return elements, others


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_cut_reads_the_same(document: dict[str, Any], indent: int | None) -> None:
    content = json.dumps(document, indent=indent, ensure_ascii=False).encode()
    items = document.get("items")
    expected = (
        items or [],
        {k: v for k, v in document.items() if k != "items" or not isinstance(v, list)},
    )
    assert read([content]) == expected
    assert read([content[n : n + 1] for n in range(len(content))]) == expected
    for at in range(len(content)):
        assert read([content[:at], b"", content[at:]]) == expected


@pytest.mark.parametrize("number", [b"1e5", b"1E5", b"-1.5e+3", b"2E-3", b"0.25"])
def test_a_number_in_two_pieces(number: bytes) -> None:
    content = b'{"items":[%b,1]}' % number
    for at in range(len(content)):
        assert read([content[:at], content[at:]]) == ([float(number), 1], {})


@pytest.mark.parametrize("second", [b"[2]", b"null"])
def test_an_array_that_comes_twice(second: bytes) -> None:
    with pytest.raises(ValueError, match="duplicate member 'items'"):
        read([b'{"items":[1],"items":%b}' % second])


def test_all_white_space_of_json() -> None:
    content = b' { "a" : 1 , "items" : [ 1 , 2 ] } '
    for space in (b" ", b"\t", b"\r", b"\n", b" \r\n\t"):
        assert read([content.replace(b" ", space)]) == ([1, 2], {"a": 1})


@pytest.mark.parametrize("at", range(len(json.dumps(DOCUMENTS[2])) - 1))
def test_a_document_that_ends_early_is_an_error(at: int) -> None:
    with pytest.raises(ValueError):
        read([json.dumps(DOCUMENTS[2]).encode()[:at]])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[1]", "'[' instead of one of '{'"),
        (b"<html>", "'<' instead of one of '{'"),
        (b'{"items": [1 2]}', "'2' instead of one of ',]'"),
        (b'{"a" 1}', "'1' instead of one of ':'"),
        (b"{1:2}", "1 instead of a name"),
        (b'{"items":[1]}{', "'{' after the end"),
        (b"{} x", "'x' after the end"),
        (b'{"items":[]}\xc3', "unexpected end of data"),
        (b'{"items": [' + b"[" * 200_000, "it is nested too deeply"),
        (b'{"items": [1', "it ends early"),
        (b'{"a":', "it ends early"),
        (b"", "it ends early"),
    ],
)
def test_what_is_no_such_document_is_an_error(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        read([content])


def test_elements_come_before_the_document_has_ended() -> None:
    def pieces() -> Any:
        yield b'{"items": [1, 2, '
        raise AssertionError("it must not be asked for more yet")

    elements = read_elements(pieces(), "items", {})
    assert [next(elements), next(elements)] == [1, 2]


# What stands between two elements stands within some of them as well.
TRAPS: tuple[dict[str, Any], ...] = (
    {"n": [{"n": 1}, {"n": 2}]},
    {"n": "},{"},
    {"n": '},{"n":'},
    {"n": "é😀"},
    {"n": {}},
)
OBJECTS: list[Any] = [
    {"n": number, "text": "x" * (number % 90), "trap": TRAPS[number % 97]}
    if number % 97 < len(TRAPS)
    else {"n": number, "text": "x" * (number % 90)}
    for number in range(700)
]
FORMS: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":")},
    "spaced": {},
    "indented": {"indent": 1},
    "in letters": {"separators": (",", ":"), "ensure_ascii": False},
}


class Blocks:
    """Reads objects in blocks, refusing some, and counts how they are made."""

    def __init__(self, refused: frozenset[int] = frozenset(), spoiled: int | None = None) -> None:
        self._refused = refused
        self._spoiled = spoiled
        self.at_once: list[int] = []
        self.one_by_one: list[int] = []
        self.tries = 0
        self.refusals = 0
        self.others: dict[str, Any] = {}

    def read(self, pieces: Iterable[bytes], array: str = "items") -> Iterator[Any]:
        for block in read_blocks(pieces, array, self.others, self._parse, self._make):
            yield from block

    def _parse(self, text: str) -> list[Any]:
        self.tries += 1
        self.refusals += 1
        found: list[Any] = json.loads(text)
        numbers = [value["n"] for value in found]
        if self._refused & set(numbers):
            raise ValueError("refused")
        self.refusals -= 1
        self.at_once += numbers
        return found

    def _make(self, value: Any) -> Any:
        if value["n"] == self._spoiled:
            raise ValueError(f"{value['n']} is spoiled")
        self.one_by_one.append(value["n"])
        return value


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 7, 100, 4096, 8191, 8192, 8193, 1_000_000])
def test_blocks_have_the_elements_of_the_whole_whatever_the_cuts(form: str, size: int) -> None:
    document = {"count": 700, "items": OBJECTS, "after": [{"n": 1}, {"n": 2}]}
    content = json.dumps(document, **FORMS[form]).encode()
    blocks = Blocks()
    assert list(blocks.read(cut(content, size))) == OBJECTS
    assert blocks.others == {"count": 700, "after": [{"n": 1}, {"n": 2}]}
    # Some blocks are cut at a trap, most are not.
    assert len(blocks.at_once) > 400
    assert blocks.tries < 20
    assert sorted(blocks.at_once + blocks.one_by_one) == list(range(700))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_blocks_of_what_is_no_object_are_its_elements(document: Any) -> None:
    others: dict[str, Any] = {}
    pieces = [json.dumps(document).encode()]
    blocks = read_blocks(pieces, "items", others, json.loads, lambda value: value)
    assert ([value for block in blocks for value in block], others) == read(pieces)


@pytest.mark.parametrize("form", FORMS)
def test_a_block_that_is_refused_is_made_one_by_one(form: str) -> None:
    content = json.dumps({"items": OBJECTS}, **FORMS[form]).encode()
    blocks = Blocks(refused=frozenset({350}))
    assert list(blocks.read(cut(content, 5000))) == OBJECTS
    assert 350 in blocks.one_by_one
    # Not again for each element before the one that is refused.
    assert blocks.refusals < 10
    # And not any more, once the refused block is behind.
    assert len(blocks.at_once) > 500
    assert sorted(blocks.at_once + blocks.one_by_one) == list(range(700))


@pytest.mark.parametrize("spoiled", [0, 1, 2, 57, 58, 59, 60, 350, 697, 698, 699])
def test_all_before_one_that_cannot_be_made_are_given(spoiled: int) -> None:
    content = json.dumps({"items": OBJECTS}, **FORMS["compact"]).encode()
    blocks = Blocks(refused=frozenset({spoiled}), spoiled=spoiled)
    values = blocks.read([content])
    assert list(itertools.islice(values, spoiled)) == OBJECTS[:spoiled]
    with pytest.raises(ValueError, match=f"^{spoiled} is spoiled$"):
        next(values)


@pytest.mark.parametrize("kept", [*range(0, 400, 13), 8191, 8192, 8193, 8250, 30_000, -2, -1])
def test_blocks_of_a_document_that_ends_early_are_an_error(kept: int) -> None:
    content = json.dumps({"items": OBJECTS}, **FORMS["compact"]).encode()
    with pytest.raises(ValueError):
        list(Blocks().read([content[:kept]]))
