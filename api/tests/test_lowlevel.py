"""Generators that yield effects run alike for sync and async callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from stepflow_api import Client
from stepflow_api.api.component import list_components
from stepflow_api.errors import InvalidAnswer, InvalidRequest, NotFound, RequestTimeout, ServerError
from stepflow_api.lowlevel import (
    Call,
    Close,
    Fetch,
    Hidden,
    Open,
    Operation,
    Read,
    Sleep,
    Steps,
)

BODY = b'{"components":[]}'


def respond(request: httpx.Request) -> httpx.Response:
    if b"includeSchemas=true" in request.url.query:
        return httpx.Response(404, json={"code": 404, "message": "none here"})
    return httpx.Response(200, content=BODY, headers={"content-type": "application/json"})


def run_in_loop(client: Client, steps: Steps[Any]) -> Any:
    return asyncio.run(client.run_async(steps))


by_form = pytest.mark.parametrize("perform", [Client.run, run_in_loop], ids=["sync", "async"])


@pytest.fixture
def client() -> Client:
    return Client("http://server", transport=httpx.MockTransport(respond), server_version="0.11.1")


def call(kind: type[Call[Any]] = Call, **arguments: Any) -> Call[Any]:
    return kind(list_components.OPERATION, list_components.build_request(**arguments), timeout=5)


@by_form
def test_each_effect_is_sent_its_result(perform: Callable[..., Any], client: Client) -> None:
    def steps() -> Steps[list[Any]]:
        parsed = yield call()
        fetched = yield call(Fetch)
        slept = yield Sleep(0.001)
        return [parsed.components, fetched.parsed, slept]

    assert perform(client, steps()) == [[], [BODY], None]


def test_other_tasks_go_on_while_a_generator_sleeps(client: Client) -> None:
    order: list[str] = []

    def steps() -> Steps[None]:
        order.append("asleep")
        yield Sleep(0.01)
        order.append("awake")

    async def other() -> None:
        order.append("other")

    async def both() -> None:
        await asyncio.gather(client.run_async(steps()), other())

    asyncio.run(both())
    assert order == ["asleep", "other", "awake"]


@by_form
def test_an_error_is_raised_where_the_effect_was_yielded(
    perform: Callable[..., Any], client: Client
) -> None:
    def steps() -> Steps[str]:
        try:
            yield call(include_schemas=True)
        except NotFound as error:
            return str(error)
        return ""

    assert "none here" in perform(client, steps())


class Stop(BaseException):
    """What ends a program, or a task."""


@by_form
def test_an_interruption_is_raised_where_the_effect_was_yielded(
    perform: Callable[..., Any],
) -> None:
    def stop(request: httpx.Request) -> httpx.Response:
        raise Stop

    def steps() -> Steps[str]:
        try:
            yield call()
        except Stop:
            return "stopped"
        return ""

    transport = httpx.MockTransport(stop)
    client = Client("http://server", transport=transport, server_version="0.11.1")
    assert perform(client, steps()) == "stopped"


@by_form
def test_a_call_may_have_another_client(perform: Callable[..., Any], client: Client) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return respond(request)

    transport = httpx.MockTransport(answer)
    other = Client("http://other", transport=transport, server_version="0.11.1")

    def steps() -> Steps[None]:
        yield Call(list_components.OPERATION, list_components.build_request(), client=other)

    perform(client, steps())
    assert asked == ["other"]


@by_form
def test_what_is_no_effect_closes_the_generator(
    perform: Callable[..., Any], client: Client
) -> None:
    closed: list[bool] = []

    def steps() -> Any:
        try:
            yield "now"
        finally:
            closed.append(True)

    with pytest.raises(TypeError, match="a generator yielded a value of type str; yield an effect"):
        perform(client, steps())
    assert closed == [True]


@by_form
def test_the_media_type_of_a_stream_may_have_a_parameter(perform: Callable[..., Any]) -> None:
    """A proxy may add it, and its case does not matter."""
    kind = "Text/Event-Stream; charset=utf-8"
    event = b'data: {"sequenceNumber":1,"timestamp":"2026-01-01T00:00:00Z","event":{"A":{}}}\n\n'

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=event, headers={"content-type": kind})

    events: Operation[Any, Any] = Operation("getRunEvents", "GET", "/runs/1/events", {})

    def steps() -> Steps[list[int]]:
        stream = yield Open(events, events.request(), timeout=30)
        documents = yield Read(stream, 30)
        yield Close(stream)
        return [document["sequenceNumber"] for document in documents]

    client = Client("http://server", transport=httpx.MockTransport(respond))
    assert perform(client, steps()) == [1]


def test_header_fields_of_a_call_are_hidden() -> None:
    sent: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("x-team"))
        return httpx.Response(200, content=BODY, headers={"content-type": "application/json"})

    client = Client(
        "http://server", transport=httpx.MockTransport(respond), server_version="0.11.1"
    )
    request = list_components.build_request()
    client.call(list_components.OPERATION, request, headers=Hidden({"X-Team": "a"}))
    for headers in ({"X-Team": "secret"}, [("X-Team", "secret")]):
        shown: Any = headers
        with pytest.raises(InvalidRequest, match=r"^headers .*; pass lowlevel.Hidden") as raised:
            client.call(list_components.OPERATION, request, headers=shown)
        assert "secret" not in str(raised.value)
    assert sent == ["a"]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
        "application/stream+json",
        "Application/JSONL ; charset=utf-8",
    ],
)
def test_a_document_on_each_line(media_type: str) -> None:
    answer = httpx.Response(200, content=b'{"a":1}\r\n\n[2]', headers={"content-type": media_type})
    operation = Operation[None, None]("events", "GET", "/events", {})
    with (
        Client("http://server", transport=httpx.MockTransport(lambda request: answer)) as client,
        client.open(operation, operation.request()) as stream,
    ):
        assert list(stream) == [{"a": 1}, [2]]
        assert stream.read() is None


class Closing(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Events of a connection that is closed.

    Attributes:
        is_closed: Whether it is.
    """

    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"data: 1\n\n"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("is_async", [False, True])
def test_a_block_closes_the_stream_that_it_was_opened_for(is_async: bool) -> None:
    body = Closing()
    answer = httpx.Response(200, stream=body, headers={"content-type": "text/event-stream"})
    client = Client("http://server", transport=httpx.MockTransport(lambda request: answer))
    operation = Operation[None, None]("events", "GET", "/events", {})

    async def read() -> list[Any] | None:
        async with await client.open_async(operation, operation.request()) as stream:
            return await stream.read()

    if is_async:
        assert asyncio.run(read()) == [1]
    else:
        with client.open(operation, operation.request()) as stream:
            assert stream.read() == [1]
    assert body.is_closed


class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Comments without end, which no connection has to be waited for."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b": alive\n\n"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b": alive\n\n"


@by_form
def test_comments_do_not_prolong_the_wait_for_an_event(
    perform: Callable[[Client, Steps[Any]], Any],
) -> None:
    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, stream=Endless(), headers=headers)
    )
    operation = Operation[None, None]("events", "GET", "/events", {})

    def steps() -> Steps[None]:
        stream = yield Open(operation, operation.request())
        try:
            yield Read(stream, 0.05)
        finally:
            yield Close(stream)

    with pytest.raises(RequestTimeout, match="within the timeout"):
        perform(Client("http://server", transport=transport), steps())


@by_form
def test_the_read_timeout_bounds_each_wait_for_an_event(perform: Callable[..., Any]) -> None:
    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, stream=Endless(), headers=headers)
    )
    operation = Operation[None, None]("events", "GET", "/events", {})
    request = operation.request()
    client = Client("http://server", transport=transport)
    timeout = httpx.Timeout(30, read=0.05)

    async def read() -> None:
        async with await client.open_async(operation, request, timeout=timeout) as stream:
            await stream.read()

    with pytest.raises(RequestTimeout, match="within the timeout"):
        if perform is run_in_loop:
            asyncio.run(read())
        with client.open(operation, request, timeout=timeout) as stream:
            stream.read()


@by_form
def test_a_call_has_its_own_timeout_and_header_fields(perform: Callable[..., Any]) -> None:
    seen: list[tuple[float, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.extensions["timeout"]["read"], request.headers.get("x-team")))
        return httpx.Response(200, content=BODY)

    def steps() -> Steps[None]:
        operation, request = list_components.OPERATION, list_components.build_request()
        headers: Hidden[Mapping[str, str]] = Hidden({"X-Team": "a"})
        yield Call(operation, request, timeout=httpx.Timeout(40), headers=headers)
        yield Fetch(operation, request, timeout=httpx.Timeout(50))

    transport = httpx.MockTransport(answer)
    perform(Client("http://server", transport=transport, server_version="0.11.1"), steps())
    assert seen == [(40, "a"), (50, None)]


def test_an_event_that_is_no_text_is_an_error_of_the_answer() -> None:
    headers = {"content-type": "text/event-stream"}
    answer = httpx.Response(200, content=b"data: \xff\n\n", headers=headers)
    operation = Operation[None, None]("events", "GET", "/events", {}, event=bytes.decode)
    with (
        Client("http://server", transport=httpx.MockTransport(lambda request: answer)) as client,
        client.open(operation, operation.request()) as stream,
        pytest.raises(InvalidAnswer, match="200, but what comes is no event"),
    ):
        stream.read()


@by_form
def test_an_operation_may_parse_its_events_itself(perform: Callable[..., Any]) -> None:
    headers = {"content-type": "text/event-stream"}
    answer = httpx.Response(200, content=b"data: a\n\n", headers=headers)
    operation = Operation[None, None]("events", "GET", "/events", {}, event=bytes.decode)

    def steps() -> Steps[Any]:
        stream = yield Open(operation, operation.request())
        found = yield Read(stream, 30)
        yield Close(stream)
        return found

    client = Client("http://server", transport=httpx.MockTransport(lambda request: answer))
    assert perform(client, steps()) == ["a"]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_that_is_no_document_is_an_error(end: bytes) -> None:
    headers = {"content-type": "application/jsonl"}
    answer = httpx.Response(200, content=b'{"a":1}\n{' + end, headers=headers)
    operation = Operation[None, None]("events", "GET", "/events", {})
    with (
        Client("http://server", transport=httpx.MockTransport(lambda request: answer)) as client,
        client.open(operation, operation.request()) as stream,
        pytest.raises(InvalidAnswer, match="200, but what comes is no event"),
    ):
        while stream.read() is not None:
            pass


def test_grpc_is_no_response_in_pieces() -> None:
    answer = httpx.Response(200, content=b"", headers={"content-type": "application/grpc"})
    transport = httpx.MockTransport(lambda request: answer)
    client = Client("http://server", transport=transport, server_version="0.11.1")
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.11\.1 does|it is gRPC"):
        client.fetch(list_components.OPERATION, list_components.build_request())
    operation = Operation[None, None]("other", "GET", "/other", list_components.OPERATION.answers)
    with pytest.raises(InvalidAnswer, match="it is gRPC"):
        client.fetch(operation, operation.request())


def test_a_server_of_another_api_is_not_asked_for_its_version() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(404)

    operation = Operation[None, None]("other", "GET", "/other", {})
    with Client("http://server", transport=httpx.MockTransport(answer)) as client:
        assert client.send(operation, operation.request()).status_code == 404
    assert asked == ["/api/v1/other"]


def test_an_error_with_the_type_of_a_stream_is_an_error() -> None:
    headers = {"content-type": "text/event-stream"}
    answer = httpx.Response(500, content=b"data: 1\n\n", headers=headers)
    transport = httpx.MockTransport(lambda request: answer)
    operation = Operation[None, None]("events", "GET", "/events", {})
    with (
        Client("http://server", transport=transport) as client,
        pytest.raises(ServerError, match="data: 1"),
    ):
        client.open(operation, operation.request())
