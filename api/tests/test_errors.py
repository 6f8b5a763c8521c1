"""The errors as objects: they are pickled, copied, caught by their tree, and shown on one line."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from stepflow_api import Client, models
from stepflow_api.api.health import health_check
from stepflow_api.errors import (
    BadRequest,
    Conflict,
    ConnectionFailed,
    ConnectionLost,
    Forbidden,
    InvalidAnswer,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    ServerError,
    StatusError,
    StepflowError,
    TooManyRequests,
    TransportError,
    Unauthorized,
    UnexpectedStatus,
    UnprocessableContent,
    UnsupportedByServer,
    UnsupportedMediaType,
    one_line,
)
from stepflow_api.testing import MockServer

URL = "http://localhost:7840/api/v1/runs"

TRANSPORT = [TransportError, ConnectionFailed, ConnectionLost, RequestTimeout]
STATUS = [
    StatusError,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    UnprocessableContent,
    TooManyRequests,
    ServerError,
    UnexpectedStatus,
]

PARSED = models.ErrorResponse(code=404, message="no", stack=[models.ErrorStackEntry(error="why")])


def errors() -> list[StepflowError]:
    """Return an error of every class, with all that it can hold."""
    return [
        StepflowError("base"),
        InvalidRequest("bad argument"),
        UnsupportedByServer("this", server_version="0.9.0", since="0.10.0"),
        *(kind("gone", method="GET", url=URL) for kind in TRANSPORT),
        InvalidAnswer("odd", method="GET", url=URL, status_code=200, content=b"\xff"),
        *(
            kind(
                "no",
                method="POST",
                url=URL,
                status_code=kind.status or 599,
                content=b'{"code":404}',
                parsed=PARSED,
                headers={"retry-after": "5"},
            )
            for kind in STATUS
        ),
    ]


def ways() -> list[Callable[[Any], Any]]:
    """Return all ways to copy an error."""
    return [
        copy.copy,
        copy.deepcopy,
        *(
            lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ]


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_an_error_is_copied_with_all_it_holds(error: StepflowError) -> None:
    error.add_note("a note")
    for way in ways():
        again = way(error)
        assert type(again) is type(error)
        assert again is not error
        assert (str(again), repr(again), again.args) == (str(error), repr(error), error.args)
        assert vars(again) == vars(error)
        # A copy of a copy is one as well.
        assert vars(way(again)) == vars(error)


def test_every_class_is_among_them() -> None:
    def below(kind: type[StepflowError]) -> set[type[StepflowError]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__()))

    public = {kind for kind in below(StepflowError) if not kind.__name__.startswith("_")}
    assert {type(error) for error in errors()} == public


def test_what_an_error_of_a_status_holds() -> None:
    error = NotFound(
        "no",
        method="GET",
        url=URL,
        status_code=404,
        content=b"b\xff",
        parsed=PARSED,
        headers={"a": "b"},
    )
    assert str(error) == f"GET {URL}: 404 Not Found: no"
    assert error.message == "404 Not Found: no"
    assert (error.method, error.url, error.status_code) == ("GET", URL, 404)
    assert (error.content, error.text, error.parsed) == (b"b\xff", "b\ufffd", PARSED)
    assert error.headers == {"a": "b"}
    bare = ServerError("", method="GET", url=URL, status_code=500)
    assert (bare.message, bare.parsed, bare.headers) == ("500 Internal Server Error", None, {})


def test_an_argument_error_is_pythons_as_well() -> None:
    assert issubclass(InvalidRequest, ValueError)
    for error in errors():
        assert isinstance(error, ValueError) == (type(error) is InvalidRequest)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\n\tc", "a b c"),
        ("  a  ", "a"),
        ("\x1b[31ma\x00\x7f", "[31ma"),
        ("a\u2028b\u00a0c", "a b c"),
        ("ä→😀", "ä→😀"),
        ("", ""),
        ("a" + " " * 5000 + "b", "a b"),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 500 + "… (501 characters)"),
    ],
)
def test_text_on_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"message": "one", "detail": "two"}, "one"),
        ({"message": "", "detail": "two", "title": "three"}, "two"),
        ({"title": "three", "error": "four"}, "three"),
        ({"error": "four"}, "four"),
        ({"error": {"message": "five"}}, "five"),
        ({"message": "six", "stack": [{"error": "six"}, {"error": "seven"}, 8]}, "six: seven"),
        ("text", '"text"'),
    ],
)
def test_the_message_of_a_response(document: Any, message: str) -> None:
    # It has a place, and is no redirect.
    answer = httpx.Response(409, json=document, headers={"location": "http://elsewhere"})
    transport = httpx.MockTransport(lambda request: answer)
    with (
        Client("http://server", transport=transport, server_version="0.11.1") as client,
        pytest.raises(Conflict) as raised,
    ):
        health_check.sync(client=client)
    assert raised.value.message == f"409 Conflict: {message}"


@pytest.mark.parametrize("headers", [{}, {"location": ""}, {"location": "?token=secret"}], ids=str)
def test_a_redirect_to_no_place(headers: dict[str, str]) -> None:
    answer = httpx.Response(302, text="moved", headers=headers)
    transport = httpx.MockTransport(lambda request: answer)
    with (
        Client("http://server", transport=transport, server_version="0.11.1") as client,
        pytest.raises(StatusError) as raised,
    ):
        health_check.sync(client=client)
    assert raised.value.message == "302 Found: moved"


STATUSES = {
    **{cls.status: cls for cls in StatusError.__subclasses__() if cls.status is not None},
    **dict.fromkeys([500, 503, 599], ServerError),
    **dict.fromkeys([402, 418, 499, 600], UnexpectedStatus),
}


@pytest.mark.parametrize("status", STATUSES)
def test_the_class_of_a_status(status: int) -> None:
    server = MockServer({"GET /health": httpx.Response(status, text="why")})
    with (
        Client("http://server", transport=server, server_version="0.11.1") as client,
        pytest.raises(StatusError) as raised,
    ):
        health_check.sync(client=client)
    assert type(raised.value) is STATUSES[status]
    assert re.fullmatch(rf"{status}( [\w' -]+)?: why", raised.value.message)
