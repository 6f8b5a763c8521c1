"""A token that a function returns: when it is called, and that nothing shows what it returns."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from api.tests.support.forks import Forked
from api.tests.support.forms import FORMS, PLAIN, Form
from api.tests.support.odd_server import OddServer, answer
from stepflow_api import AuthenticatedClient
from stepflow_api.api.health import health_check
from stepflow_api.errors import (
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    StepflowError,
    Unauthorized,
)
from stepflow_api.lowlevel import Operation
from stepflow_api.models import CreateRunRequest
from tools.pytest.support import check_frames

HEALTH = answer('{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}')
REFUSAL = answer('{"code":401,"message":"who are you?"}', status="401 Unauthorized")
SECRET = "t0k3n-s3cr3t"

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
by_plain_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Tokens:
    """Returns one token after another, as a function or a coroutine function."""

    def __init__(self, *tokens: Any) -> None:
        self.tokens = tokens
        self.calls = 0

    def __call__(self) -> Any:
        self.calls += 1
        token = self.tokens[min(self.calls, len(self.tokens)) - 1]
        if isinstance(token, Exception):
            raise token
        return token

    async def asynchronous(self) -> Any:
        await asyncio.sleep(0.01)
        return self()

    def functions(self, form: Form) -> Iterator[Callable[[], Any]]:
        """Yield what a client may be given for this form of call."""
        yield self
        if form.is_async:
            yield self.asynchronous


@contextmanager
def server_that_accepts(*tokens: str) -> Iterator[OddServer]:
    """Start a server that responds with 401 to other tokens."""

    def handle(connection: socket.socket) -> None:
        known = server.headers().get("authorization") in [f"Bearer {token}" for token in tokens]
        (HEALTH if known else REFUSAL)(connection)

    with OddServer(handle) as server:
        yield server


def sent(server: OddServer) -> list[str | None]:
    """Return the token of each request."""
    return [server.headers(index).get("authorization") for index in range(len(server.requests))]


@by_form
@pytest.mark.anyio
async def test_it_is_called_once_for_many_requests(form: Form) -> None:
    for index in range(2 if form.is_async else 1):
        tokens = Tokens("a", "b")
        function = list(tokens.functions(form))[index]
        with server_that_accepts("a") as server:
            # The request for the version has the token as well.
            async with AuthenticatedClient(server.url, function) as client:
                assert tokens.calls == 0
                for _ in range(3):
                    await form("health.health_check", client=client)
        assert tokens.calls == 1
        assert sent(server) == ["Bearer a"] * 3


@by_form
@pytest.mark.anyio
async def test_it_is_called_again_after_a_refusal(form: Form) -> None:
    tokens = Tokens("old", "new")
    with server_that_accepts("new") as server:
        async with AuthenticatedClient(server.url, tokens, server_version="0.11.1") as client:
            for _ in range(2):
                await form("health.health_check", client=client)
    assert tokens.calls == 2
    assert sent(server) == ["Bearer old", "Bearer new", "Bearer new"]


@by_plain_form
@pytest.mark.anyio
async def test_it_is_not_called_again_where_it_would_not_help(form: Form) -> None:
    tokens = Tokens("first", "second")
    forbidden = answer('{"code":403,"message":"not you"}', status="403 Forbidden")
    with OddServer(forbidden) as server:
        async with AuthenticatedClient(server.url, tokens, server_version="0.11.1") as client:
            with pytest.raises(Forbidden, match="not you"):
                await form("health.health_check", client=client)
    assert sent(server) == ["Bearer first"]


@by_plain_form
@pytest.mark.anyio
async def test_it_may_raise_what_ends_a_generator(form: Form) -> None:
    with server_that_accepts("a") as server:
        async with AuthenticatedClient(server.url, iter(["b"]).__next__) as client:
            # Python's own words for coroutines.
            who = "coroutine" if form.is_async else "a function that was passed to the client"
            with pytest.raises(RuntimeError, match=f"^{who} raised StopIteration"):
                await form("health.health_check", client=client)


@by_form
@pytest.mark.anyio
async def test_a_second_refusal_is_the_result(form: Form) -> None:
    tokens = Tokens("first", "second", "third", "third")
    with server_that_accepts() as server:
        async with AuthenticatedClient(server.url, tokens, server_version="0.11.1") as client:
            for calls in (2, 3):
                if form.is_detailed:
                    response = await form("health.health_check", client=client)
                    assert response.status_code == 401
                else:
                    with pytest.raises(Unauthorized, match="who are you"):
                        await form("health.health_check", client=client)
                assert tokens.calls == calls
            # The same token again would be refused again.
            with pytest.raises(Unauthorized):
                await health_check.asyncio(client=client)
    assert sent(server) == [
        f"Bearer {name}" for name in ("first", "second", "second", "third", "third")
    ]


@by_plain_form
@pytest.mark.anyio
async def test_a_request_with_a_body_is_sent_again(form: Form) -> None:
    with server_that_accepts() as server:
        tokens = Tokens("old", "new")
        async with AuthenticatedClient(server.url, tokens, server_version="0.11.1") as client:
            body = CreateRunRequest(flow_id="f", input=1)
            with pytest.raises(Unauthorized):
                await form("run.create_run", client=client, body=body)
    assert len(server.requests) == 2
    assert server.requests[0][1] == server.requests[1][1] != b""


EVENTS: Operation[None, None] = Operation(id="events", method="GET", path="/events", answers={})


@by_plain_form
@pytest.mark.anyio
async def test_a_stream_of_events(form: Form) -> None:
    data = b'data: {"sequenceNumber":0,"timestamp":"t","event":{"Odd":{}}}\n\n'
    events = answer(data, content_type="text/event-stream")

    def handle(connection: socket.socket) -> None:
        (events if server.headers()["authorization"] == "Bearer new" else REFUSAL)(connection)

    with OddServer(handle) as server:
        tokens = Tokens("old", "new")
        async with AuthenticatedClient(server.url, tokens) as client:
            if form.is_async:
                stream = await client.open_async(EVENTS, EVENTS.request(), timeout=None)
                assert await stream.read(30)
                await stream.close()
            else:
                sync_stream = client.open(EVENTS, EVENTS.request(), timeout=None)
                assert sync_stream.read(30)
                sync_stream.close()
    assert sent(server) == ["Bearer old", "Bearer new"]


def test_the_events_of_another_api_keep_their_form() -> None:
    other: Operation[None, None] = Operation("feed", "GET", "/feed", {}, event=bytes.decode)
    with (
        OddServer(answer(b"data: one\n\n", content_type="text/event-stream")) as server,
        AuthenticatedClient(server.url, Tokens("new")) as client,
    ):
        stream = client.open(other, other.request(), timeout=None)
        assert [*stream] == ["one"]
        stream.close()


def test_threads_ask_once() -> None:
    tokens = Tokens("old", "new")
    with (
        server_that_accepts("new") as server,
        ThreadPoolExecutor(8) as threads,
        AuthenticatedClient(server.url, tokens, server_version="0.11.1") as client,
    ):
        calls = [threads.submit(health_check.sync, client=client) for _ in range(40)]
        assert {call.result().status for call in calls} == {"healthy"}
    assert tokens.calls == 2


@pytest.mark.anyio
async def test_tasks_ask_once() -> None:
    tokens = Tokens("old", "new")
    with server_that_accepts("new") as server:
        async with AuthenticatedClient(
            server.url, tokens.asynchronous, server_version="0.11.1"
        ) as client:
            calls = [health_check.asyncio(client=client) for _ in range(40)]
            assert {health.status for health in await asyncio.gather(*calls)} == {"healthy"}
    assert tokens.calls == 2


def test_another_callers_error_is_its_own() -> None:
    entered, proceed = threading.Event(), threading.Event()

    def function() -> str:
        if not entered.is_set():
            entered.set()
            proceed.wait(30)
            raise LookupError("no token yet")
        return "a"

    with (
        server_that_accepts("a") as server,
        ThreadPoolExecutor(2) as threads,
        AuthenticatedClient(server.url, function, server_version="0.11.1") as client,
    ):
        first = threads.submit(health_check.sync, client=client)
        assert entered.wait(30)
        second = threads.submit(health_check.sync, client=client)
        proceed.set()
        with pytest.raises(LookupError, match="no token yet"):
            first.result()
        assert second.result().status == "healthy"


def test_a_forked_child_has_the_token() -> None:
    tokens = Tokens("a", "b")
    with server_that_accepts("a") as server, AuthenticatedClient(server.url, tokens) as client:

        def ask() -> str:
            return health_check.sync(client=client).status

        assert ask() == "healthy"
        assert Forked(ask).result() == "healthy"


def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent() -> None:
    entered, proceed = threading.Event(), threading.Event()

    def function() -> str:
        if not entered.is_set():
            entered.set()
            proceed.wait(60)
        return "a"

    with (
        server_that_accepts("a") as server,
        ThreadPoolExecutor(1) as threads,
        AuthenticatedClient(server.url, function, server_version="0.11.1") as client,
    ):
        first = threads.submit(health_check.sync, client=client)
        try:
            assert entered.wait(30)
            child = Forked(lambda: health_check.sync(client=client).status)
            assert child.result() == "healthy"
        finally:
            proceed.set()
        assert first.result().status == "healthy"


@by_form
@pytest.mark.anyio
async def test_a_call_with_a_token_of_its_own(form: Form) -> None:
    tokens = Tokens("a")
    with server_that_accepts("own") as server:
        async with AuthenticatedClient(server.url, tokens, server_version="0.11.1") as client:
            await form(
                "health.health_check", client=client, headers={"Authorization": "Bearer own"}
            )
    assert (tokens.calls, sent(server)) == (0, ["Bearer own"])


@pytest.mark.anyio
async def test_the_header_field_and_the_prefix() -> None:
    with OddServer(HEALTH) as server:
        async with AuthenticatedClient(
            server.url.replace("//", "//user:pass@"),
            Tokens("a"),
            prefix="",
            auth_header_name="X-Key",
            headers={"x-key": "other"},
        ) as client:
            await health_check.asyncio(client=client)
    assert server.headers()["x-key"] == "a"
    assert server.headers()["authorization"].startswith("Basic ")
    with pytest.raises(InvalidRequest, match="is no header name"):
        AuthenticatedClient("http://localhost", Tokens("a"), auth_header_name="X Key")


@pytest.mark.parametrize("token", ["", f"{SECRET}\n", f"{SECRET}é", None, 5], ids=ascii)
@by_plain_form
@pytest.mark.anyio
async def test_what_is_no_token(form: Form, token: Any) -> None:
    tokens = Tokens(token)
    for function in tokens.functions(form):
        async with AuthenticatedClient("http://localhost:1", function) as client:
            with pytest.raises(InvalidRequest, match=r"^the token cannot be sent: ") as raised:
                await form("health.health_check", client=client)
        check_frames(raised.value, SECRET)


@by_form
@pytest.mark.anyio
async def test_a_function_without_another_token(form: Form) -> None:
    tokens = iter(())
    async with AuthenticatedClient("http://127.0.0.1:1", lambda: next(tokens)) as client:
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            await form("run.list_runs", client=client)


class Promise:
    """An awaitable object that is not a coroutine."""

    def __await__(self) -> Generator[None, None, str]:
        yield from asyncio.sleep(0).__await__()
        return "a"


@pytest.mark.anyio
async def test_what_is_awaited_may_be_no_coroutine() -> None:
    with server_that_accepts("a") as server:
        async with AuthenticatedClient(server.url, Promise) as client:
            assert (await health_check.asyncio(client=client)).status == "healthy"


@pytest.mark.parametrize("function", [Tokens("a").asynchronous, Promise])
def test_a_coroutine_function_is_for_async_calls(function: Any) -> None:
    with (
        AuthenticatedClient("http://localhost:1", function) as client,
        pytest.raises(InvalidRequest, match="the token's function is asynchronous"),
    ):
        health_check.sync(client=client)


@pytest.mark.parametrize("way", ["own", "http_client"])
@by_form
@pytest.mark.anyio
async def test_no_frame_and_no_repr_shows_it(form: Form, way: str) -> None:
    given: dict[str, Any] = {}
    if way == "http_client":
        given["http_client"] = httpx.AsyncClient() if form.is_async else httpx.Client()
    function = partial("{}".format, SECRET)
    async with AuthenticatedClient("http://127.0.0.1:1", function, **given) as client:
        for _ in range(2):
            with pytest.raises(ConnectionFailed) as raised:
                await form("health.health_check", client=client)
            check_frames(raised.value, SECRET)
            error: StepflowError = raised.value
            assert SECRET not in f"{error} {error!r} {vars(error)} {client!r}"
    for http in given.values():
        await http.aclose() if form.is_async else http.close()
