"""The stored form of a spec: the same text from every start, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.spec.normalise import SpecError, normalise, parse
from tools.spec.served import served_spec


def document(**parts: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", **parts}


def servers(*urls: str) -> str:
    return json.dumps(document(servers=[{"url": url} for url in urls]))


def test_two_starts_give_the_same_bytes(binary: Path, served: str) -> None:
    assert served_spec(binary) == served


def test_the_served_document_is_idempotent(served: str) -> None:
    assert normalise(served) == served
    assert normalise(served.encode()) == served


def test_the_port_is_stepflows_default(served: str) -> None:
    assert json.loads(served)["servers"][0]["url"] == "http://localhost:7840/api/v1"


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("http://localhost:33925/api/v1", "http://localhost:7840/api/v1"),
        ("http://127.0.0.1:1/api/v1", "http://127.0.0.1:7840/api/v1"),
        ("http://0.0.0.0:80", "http://0.0.0.0:7840"),
        ("http://[::1]:80/", "http://[::1]:7840/"),
        ("http://localhost/api/v1", "http://localhost/api/v1"),
        ("https://stepflow.example:8443/api/v1", "https://stepflow.example:8443/api/v1"),
        ("/api/v1", "/api/v1"),
    ],
)
def test_only_the_port_of_a_local_server_is_replaced(url: str, stored: str) -> None:
    text = normalise(servers("/first", url))
    assert [s["url"] for s in json.loads(text)["servers"]] == ["/first", stored]
    assert normalise(text) == text


@pytest.mark.parametrize("odd", [None, {}, [None], [{}], [{"url": None}], [{"url": 7}], "x"])
def test_odd_servers_are_left_alone(odd: object) -> None:
    assert json.loads(normalise(json.dumps(document(servers=odd)))) == document(servers=odd)


def test_layout() -> None:
    text = normalise(
        '{"openapi":"3.1.0","b":{"é":"\\u00fc"},"a":[1,1.0,true,null,12345678901234567890]}'
    )
    assert text == (
        '{\n  "openapi": "3.1.0",\n  "b": {\n    "é": "ü"\n  },\n  "a": [\n    1,\n    1.0,\n'
        "    true,\n    null,\n    12345678901234567890\n  ]\n}\n"
    )


def test_a_port_elsewhere_is_left_alone() -> None:
    info = {"description": "see http://localhost:33925/api/v1"}
    assert json.loads(normalise(json.dumps(document(info=info))))["info"] == info


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"<html>", "it is not JSON: Expecting value: line 1 column 1"),
        (b'{"openapi": "3.1.0"', "it is not JSON: Expecting ',' delimiter"),
        (b'{"a": "\xff"}', "it is not UTF-8 text (at byte 7)"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[]", "it is JSON but not an object"),
        (b"{}", "its `openapi` field must be 3.x, and is null"),
        (b'{"openapi": 3}', "its `openapi` field must be 3.x, and is 3"),
        (b'{"swagger": "2.0"}', "its `openapi` field must be 3.x, and is null"),
        (b'{"openapi": "2.0"}', 'its `openapi` field must be 3.x, and is "2.0"'),
        (b'{"openapi": "3.1.0", "x": NaN}', "it is not JSON: NaN is no JSON value"),
        (b'{"openapi": "3.1.0", "x": "\\ud800"}', "it holds half a surrogate pair"),
    ],
)
def test_what_is_no_spec_is_refused_in_one_line(text: bytes, problem: str) -> None:
    for read in (parse, normalise):
        with pytest.raises(SpecError) as error:
            read(text)
        assert str(error.value).startswith(problem)
        assert "\n" not in str(error.value)
