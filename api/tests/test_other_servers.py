"""Servers that are no Stepflow server, or break their answer off: one line that says so."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any

import pydantic_core
import pytest

from api.tests.support.forms import DETAILED, FORMS, PLAIN, Form
from api.tests.support.odd_server import Handler, OddServer, answer, raw
from stepflow_api import Client
from stepflow_api.errors import (
    Conflict,
    ConnectionLost,
    Forbidden,
    InvalidAnswer,
    NotFound,
    ServerError,
    StatusError,
    StepflowError,
    TooManyRequests,
    TransportError,
    Unauthorized,
    UnexpectedStatus,
)

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)

HTML = "<!doctype html>\n<html>\n<title>Welcome</title>\n</html>\n"
RUN = "01a205b5-0a0a-7542-9354-0c70a04a73df"


@dataclass(frozen=True)
class Odd:
    """A response, and its result.

    Attributes:
        what: What is odd about it.
        handle: What sends it.
        error: What each form raises.
        message: Its message.
        endpoint: What is called.
        arguments: The call's arguments.
    """

    what: str
    handle: Handler
    error: type[StepflowError]
    message: str
    endpoint: str = "health.health_check"
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.what.replace(" ", "_")


def _invalid(kind: str, size: int, operation: str, problem: str) -> str:
    return (
        f"200, but the body ({kind}, {size} bytes) is not what {operation} answers: {problem};"
        " is this a Stepflow server of a supported version?"
    )


# One release of pydantic counts the column from 0, another from 1.
with pytest.raises(ValueError) as _raised:
    pydantic_core.from_json(b'{"status": "\xff"}')
_NO_UTF8 = f"Invalid JSON: {_raised.value}"

NO_ANSWERS = [
    Odd(
        "a page",
        answer(HTML, content_type="text/html"),
        InvalidAnswer,
        _invalid(
            "text/html", len(HTML), "healthCheck", "Invalid JSON: expected value at line 1 column 1"
        ),
    ),
    Odd(
        "another service",
        answer('{"status": "UP"}'),
        InvalidAnswer,
        _invalid("application/json", 16, "healthCheck", "timestamp: Field required"),
    ),
    Odd(
        "a list",
        answer("[1]"),
        InvalidAnswer,
        _invalid("application/json", 3, "healthCheck", "Input should be an object"),
    ),
    Odd(
        "another type deep inside",
        answer('{"itemCount": 1, "items": [{"itemIndex": "x", "status": "running"}]}'),
        InvalidAnswer,
        _invalid(
            "application/json",
            68,
            "getRunItems",
            "items.0.itemIndex: Input should be a valid integer, unable to parse string as an"
            " integer",
        ),
        "run.get_run_items",
        (RUN,),
    ),
    Odd(
        "nothing",
        answer(content_type=None),
        InvalidAnswer,
        _invalid(
            "no content type",
            0,
            "healthCheck",
            "Invalid JSON: EOF while parsing a value at line 1 column 0",
        ),
    ),
    Odd(
        "half a document",
        answer('{"status": "healthy", "times'),
        InvalidAnswer,
        _invalid(
            "application/json",
            28,
            "healthCheck",
            "Invalid JSON: EOF while parsing a string at line 1 column 28",
        ),
    ),
    Odd(
        "no UTF-8",
        answer(b'{"status": "\xff"}'),
        InvalidAnswer,
        _invalid(
            "application/json",
            15,
            "healthCheck",
            _NO_UTF8,
        ),
    ),
    Odd(
        "too deep",
        answer("[" * 10_000),
        InvalidAnswer,
        _invalid(
            "application/json",
            10_000,
            "healthCheck",
            "Invalid JSON: recursion limit exceeded at line 1 column 202",
        ),
    ),
    Odd(
        "a later server without this path",
        answer(content_type="application/grpc", grpc_status="12"),
        InvalidAnswer,
        _invalid("application/grpc", 0, "healthCheck", "it is gRPC"),
    ),
    Odd(
        "a later server without this deletion",
        answer(content_type="application/grpc+proto", grpc_status="12"),
        InvalidAnswer,
        _invalid("application/grpc+proto", 0, "deleteRun", "it is gRPC"),
        "run.delete_run",
        (RUN,),
    ),
    Odd(
        "a later server without blobs",
        answer(content_type="application/grpc", grpc_status="12"),
        InvalidAnswer,
        _invalid("application/grpc", 0, "getBlob", "it is gRPC"),
        "blob.get_blob_bytes",
        ("b",),
    ),
    Odd(
        "a page to a deletion",
        answer(HTML, content_type="text/html"),
        InvalidAnswer,
        _invalid("text/html", len(HTML), "deleteRun", "expected value at line 1 column 1"),
        "run.delete_run",
        (RUN,),
    ),
    Odd(
        "less than it said",
        answer('{"status": "hea', length=100),
        ConnectionLost,
        "the connection was cut (peer closed connection without sending complete message body"
        " (received 15 bytes, expected 100)); the server may have acted on the request",
    ),
    Odd(
        "half a chunk",
        raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"),
        ConnectionLost,
        "the connection was cut (peer closed connection without sending complete message body"
        " (incomplete chunked read)); the server may have acted on the request",
    ),
    Odd(
        "half a head",
        raw(b"HTTP/1.1 200 OK\r\ncontent-ty"),
        ConnectionLost,
        "the connection was cut (Server disconnected without sending a response.); the server may"
        " have acted on the request",
    ),
    Odd(
        "no HTTP",
        raw(b"220 mail.example ESMTP\r\n\r\n"),
        ConnectionLost,
        "the connection was cut (invalid HTTP response: it has"
        " b'220 mail.example ESMTP\\r\\n\\r\\n'); the server may have acted on the request",
    ),
    Odd(
        "what it says is gzip",
        answer("{}", content_encoding="gzip"),
        TransportError,
        "the answer cannot be read (Error -3 while decompressing data: incorrect header check); is"
        " this a Stepflow server?",
    ),
]


async def raised(form: Form, odd: Odd) -> tuple[StepflowError, str]:
    """Calls a form of an endpoint of an odd server, and returns its error and URL."""
    with OddServer(odd.handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(StepflowError) as info:
                await form(odd.endpoint, *odd.arguments, client=client)
    assert len(server.requests) == 1
    return info.value, server.url


@by_form
@pytest.mark.parametrize("odd", NO_ANSWERS, ids=str)
async def test_no_answer_of_this_api(odd: Odd, form: Form) -> None:
    error, url = await raised(form, odd)
    assert type(error) is odd.error
    assert isinstance(error, TransportError | InvalidAnswer)
    assert error.message == odd.message
    assert error.url.startswith(f"{url}/api/v1/")
    assert str(error) == f"{error.method} {error.url}: {error.message}"
    if isinstance(error, InvalidAnswer):
        assert error.status_code == 200
        assert error.text == error.content.decode("utf-8", "replace")


LONG = "x" * 3000

STATUSES = [
    Odd(
        "a page that is not there",
        answer(HTML, status="404 Not Found", content_type="text/html"),
        NotFound,
        "404 Not Found: <!doctype html> <html> <title>Welcome</title> </html>",
    ),
    Odd(
        "nothing that is not there",
        answer(status="404 Not Found", content_type=None),
        NotFound,
        "404 Not Found",
    ),
    Odd(
        "a long page",
        answer(LONG, status="500 Internal Server Error", content_type="text/html"),
        ServerError,
        f"500 Internal Server Error: {LONG[:500]}… (3000 characters)",
    ),
    Odd(
        "control characters",
        answer(b"\x1b[31mno\x1b[0m\0\r\n\tway\xff\x07", status="409 Conflict"),
        Conflict,
        "409 Conflict: [31mno [0m way\ufffd",
    ),
    Odd(
        "problem details",
        answer('{"title": "Not yours", "status": 403}', status="403 Forbidden"),
        Forbidden,
        "403 Forbidden: Not yours",
    ),
    Odd(
        "problem details with a detail",
        answer('{"title": "T", "detail": "You\\nmay not"}', status="403 Forbidden"),
        Forbidden,
        "403 Forbidden: You may not",
    ),
    Odd(
        "an error in an error",
        answer('{"error": {"message": "log in", "code": 16}}', status="401 Unauthorized"),
        Unauthorized,
        "401 Unauthorized: log in",
    ),
    Odd(
        "an error of text",
        answer('{"error": "slow down"}', status="429 Too Many Requests", retry_after="7"),
        TooManyRequests,
        "429 Too Many Requests: slow down",
    ),
    Odd(
        "JSON of another kind",
        answer('["no", 1]', status="410 Gone"),
        UnexpectedStatus,
        '410 Gone: ["no", 1]',
    ),
    Odd(
        "JSON that is too deep",
        answer("[" * 100_000, status="502 Bad Gateway"),
        ServerError,
        f"502 Bad Gateway: {'[' * 500}… (100000 characters)",
    ),
    Odd(
        "an odd stack",
        answer(
            '{"message": "no", "stack": [1, {"error": 2}, {"error": "why"}]}', status="503 Busy"
        ),
        ServerError,
        "503 Service Unavailable: no: why",
    ),
    Odd(
        "a status of its own",
        answer("what", status="299 Odd"),
        UnexpectedStatus,
        "299: what",
    ),
    Odd(
        "a success that is not documented",
        answer("{}", status="201 Created"),
        UnexpectedStatus,
        "201 Created: {}",
    ),
    Odd(
        "a redirect",
        answer(status="308 Gone", location="https://other.example/api/v1/health?token=secret"),
        UnexpectedStatus,
        "308 Permanent Redirect: it is at https://other.example/api/v1/health; set base_url to"
        " where the server is",
    ),
    Odd(
        "a redirect to nowhere",
        answer("moved", status="302 Found", content_type="text/plain"),
        UnexpectedStatus,
        "302 Found: moved",
    ),
]


@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
@pytest.mark.parametrize("odd", STATUSES, ids=str)
async def test_a_status_that_is_no_success(odd: Odd, form: Form) -> None:
    error, url = await raised(form, odd)
    assert type(error) is odd.error
    assert isinstance(error, StatusError)
    assert error.message == odd.message
    assert error.message.startswith(f"{error.status_code}")
    assert error.parsed is None
    assert str(error) == f"GET {url}/api/v1/health: {odd.message}"
    assert str(error).isprintable()


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
@pytest.mark.parametrize("odd", STATUSES, ids=str)
async def test_a_status_that_is_no_success_as_a_whole(odd: Odd, form: Form) -> None:
    with OddServer(odd.handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            response = await form(odd.endpoint, client=client)
        assert odd.message.startswith(str(response.status_code))
        assert response.parsed is None
        async with Client(
            server.url, server_version="0.11.1", raise_on_unexpected_status=True
        ) as client:
            with pytest.raises(UnexpectedStatus) as info:
                await form(odd.endpoint, client=client)
    assert info.value.message == odd.message


async def test_what_an_error_keeps_of_the_answer() -> None:
    busy = answer('{"error": "slow"}', status="429 Too Many Requests", Retry_After="7")
    error, _ = await raised(PLAIN[0], Odd("", busy, TooManyRequests, ""))
    assert isinstance(error, TooManyRequests)
    assert error.headers["retry-after"] == "7"
    assert error.content == b'{"error": "slow"}'
    assert error.text == '{"error": "slow"}'


@by_form
async def test_json_without_the_content_type_of_json_is_taken(form: Form) -> None:
    document = '{"status": "s", "timestamp": "t", "version": "v", "build": {"new": 1}}'
    with OddServer(answer(document, content_type=None)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            result = await form("health.health_check", client=client)
    health = result.parsed if form.is_detailed else result
    assert health.to_dict() == {"status": "s", "timestamp": "t", "version": "v"}


@by_form
async def test_gzip_is_unpacked(form: Form) -> None:
    document = b'{"status": "s", "timestamp": "t", "version": "v"}'
    with OddServer(answer(gzip.compress(document), content_encoding="gzip")) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            result = await form("health.health_check", client=client)
    assert (result.parsed if form.is_detailed else result).version == "v"


@by_form
@pytest.mark.parametrize("body", ["", "{}", '{"deleted": true}', "null"])
async def test_what_json_a_deletion_answers_does_not_matter(body: str, form: Form) -> None:
    with OddServer(answer(body)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            result = await form("run.delete_run", RUN, client=client)
    assert (result.parsed if form.is_detailed else result) is None
