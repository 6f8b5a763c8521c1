"""What the media type of a body decides: its parser, its encoding, and how it is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from stepflow_api import Client, errors
from stepflow_api._operation import ByType, Json, Parser, nothing, raw, text
from stepflow_api.lowlevel import Operation
from stepflow_api.testing import MockServer

PARSERS: dict[str, Parser] = {
    "text/csv": text,
    "application/json": Json(dict[str, int]),
    "image/*": raw,
}


def parsed(parser: Any, content: bytes, kind: str | None) -> Any:
    """Return what a client makes of a response."""
    headers = {} if kind is None else {"content-type": kind}
    server = MockServer({"GET /x": httpx.Response(200, content=content, headers=headers)})
    operation: Operation[Any, Any] = Operation("getX", "GET", "/x", {"200": parser})
    with Client("http://server", transport=server) as client:
        return client.call(operation, operation.request())


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("Application/JSON; charset=utf-8", b'{"a": 1}', {"a": 1}),
        ("text/csv", "é".encode(), "é"),
        ("text/csv;charset=latin-1", b"\xe9", "é"),
        ("text/csv; header=present; Charset='ISO-8859-1'", b"\xe9", "é"),
        ('text/csv; charset="UTF-8"', "é".encode(), "é"),
        ("text/csv; charset=", "é".encode(), "é"),
        ("IMAGE/png", b"\x89\xff", b"\x89\xff"),
        # One that is not documented is treated as the first.
        ("application/xml", b"<a/>", "<a/>"),
        (None, b"a", "a"),
    ],
)
def test_the_parser_of_a_media_type(kind: str | None, content: bytes, expected: Any) -> None:
    assert parsed(ByType(PARSERS), content, kind) == expected


def test_a_parser_of_all_media_types_comes_last() -> None:
    some: dict[str, Parser] = {"*/*": raw, **PARSERS}
    assert parsed(ByType(some), b'{"a": 1}', "application/json") == {"a": 1}
    assert parsed(ByType(some), b"<a/>", "application/xml") == b"<a/>"
    exact: dict[str, Parser] = {"image/*": raw, "image/svg+xml": text}
    assert parsed(ByType(exact), b"<a/>", "image/svg+xml") == "<a/>"
    assert ByType(PARSERS)(b"a") == "a"


def test_an_encoding_that_does_not_exist() -> None:
    with pytest.raises(errors.InvalidAnswer, match="its encoding, 'utf-9', is unknown"):
        parsed(text, b"a", "text/plain; charset=utf-9")
    with pytest.raises(errors.InvalidAnswer, match="can't decode byte 0xff"):
        parsed(text, b"\xff", "text/plain")


def test_an_answer_that_has_no_body() -> None:
    assert parsed(nothing, b"", None) is None
    # A newer server may say something there; a page of something else is no success.
    assert parsed(nothing, b"{}", "application/json") is None
    with pytest.raises(errors.InvalidAnswer):
        parsed(nothing, b"<html>", "text/html")


@pytest.mark.parametrize(
    "kind",
    [
        *("application/json", "APPLICATION/JSON", "application/json ; a=b"),
        *("application/merge-patch+json", "text/json", "application/Problem+JSON"),
    ],
)
def test_a_media_type_of_json(kind: str) -> None:
    sent = Operation[Any, Any]("x", "POST", "/x", {}, accepts=("text/plain", kind)).request(body={})
    assert (sent.headers["content-type"], sent.content) == (kind, b"{}")


@pytest.mark.parametrize("kind", ["application/jsonl", "text/plain", "application/xml"])
def test_a_media_type_that_is_not_json(kind: str) -> None:
    operation = Operation[Any, Any]("x", "POST", "/x", {}, accepts=(kind,))
    assert operation.request(body=b"{}").headers["content-type"] == kind
    with pytest.raises(errors.InvalidRequest, match="the body is of type dict; pass bytes"):
        operation.request(body={})
