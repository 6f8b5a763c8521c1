"""The reader of long arrays: whatever the cuts, it gives what the whole document gives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepflow_client._reader import read_elements

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


@pytest.mark.parametrize("at", range(len(json.dumps(DOCUMENTS[2])) - 1))
def test_a_document_that_ends_early_is_an_error(at: int) -> None:
    with pytest.raises(ValueError):
        read([json.dumps(DOCUMENTS[2]).encode()[:at]])


@pytest.mark.parametrize("content", [b"[1]", b"<html>", b'{"items": [1 2]}', b'{"a" 1}', b"{1:2}x"])
def test_what_is_no_such_document_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError):
        read([content])


def test_elements_come_before_the_document_has_ended() -> None:
    def pieces() -> Any:
        yield b'{"items": [1, 2, '
        raise AssertionError("it must not be asked for more yet")

    elements = read_elements(pieces(), "items", {})
    assert [next(elements), next(elements)] == [1, 2]
