"""Opening and closing: a client closes what it opened, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from api.tests.support.connections import connections
from api.tests.support.exchange import Recorder
from api.tests.support.flows import SlowFlow
from api.tests.support.forms import ASYNCIO, ASYNCIO_DETAILED, FORMS, SYNC, SYNC_DETAILED, Form
from api.tests.support.odd_server import OddServer
from stepflow_api import AuthenticatedClient, Client
from stepflow_api.api.health import health_check
from stepflow_api.api.run import create_run, get_run
from stepflow_api.errors import InvalidRequest, UnexpectedStatus
from stepflow_api.lowlevel import Operation
from stepflow_api.models import CreateRunRequest
from tools.pytest.httpx_libraries import by_library, client_class
from tools.spec.server import StepflowServer

OK = {"status": "s", "timestamp": "t", "version": "v"}
BODY = json.dumps(OK).encode()

# Opens a connection for a stream, although it gets none.
EVENTS: Operation[Any, Any] = Operation("events", "GET", "/health", {})

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


class Answering:
    """Answers, and records whether it is closed."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.calls = 0
        self.closed = 0

    def handle_request(self, request: Any) -> Any:
        self.calls += 1
        return self.library.Response(200, json=OK)

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def transport_of(library: Any, *kinds: str) -> Any:
    """Makes a transport for the sync forms, the async ones, or both."""
    bases = [getattr(library, kind) for kind in kinds or ("BaseTransport", "AsyncBaseTransport")]
    return type("Transport", (Answering, *bases), {})(library)


@pytest.fixture
def warned() -> Any:
    """Fails when something is left open: what is collected unclosed warns."""
    # What earlier tests have left on purpose is no business of this one's.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_a_with_block_closes_what_it_opened(server: StepflowServer, warned: None) -> None:
    with Client(server.url) as client:
        assert connections(server) == 0
        health_check.sync(client=client)
        health_check.sync_detailed(client=client)
        assert connections(server) == 1
    assert connections(server) == 0


@pytest.mark.anyio
async def test_an_async_with_block_closes_what_it_opened(
    server: StepflowServer, warned: None
) -> None:
    async with Client(server.url) as client:
        await health_check.asyncio(client=client)
        await health_check.asyncio_detailed(client=client)
        assert connections(server) == 1
        # The sync forms have connections of their own.
        health_check.sync(client=client)
        assert connections(server) == 2
    assert connections(server) == 0


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_block_closes_the_connections_of_calls_and_of_streams(
    is_async: bool, server: StepflowServer, warned: None
) -> None:
    async def main() -> None:
        async with Client(server.url) as client:
            await health_check.asyncio(client=client)
            with pytest.raises(UnexpectedStatus):
                await client.open_async(EVENTS, EVENTS.request())
            assert connections(server) == 2
        assert connections(server) == 0

    if is_async:
        asyncio.run(main())
        return
    with Client(server.url) as client:
        health_check.sync(client=client)
        with pytest.raises(UnexpectedStatus):
            client.open(EVENTS, EVENTS.request())
        assert connections(server) == 2
    assert connections(server) == 0


def test_a_block_that_fails_closes_as_well(server: StepflowServer, warned: None) -> None:
    with pytest.raises(ZeroDivisionError), Client(server.url) as client:
        health_check.sync(client=client)
        raise ZeroDivisionError
    assert connections(server) == 0


@pytest.mark.anyio
async def test_an_async_block_that_fails_closes_as_well(
    server: StepflowServer, warned: None
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Client(server.url) as client:
            await health_check.asyncio(client=client)
            raise ZeroDivisionError
    assert connections(server) == 0


def test_a_client_that_was_never_used_has_nothing_to_close(warned: None) -> None:
    Client("http://localhost").close()
    with Client("http://localhost"):
        pass
    asyncio.run(Client("http://localhost").aclose())


@contextmanager
def collected() -> Iterator[list[str]]:
    """Yield what is warned of until everything is collected that the block leaves behind."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        messages: list[str] = []
        yield messages
        gc.collect()
    messages += [str(warning.message) for warning in caught]
    assert all(warning.category is ResourceWarning for warning in caught)


UNCLOSED = "unclosed {} of {}/api/v1; use it in a with block, or close it"


@pytest.mark.parametrize("cls", [Client, partial(AuthenticatedClient, token="t0k3n")], ids=str)
def test_a_client_that_was_not_closed_is_named(server: StepflowServer, cls: Any) -> None:
    name = getattr(cls, "func", cls).__name__
    with collected() as messages:
        health_check.sync(client=cls(server.url))
    assert messages == [UNCLOSED.format(name, server.url)]
    assert connections(server) == 0

    async def main() -> None:
        await health_check.asyncio(client=cls(server.url))
        gc.collect()
        # The loop closes sockets in its next round.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert connections(server) == 0

    with collected() as messages:
        asyncio.run(main())
    assert messages == [UNCLOSED.format(name, server.url)]


# Nobody looks at a connection of a thread before the next request.
@pytest.mark.parametrize(
    ("is_async", "is_told"),
    [(False, True), (True, True), (True, False)],
    ids=["sync, told", "async, told", "async, not told"],
)
def test_a_client_whose_server_has_closed_the_connections_has_left_nothing_open(
    is_async: bool, is_told: bool
) -> None:
    closed = threading.Event()

    def handle(connection: socket.socket) -> None:
        field = "connection: close" if is_told else "x: y"
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(BODY)}\r\n{field}\r\n\r\n"
        connection.sendall(head.encode() + BODY)
        connection.shutdown(socket.SHUT_WR)
        # It ends once the client has closed the connection in its turn.
        connection.recv(1)
        closed.set()

    async def main() -> None:
        client = Client(server.url, server_version="0.11.1")
        await health_check.asyncio(client=client)
        assert await asyncio.to_thread(closed.wait, 30)
        del client
        gc.collect()

    with OddServer(handle) as server, collected() as messages:
        if is_async:
            asyncio.run(main())
        else:
            health_check.sync(client=Client(server.url, server_version="0.11.1"))
    assert messages == []


def test_a_client_behind_a_proxy_that_was_not_closed_is_named(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    with collected() as messages:
        health_check.sync(client=Client("http://stepflow.invalid"))
    assert messages == [UNCLOSED.format("Client", "http://stepflow.invalid")]


def test_a_client_whose_loop_has_ended_is_named(server: StepflowServer) -> None:
    with collected() as messages:
        client = Client(server.url)
        asyncio.run(health_check.asyncio(client=client))
        del client
    assert messages[0] == UNCLOSED.format("Client", server.url)


def test_closing_twice_does_no_harm(server: StepflowServer, warned: None) -> None:
    client = Client(server.url)
    health_check.sync(client=client)
    client.close()
    client.close()
    asyncio.run(client.aclose())
    asyncio.run(client.aclose())


@pytest.mark.anyio
@by_form
@pytest.mark.parametrize("way", ["close", "aclose", "with", "async with"])
async def test_a_closed_client_says_so(way: str, form: Form, server: StepflowServer) -> None:
    client = Client(server.url)
    await form("health.health_check", client=client)
    if way == "close":
        client.close()
        await client.aclose()
    elif way == "aclose":
        await client.aclose()
    elif way == "with":
        with client:
            pass
        await client.aclose()
    else:
        async with client:
            pass
    recorder = Recorder(client)
    with pytest.raises(InvalidRequest, match="this client is closed; create another"):
        await form("health.health_check", client=client)
    assert recorder.answers == []


@pytest.mark.anyio
@by_form
@by_library
async def test_a_transport_that_was_handed_in_stays_open(library: Any, form: Form) -> None:
    transport = transport_of(library)
    for _ in range(2):
        async with Client("http://server", transport=transport) as client:
            await form("health.health_check", client=client)
        client = Client("http://server", transport=transport)
        with client:
            await form("health.health_check", client=client)
        await client.aclose()
    assert (transport.calls, transport.closed) == (4, 0)


@by_library
def test_an_http_client_that_was_handed_in_stays_open(
    library: Any, server: StepflowServer, warned: None
) -> None:
    with library.Client(headers={"x-own": "1"}) as http:
        for _ in range(2):
            with Client(server.url, http_client=http) as client:
                health_check.sync(client=client)
            assert not http.is_closed
            assert connections(server) == 1
        assert http.get(f"{server.url}/api/v1/health").status_code == 200
    assert connections(server) == 0


@by_library
@pytest.mark.anyio
async def test_an_async_http_client_that_was_handed_in_stays_open(
    library: Any, server: StepflowServer, warned: None
) -> None:
    async with library.AsyncClient() as http:
        for _ in range(2):
            async with Client(server.url, http_client=http) as client:
                await health_check.asyncio(client=client)
            assert not http.is_closed
            assert connections(server) == 1
        assert (await http.get(f"{server.url}/api/v1/health")).status_code == 200
    assert connections(server) == 0


async def _wrong(form: Form, client: Client) -> str:
    with pytest.raises(InvalidRequest) as raised:
        await form("health.health_check", client=client)
    return str(raised.value)


@pytest.mark.anyio
@pytest.mark.parametrize("form", [SYNC, SYNC_DETAILED], ids=lambda form: form.name)
@by_library
async def test_what_is_for_the_async_forms_alone(library: Any, form: Form) -> None:
    async with library.AsyncClient() as http:
        assert await _wrong(form, Client("http://server", http_client=http)) == (
            f"this client has an {library.__name__}.AsyncClient; use asyncio(...) forms"
        )
    assert await _wrong(
        form, Client("http://server", transport=transport_of(library, "AsyncBaseTransport"))
    ) == ("this client has an async transport; use asyncio(...) forms")


@pytest.mark.anyio
@pytest.mark.parametrize("form", [ASYNCIO, ASYNCIO_DETAILED], ids=lambda form: form.name)
@by_library
async def test_what_is_for_the_sync_forms_alone(library: Any, form: Form) -> None:
    with library.Client() as http:
        assert await _wrong(form, Client("http://server", http_client=http)) == (
            f"this client has an {library.__name__}.Client; use sync(...) forms"
        )
    assert await _wrong(
        form, Client("http://server", transport=transport_of(library, "BaseTransport"))
    ) == ("this client has a sync transport; use sync(...) forms")


@pytest.mark.anyio
@by_form
@by_library
async def test_an_http_client_that_is_closed(library: Any, form: Form) -> None:
    message = "the http_client of this client is closed; create both again"
    http = client_class(library, is_async=form.is_async)()
    client = Client("http://server", http_client=http)
    await http.aclose() if form.is_async else http.close()
    assert await _wrong(form, client) == message


@pytest.fixture
def garbage() -> Iterator[None]:
    """Collect what a test leaves behind, so that no later test is warned of it."""
    yield
    gc.collect()


def in_loops(count: int, call: Callable[[], Any]) -> list[Any]:
    """Makes a call in one event loop after the other."""
    with warnings.catch_warnings():
        # A loop that ends takes its connections along without closing them.
        warnings.simplefilter("ignore", ResourceWarning)
        results = [asyncio.run(call()) for _ in range(count)]
        gc.collect()
    return results


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_client_in_one_event_loop_after_the_other(server: StepflowServer) -> None:
    client = Client(server.url)
    answers = in_loops(3, lambda: health_check.asyncio(client=client))
    assert [answer.status for answer in answers] == ["healthy"] * 3
    assert health_check.sync(client=client).status == "healthy"
    client.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@by_library
def test_one_transport_in_one_event_loop_after_the_other(library: Any) -> None:
    transport = transport_of(library)
    client = Client("http://server", transport=transport)
    answers = in_loops(3, lambda: health_check.asyncio(client=client))
    assert [answer.status for answer in answers] == ["s"] * 3


@pytest.mark.usefixtures("garbage")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_stream", [False, True], ids=["call", "stream"])
@pytest.mark.parametrize("kind", ["http_client", "transport"])
@by_library
def test_connections_of_a_loop_that_has_ended(
    library: Any, kind: str, is_stream: bool, server: StepflowServer
) -> None:
    classes = {"http_client": library.AsyncClient, "transport": library.AsyncHTTPTransport}
    given = classes[kind]()
    client = Client(server.url, **{kind: given})

    in_loops(1, lambda: health_check.asyncio(client=client))
    with pytest.raises(InvalidRequest) as raised:
        if is_stream:
            in_loops(1, lambda: client.open_async(EVENTS, EVENTS.request()))
        in_loops(1, lambda: health_check.asyncio(client=client))
    assert str(raised.value) == (
        "the http_client or transport of this client has connections of an event loop that is"
        " closed; create both in each loop"
    )


@pytest.mark.parametrize("form", [SYNC, ASYNCIO], ids=lambda form: form.name)
@by_library
@pytest.mark.anyio
async def test_another_error_of_a_transport_is_raised_as_it_is(library: Any, form: Form) -> None:
    def fail(request: Any) -> Any:
        raise RuntimeError("its own")

    client = Client("http://server", transport=library.MockTransport(fail))
    with pytest.raises(RuntimeError, match=r"^its own$"):
        await form("health.health_check", client=client)
    with pytest.raises(RuntimeError, match=r"^its own$"):
        if form.is_async:
            await client.open_async(EVENTS, EVENTS.request())
        client.open(EVENTS, EVENTS.request())


@pytest.mark.parametrize("kind", ["own", "http_client", "transport"])
@by_library
def test_one_client_in_two_event_loops_at_once(
    library: Any, kind: str, server: StepflowServer, slow: SlowFlow
) -> None:
    run_id = slow.start()

    async def here() -> None:
        given: dict[str, Any] = {}
        if kind == "http_client":
            given["http_client"] = library.AsyncClient()
        elif kind == "transport":
            given["transport"] = library.AsyncHTTPTransport()
        client = Client(server.url, **given)
        recorder = Recorder(client)
        waiting = asyncio.create_task(get_run.asyncio(run_id, client=client, wait=True))
        while not recorder.requests:
            await asyncio.sleep(0)
        messages: list[str] = []

        async def there() -> None:
            with pytest.raises(InvalidRequest) as raised:
                await health_check.asyncio(client=client)
            messages.append(str(raised.value))

        await asyncio.to_thread(lambda: asyncio.run(there()))
        assert messages == [
            "this client is in use by another event loop; create one Client for each loop"
        ]
        await asyncio.to_thread(slow.end)
        assert (await waiting).status == "completed"
        await client.aclose()
        for one in given.values():
            await one.aclose()

    asyncio.run(here())


def test_two_loops_that_start_at_once_do_not_share_a_client(server: StepflowServer) -> None:
    for _ in range(20):
        client = Client(server.url)
        barrier = threading.Barrier(4)
        used = threading.Barrier(4)
        outcomes: list[str] = []

        async def call(
            client: Client = client,
            barrier: threading.Barrier = barrier,
            used: threading.Barrier = used,
            outcomes: list[str] = outcomes,
        ) -> None:
            barrier.wait(30)
            try:
                outcomes.append((await health_check.asyncio(client=client)).status)
            except InvalidRequest:
                outcomes.append("refused")
            # The loop that came first stays until the others have tried.
            used.wait(30)
            await client.aclose()

        threads = [threading.Thread(target=lambda c=call: asyncio.run(c())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["healthy", "refused", "refused", "refused"]


@pytest.fixture(params=[False, True], ids=["own", "through a proxy"])
def url(
    request: pytest.FixtureRequest, server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A URL of the server, which serves as a proxy as well."""
    if not request.param:
        return server.url
    monkeypatch.setenv("http_proxy", server.url)
    return "http://stepflow.example"


@pytest.mark.usefixtures("garbage")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_client_is_closed_in_another_loop_than_that_of_its_calls(url: str) -> None:
    client = Client(url)
    in_loops(1, lambda: health_check.asyncio(client=client))
    in_loops(1, client.aclose)
    with pytest.raises(InvalidRequest, match="this client is closed"):
        health_check.sync(client=client)


@pytest.mark.anyio
async def test_closing_lets_a_request_of_another_task_end(
    url: str, server: StepflowServer, slow: SlowFlow, warned: None
) -> None:
    body = CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    before = connections(server)
    client = Client(url)
    waiting = asyncio.create_task(create_run.asyncio(client=client, body=body))
    await asyncio.to_thread(slow.wait_for_run)
    await client.aclose()
    with pytest.raises(InvalidRequest, match="this client is closed"):
        await health_check.asyncio(client=client)
    await asyncio.to_thread(slow.end)
    assert (await waiting).status == "completed"
    assert connections(server) == before


@pytest.mark.anyio
async def test_closing_after_a_request_was_cancelled(
    url: str, server: StepflowServer, slow: SlowFlow, warned: None
) -> None:
    body = CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    async with Client(url) as client:
        waiting = asyncio.create_task(create_run.asyncio(client=client, body=body))
        await asyncio.to_thread(slow.wait_for_run)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_closing_lets_a_request_of_another_thread_end(
    url: str, server: StepflowServer, slow: SlowFlow, warned: None
) -> None:
    body = CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    before = connections(server)
    client = Client(url)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(create_run.sync, client=client, body=body)
        slow.wait_for_run()
        client.close()
        slow.end()
        assert waiting.result().status == "completed"
    assert connections(server) == before


def test_no_port_is_left_taken(server: StepflowServer) -> None:
    clients = [Client(server.url) for _ in range(5)]
    for client in clients:
        health_check.sync(client=client)
    assert connections(server) == 5
    for client in clients:
        client.close()
    assert connections(server) == 0
    with socket.create_connection(("127.0.0.1", server.port)):
        assert connections(server) == 1
