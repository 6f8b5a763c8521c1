"""`timeout=` and `headers=` of one call: every endpoint has them, every request carries them."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.tests.support.forms import FORMS, Form, endpoints
from api.tests.support.odd_server import OddServer, answer
from stepflow_api import Client
from stepflow_api._exchange.call_headers import with_headers
from stepflow_api._exchange.effects import Call, OpenStream, Sleep, Steps
from stepflow_api.api.health import health_check
from stepflow_api.errors import InvalidAnswer, InvalidRequest, RequestTimeout, StepflowError
from stepflow_api.lowlevel import Operation, Request
from stepflow_api.support import Hidden
from tools.pytest.support import check_frames

HEALTH = answer('{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}')
SECRET = "h34d3r-s3cr3t"

ENDPOINTS = list(endpoints())
#: What endpoints take besides their options.
ARGUMENTS: dict[str, Any] = {
    "batch_id": "00000000-0000-0000-0000-000000000001",
    "run_id": "00000000-0000-0000-0000-000000000001",
    "blob_id": "b",
    "flow_id": "f",
    "content": b"c",
    "body": None,
}

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
by_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def function(endpoint: str, form: Form) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(
        importlib.import_module(f"stepflow_api.api.{endpoint}"), form.name
    )
    return found


def arguments_of(endpoint: str, form: Form) -> dict[str, Any]:
    names = inspect.signature(function(endpoint, form)).parameters
    arguments = {name: value for name, value in ARGUMENTS.items() if name in names}
    if endpoint == "batch.create_batch":
        from stepflow_api.models import CreateBatchRequest

        arguments["body"] = CreateBatchRequest(flow_id="f", inputs=[1])
    return arguments


@by_form
@by_endpoint
def test_every_endpoint_has_both(endpoint: str, form: Form) -> None:
    made = function(endpoint, form)
    parameters = list(inspect.signature(made).parameters.values())
    assert [parameter.name for parameter in parameters[-2:]] == ["timeout", "headers"]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters[-2:])
    documented = inspect.getdoc(made) or ""
    assert "\n    timeout: For " in documented
    assert "\n    headers: Header fields for this call" in documented


@by_form
@by_endpoint
@pytest.mark.anyio
async def test_every_endpoint_uses_both(endpoint: str, form: Form) -> None:
    arguments = arguments_of(endpoint, form)
    with OddServer(HEALTH) as server:
        # Without the timeout of the call, that of the client ends it.
        async with Client(server.url, timeout=1e-9, server_version="0.13.0") as client:
            # Most expect another body.
            with contextlib.suppress(InvalidAnswer):
                await form(
                    endpoint, client=client, timeout=None, headers={"x-tenant": "one"}, **arguments
                )
    assert server.headers()["x-tenant"] == "one"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("method", ["send", "call", "fetch", "open"])
@pytest.mark.anyio
async def test_every_method_of_a_client_uses_both(method: str, is_async: bool) -> None:
    request = Request("GET", "/x", headers={"X-Tenant": "operation"})
    parts = answer("{}", content_type="text/event-stream" if method == "open" else None)
    with OddServer(parts) as server:
        # Without the timeout of the call, that of the client ends it.
        async with Client(server.url, timeout=1e-9, headers={"x-tenant": "all"}) as client:
            call = getattr(client, f"{method}_async" if is_async else method)
            given = call(
                Operation("x", "GET", "/x", {"200": bytes}),
                request,
                timeout=None,
                headers=Hidden({"x-tenant": "one"}),
            )
            result = await given if is_async else given
            if method == "open":
                closed = result.close()
                if is_async:
                    await closed
    assert server.target().endswith("/x")
    assert server.headers()["x-tenant"] == "one"


def _ways() -> Iterator[tuple[str, Callable[[bool], dict[str, Any]]]]:
    yield "own", lambda is_async: {}
    yield (
        "http_client",
        lambda is_async: {"http_client": httpx.AsyncClient() if is_async else httpx.Client()},
    )
    yield (
        "transport",
        lambda is_async: {
            "transport": httpx.AsyncHTTPTransport() if is_async else httpx.HTTPTransport()
        },
    )


by_way = pytest.mark.parametrize("way", [way for _, way in _ways()], ids=[n for n, _ in _ways()])


@by_way
@by_form
@pytest.mark.anyio
async def test_header_fields_of_one_call(form: Form, way: Callable[[bool], dict[str, Any]]) -> None:
    given = way(form.is_async)
    with OddServer(HEALTH) as server:
        async with Client(
            server.url, headers={"X-Tenant": "all", "x-kept": "1"}, server_version="0.11.1", **given
        ) as client:
            own = {"x-tenant": "one", "Traceparent": "00-1-2-3"}
            await form("health.health_check", client=client, headers=own)
            await form("health.health_check", client=client)
    first, second = server.headers(0), server.headers(1)
    assert (first["x-tenant"], first["x-kept"]) == ("one", "1")
    assert first["traceparent"] == "00-1-2-3"
    assert (second["x-tenant"], second["x-kept"]) == ("all", "1")
    assert "traceparent" not in second
    for one in given.values():
        if form.is_async:
            await one.aclose()
        else:
            one.close()


@by_way
@by_form
@pytest.mark.anyio
async def test_no_later_call_has_the_header_fields_of_one(
    form: Form, way: Callable[[bool], dict[str, Any]]
) -> None:
    options = way(form.is_async)
    run = UUID(int=1)
    with OddServer(answer('{"blobId":"x"}')) as server:
        async with Client(server.url, server_version="0.11.1", **options) as client:
            own = {"x-tenant": "one", "User-Agent": "own/1", "Accept": "application/vnd.x+json"}
            for headers in (None, own, None):
                await form("blob.store_blob_bytes", b"c", client=client, headers=headers)
            first, changed, last = (server.headers(index) for index in range(3))
            with contextlib.suppress(StepflowError):
                await form("run.delete_run", run, client=client)
            deletion = server.headers()
        for given in options.values():
            await given.aclose() if form.is_async else given.close()
    assert changed == {**first, **{name.lower(): value for name, value in own.items()}}
    assert last == first
    assert deletion.keys() == first.keys() - {"content-length", "content-type"}


@by_form
@pytest.mark.anyio
async def test_the_request_for_the_version_has_them_too(form: Form) -> None:
    with OddServer(HEALTH) as server:
        async with Client(server.url) as client:
            with pytest.raises(InvalidAnswer):
                await form("run.list_runs", client=client, headers={"x-tenant": "one"})
    # It is asked for again after an answer that cannot be read.
    for index, target in enumerate(("/health", "/runs", "/health")):
        assert server.target(index).endswith(target)
        assert server.headers(index)["x-tenant"] == "one"


OPERATION: Operation[None, None] = Operation(id="x", method="GET", path="/x", answers={})


def test_every_request_of_a_generator_has_them() -> None:
    ask = Request("GET", "/x", headers={"Accept": "a"})
    own: Hidden[Mapping[str, str]] = Hidden({"x-tenant": "own"})
    other = Client("http://other")

    def steps() -> Steps[str]:
        yield ask
        yield OpenStream(ask)
        yield Call(OPERATION, ask)
        yield Call(OPERATION, ask, headers=own)
        yield Call(OPERATION, ask, client=other)
        try:
            yield Sleep(1)
        except StepflowError:
            yield ask
        return "end"

    wrapped = with_headers(steps(), Hidden({"X-Tenant": "one", "ACCEPT": "b"}))
    expected = {"accept": "b", "x-tenant": "one"}
    assert next(wrapped).headers == expected  # type: ignore[union-attr]
    assert wrapped.send(None).request.headers == expected  # type: ignore[union-attr]
    assert wrapped.send(None).headers.value == expected  # type: ignore[union-attr]
    assert wrapped.send(None).headers is own  # type: ignore[union-attr]
    # Those of the generator are for all servers that it has requests for.
    call = wrapped.send(None)
    assert isinstance(call, Call) and call.headers is not None
    assert (call.headers.value, call.client) == (expected, other)
    assert wrapped.send(None) == Sleep(1)
    assert wrapped.throw(StepflowError("e")).headers == expected  # type: ignore[union-attr]
    with pytest.raises(StopIteration) as ended:
        wrapped.send(None)
    assert ended.value.value == "end"


@pytest.mark.parametrize(
    ("method", "length"), [("GET", None), ("POST", "0"), ("PUT", "0"), ("PATCH", "0")]
)
def test_a_request_of_a_generator_as_it_is_sent(method: str, length: str | None) -> None:
    def steps() -> Steps[int]:
        answer = yield Request(method, "/x", headers={"Accept": "text/plain"})
        return int(answer.status_code)

    with OddServer(HEALTH) as server, Client(server.url, server_version="0.11.1") as client:
        assert client.run(steps()) == 200
    fields = server.headers()
    assert fields["accept"] == "text/plain"
    assert fields.get("content-length") == length


# httpx escapes the first two.
@pytest.mark.parametrize("path", ["/a b", "/\u00e4", "/a\nb", "/a\0", "/\ud800"], ids=ascii)
@by_way
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.anyio
async def test_a_request_with_a_path_that_cannot_be_sent(
    is_async: bool, way: Callable[[bool], dict[str, Any]], path: str
) -> None:
    def steps() -> Steps[Any]:
        return (yield Request("GET", path))

    options = way(is_async)
    with OddServer(HEALTH) as server:
        async with Client(server.url, server_version="0.11.1", **options) as client:
            if options and path in ("/a b", "/\u00e4"):
                await client.run_async(steps()) if is_async else client.run(steps())
                assert server.target() in ("/api/v1/a%20b", "/api/v1/%C3%A4")
                server.requests.clear()
            else:
                with pytest.raises(InvalidRequest, match=r"^GET http://.* cannot be sent: "):
                    await client.run_async(steps()) if is_async else client.run(steps())
        for given in options.values():
            await given.aclose() if is_async else given.close()
    assert server.requests == []


def test_a_generator_that_is_given_up_is_closed() -> None:
    closed: list[bool] = []

    def steps() -> Steps[None]:
        try:
            yield Sleep(1)
        finally:
            closed.append(True)

    wrapped = with_headers(steps(), Hidden({"a": "b"}))
    next(wrapped)
    wrapped.close()
    assert closed == [True]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.anyio
async def test_a_generator_of_a_caller_has_them(is_async: bool) -> None:
    def steps() -> Steps[str]:
        health = yield Call(health_check.OPERATION, health_check.build_request())
        status: str = health.status
        return status

    fields: Hidden[Mapping[str, str]] = Hidden({"x-tenant": "one"})
    with OddServer(HEALTH) as server:
        async with Client(server.url) as client:
            if is_async:
                assert await client.run_async(steps(), headers=fields) == "healthy"
            else:
                assert client.run(steps(), headers=fields) == "healthy"
    assert server.headers()["x-tenant"] == "one"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-key": f"{SECRET}\n"},
        {"x key": SECRET},
        {"x-key": f"{SECRET}é"},
        {"x-key": f"{SECRET}é".encode("latin-1")},
        {"x-key": SECRET, "x-number": 5},
        {"x-key": SECRET, "Content-Length": "5"},
        {"x-key": SECRET, "transfer-encoding": "chunked"},
        5,
    ],
    ids=ascii,
)
@by_form
@pytest.mark.anyio
async def test_header_fields_that_cannot_be_sent(form: Form, headers: Any) -> None:
    async with Client("http://localhost:1", server_version="0.11.1") as client:
        with pytest.raises(InvalidRequest, match=r"^headers cannot be sent: .") as raised:
            await form("health.health_check", client=client, headers=headers)
    assert SECRET not in str(raised.value)
    check_frames(raised.value, SECRET)


@by_form
@by_endpoint
@pytest.mark.anyio
async def test_no_frame_shows_a_header_field(endpoint: str, form: Form) -> None:
    arguments = arguments_of(endpoint, form)
    async with Client("http://127.0.0.1:1", server_version="0.11.1") as client:
        with pytest.raises(StepflowError) as raised:
            await form(endpoint, client=client, headers={"x-key": SECRET}, **arguments)
    check_frames(raised.value, SECRET)


@contextmanager
def silent() -> Iterator[OddServer]:
    """Start a server that responds to nothing until the test ends."""
    ended = threading.Event()

    def wait(connection: socket.socket) -> None:
        ended.wait(30)

    with OddServer(wait) as server:
        try:
            yield server
        finally:
            ended.set()


@pytest.mark.parametrize("timeout", [1, httpx.Timeout(5, read=0.2)], ids=str)
@by_form
@pytest.mark.anyio
async def test_a_timeout_of_one_call(form: Form, timeout: Any) -> None:
    with silent() as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(RequestTimeout):
                await form("health.health_check", client=client, timeout=timeout)


@by_form
@pytest.mark.anyio
async def test_no_timeout_for_one_call(form: Form) -> None:
    with OddServer(HEALTH) as server:
        async with Client(server.url, timeout=1e-9, server_version="0.11.1") as client:
            with pytest.raises(StepflowError):
                await form("health.health_check", client=client)
            assert await form("health.health_check", client=client, timeout=None)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), True, "3", [1]], ids=str)
@by_form
@pytest.mark.anyio
async def test_what_is_no_timeout(form: Form, timeout: Any) -> None:
    async with Client("http://localhost:1", server_version="0.11.1") as client:
        with pytest.raises(InvalidRequest, match=r"^timeout is .*; pass seconds above 0"):
            await form("health.health_check", client=client, timeout=timeout)
