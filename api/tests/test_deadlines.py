"""A timeout bounds a whole call, whatever the server sends, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.request import getproxies

import httpx
import pytest

from api.tests.support.odd_server import CERTIFICATE, Handler, OddServer, answer
from api.tests.support.versions import ID, NEW, SUMMARY
from api.tests.support.ways import WAYS, Way
from stepflow_api import Client
from stepflow_api._messages import Request
from stepflow_api._operation import Operation
from stepflow_api._transport.timeouts import Timeouts, limited, timeouts
from stepflow_api.api.blob import store_blob_bytes
from stepflow_api.api.health import health_check
from stepflow_api.api.run import cancel_run
from stepflow_api.errors import (
    ConnectionFailed,
    InvalidRequest,
    RequestTimeout,
    StepflowError,
    TransportError,
)
from stepflow_api.lowlevel import Call, Steps
from stepflow_api.types import UNSET
from tools.pytest.httpx_libraries import LIBRARIES, by_library, client_class

HEALTH = '{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}'
EVENTS: Operation[Any, Any] = Operation("events", "GET", "/runs/{run_id}/events", {})

# Seconds; a call that is not bounded lasts until the server times out. A machine that stalls for
# half as long makes a failed connection of it.
TIMEOUT = 1.0
ENOUGH = 30.0
PACE = 0.005

OVERDUE = (
    "no complete response within the timeout; the server may still be working on it (raise"
    " Client(timeout=...))"
)

by_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
by_plain_way = pytest.mark.parametrize(
    "way", [way for way in WAYS if not way.tls], ids=lambda way: way.name
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in getproxies():
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def _single_bytes(text: bytes) -> Iterator[bytes]:
    return (bytes([byte]) for byte in text)


def _head(*fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode()


# What a server sends at a slow pace, and never ends.
DRIPS: dict[str, Callable[[], Iterable[bytes]]] = {
    "nothing": lambda: iter(()),
    "a beginning": lambda: _single_bytes(b"HTTP/1.1 200"),
    "head": lambda: _single_bytes(_head(*(f"x-{number}: a" for number in range(10_000)))),
    "100 Continue": lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": lambda: itertools.chain([_head("content-length: 100000")], itertools.repeat(b" ")),
    "chunks": lambda: itertools.chain(
        [_head("transfer-encoding: chunked")], itertools.repeat(b"1\r\n \r\n")
    ),
}


class Dripping:
    """Handler that sends pieces at a slow pace; requests after the first get a response.

    Attributes:
        is_closed: Set when the client has closed the first connection.
    """

    def __init__(self, pieces: Iterable[bytes], body: str = HEALTH) -> None:
        self.is_closed = threading.Event()
        self._pieces: Iterable[bytes] | None = pieces
        self._answer = answer(body)

    def __call__(self, connection: socket.socket) -> None:
        pieces, self._pieces = self._pieces, None
        if pieces is None:
            self._answer(connection)
            return
        try:
            for piece in pieces:
                connection.sendall(piece)
                self.is_closed.wait(PACE)
            while connection.recv(65536):
                pass
        except OSError:
            pass
        self.is_closed.set()


@contextlib.contextmanager
def calling(
    way: Way,
    handle: Handler,
    monkeypatch: pytest.MonkeyPatch,
    timeout: Any,
    server_version: str | None = "0.11.1",
    **options: Any,
) -> Iterator[tuple[OddServer, Callable[..., Any]]]:
    """Start a server and yield it, and a function that calls an endpoint there."""
    with OddServer(handle, tls=way.tls, **options) as server, ExitStack() as opened:
        url = server.url
        if way.proxy:
            monkeypatch.setenv("http_proxy", url)
            url = "http://stepflow.example"
        given = way.options(ssl.create_default_context(cafile=CERTIFICATE))
        client = Client(url, timeout=timeout, server_version=server_version, **given)
        runner = opened.enter_context(asyncio.Runner())

        def call(endpoint: Any, *arguments: Any) -> Any:
            if not way.is_async:
                return endpoint.sync(*arguments, client=client)

            async def ask() -> Any:
                try:
                    return await endpoint.asyncio(*arguments, client=client)
                finally:
                    assert len(asyncio.all_tasks()) == 1

            return runner.run(ask())

        yield server, call
        runner.run(client.aclose())
        for one in given.values():
            if hasattr(one, "aclose"):
                runner.run(one.aclose())
            else:
                one.close()


class Clock:
    """The module `time` as the transport sees it, ahead of the real one.

    Attributes:
        elapsed: How far it is ahead, in seconds.
    """

    get_clock_info = staticmethod(time.get_clock_info)

    def __init__(self) -> None:
        self.elapsed = 0.0

    def monotonic(self) -> float:
        """Return the time, in seconds."""
        return time.monotonic() + self.elapsed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The transport's clock, to set ahead."""
    clock = Clock()
    monkeypatch.setattr("stepflow_api._transport.timeouts.time", clock)
    return clock


def _late(
    call: Callable[[], object], expected: type[TransportError] = RequestTimeout
) -> TransportError:
    """Make a call that must fail in time, and return its error, of the expected type."""
    while True:
        start = time.monotonic()
        with pytest.raises(TransportError) as raised:
            call()
        assert time.monotonic() - start < ENOUGH / 2
        if type(raised.value) is expected:
            return raised.value
        # A machine may pause a call for all its time before it is connected: again, then.
        assert "no connection within the connect timeout" in str(raised.value)


@pytest.mark.parametrize(
    ("drip", "way"),
    [(drip, way) for way in WAYS for drip in DRIPS if not way.tls or drip == "100 Continue"],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_timeout_bounds_the_whole_call(
    drip: str, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = Dripping(DRIPS[drip]())
    with calling(way, handle, monkeypatch, TIMEOUT) as (server, call):
        error = _late(lambda: call(health_check))
        # Without a byte, both timeouts end at once; httpx does not say which one has ended.
        if "own" in way.name or drip not in ("nothing", "a beginning"):
            assert error.message == OVERDUE
        # Neither used again nor left open.
        assert handle.is_closed.wait(ENOUGH)
        with calling(way, answer(HEALTH), monkeypatch, ENOUGH) as (_, other):
            assert other(health_check).status == "healthy"
        assert len(server.requests) == 1


@by_plain_way
@by_library
def test_timeouts_of_httpx_bound_the_whole_by_their_sum(
    library: Any, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = Dripping(DRIPS["100 Continue"]())
    with calling(way, handle, monkeypatch, library.Timeout(TIMEOUT / 2)) as (_, call):
        _late(lambda: call(health_check))


@by_plain_way
def test_timeouts_of_httpx_are_those_of_each_exchange(
    way: Way, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Detection, the run's status and its cancellation take less each, and more together."""
    run = json.dumps({"summary": SUMMARY})
    responses = iter([json.dumps(NEW), run, run])

    def handle(connection: socket.socket) -> None:
        clock.elapsed += 2.5 * ENOUGH
        answer(next(responses))(connection)

    timeout = httpx.Timeout(ENOUGH)
    with calling(way, handle, monkeypatch, timeout, server_version=None) as (_, call):
        assert call(cancel_run, ID).status == "running"


@by_plain_way
def test_the_bytes_of_a_large_answer_prolong_the_whole(
    way: Way, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    size = 16 * 1024 * 1024

    def handle(connection: socket.socket) -> None:
        connection.sendall(_head(f"Content-Length: {size}", "Content-Type: application/json"))
        connection.sendall(HEALTH.encode())
        for start in range(len(HEALTH), size, 65536):
            piece = b" " * min(65536, size - start)
            connection.sendall(piece)
            # 100 kB/s: longer than the sum of the timeouts, and faster than the slowest link.
            clock.elapsed += len(piece) / 100_000

    with calling(way, handle, monkeypatch, httpx.Timeout(ENOUGH)) as (_, call):
        assert call(health_check).status == "healthy"
    assert clock.elapsed > 4 * ENOUGH


@by_plain_way
def test_the_bytes_of_a_large_request_prolong_the_whole(
    way: Way, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    size = 16 * 1024 * 1024

    def handle(connection: socket.socket) -> None:
        # The server has read some of it with the head.
        left = size - 65536
        while left > 0 and (piece := connection.recv(65536)):
            left -= len(piece)
            # 12 kB/s, faster than the slowest link: what the system takes at once, without a wait,
            # is already longer than the sum of the timeouts.
            clock.elapsed += len(piece) / 12_000
        answer('{"blobId":"x"}')(connection)
        while connection.recv(65536):
            pass

    with calling(way, handle, monkeypatch, httpx.Timeout(ENOUGH), reads_bodies=False) as (_, call):
        assert call(store_blob_bytes, bytes(size)).blob_id == "x"
    assert clock.elapsed > 4 * ENOUGH


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@by_library
def test_the_bytes_of_an_answer_of_any_transport_prolong_the_whole(
    library: Any, is_async: bool, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda loop: clock.monotonic())

    class Slow(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            # 20 kB/s: longer than the sum of the timeouts, and faster than the slowest link.
            for piece in (HEALTH.encode(), *[b" " * 400_000] * 10):
                clock.elapsed += 20
                yield piece

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in self:
                # A timeout that is exceeded ends the wait here.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                yield piece

    transport = library.MockTransport(lambda request: library.Response(200, stream=Slow()))
    timeout = httpx.Timeout(ENOUGH)
    client = Client("http://server", timeout=timeout, transport=transport, server_version="0.11.1")
    if is_async:
        found = asyncio.run(health_check.asyncio(client=client))
    else:
        found = health_check.sync(client=client)
    assert found.status == "healthy"
    assert clock.elapsed > 4 * ENOUGH


@pytest.mark.parametrize("count", [0, 3])
@by_library
def test_an_answer_that_is_overdue_is_not_read_on(library: Any, count: int, clock: Clock) -> None:
    """Only connections of httpx itself can be shut down, and then look like a body's end."""

    class Late(library.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            clock.elapsed += 2 * ENOUGH
            for _ in range(count):
                yield b" "
            assert not count, "the body is read on"

    transport = library.MockTransport(lambda request: library.Response(200, stream=Late()))
    options: dict[str, Any] = {"transport": transport, "server_version": "0.11.1"}
    with (
        Client("http://server", timeout=ENOUGH, **options) as client,
        pytest.raises(RequestTimeout, match="no complete response within the timeout"),
    ):
        health_check.sync(client=client)


@pytest.mark.parametrize(
    ("is_sent", "name", "expected"),
    [
        (False, "ConnectError", ConnectionFailed),
        (True, "ReadError", RequestTimeout),
        (True, "RemoteProtocolError", RequestTimeout),
        (True, "UnsupportedProtocol", InvalidRequest),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True], ids=["call", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@by_library
def test_what_is_overdue_may_have_reached_the_server_only_if_it_was_sent(
    library: Any,
    is_async: bool,
    is_stream: bool,
    is_sent: bool,
    name: str,
    expected: type[StepflowError],
    clock: Clock,
) -> None:
    def fail() -> None:
        # What a connection raises that was shut down.
        clock.elapsed += 2 * ENOUGH
        raise getattr(library, name)("cut")

    class Cut(library.BaseTransport, library.AsyncBaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            if is_sent:
                list(request.stream)
            fail()

        async def handle_async_request(self, request: Any) -> Any:
            if is_sent:
                [piece async for piece in request.stream]
            fail()

    options: dict[str, Any] = {"transport": Cut(), "server_version": "0.11.1"}
    client = Client("http://server", timeout=ENOUGH, **options)
    operation, request = (EVENTS, EVENTS.request(path={"run_id": "1"}))
    if not is_stream:
        operation, request = health_check.OPERATION, health_check.build_request()
    with pytest.raises(expected) as raised:
        if is_async:
            send: Any = client.open_async if is_stream else client.call_async
            asyncio.run(send(operation, request))
        (client.open if is_stream else client.call)(operation, request)
    assert type(raised.value) is expected
    if expected is RequestTimeout:
        assert str(raised.value).endswith(OVERDUE)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_stream_that_does_not_begin(is_async: bool) -> None:
    handle = Dripping(DRIPS["head"]())
    request = EVENTS.request(path={"run_id": "1"})
    with OddServer(handle) as server:

        def watch() -> None:
            with Client(server.url, timeout=TIMEOUT, server_version="0.11.1") as client:
                client.open(EVENTS, request)

        async def watch_async() -> None:
            async with Client(server.url, timeout=TIMEOUT, server_version="0.11.1") as client:
                await client.open_async(EVENTS, request)

        error = _late(lambda: asyncio.run(watch_async()) if is_async else watch())
        assert handle.is_closed.wait(ENOUGH)
    assert str(error).endswith(OVERDUE)


def test_waiting_for_a_free_connection_takes_nothing_of_the_exchange(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr("stepflow_api._transport.async_connections.CONNECTIONS", 1)
    arrived, queued = threading.Event(), threading.Event()

    def handle(connection: socket.socket) -> None:
        arrived.set()
        if not queued.is_set():
            assert queued.wait(ENOUGH)
            clock.elapsed = 5 * ENOUGH
        fields = ("Connection: close", "Content-Type: application/json")
        connection.sendall(_head(*fields, f"Content-Length: {len(HEALTH)}") + HEALTH.encode())

    async def ask(client: Client) -> None:
        first = asyncio.create_task(health_check.asyncio(client=client))
        assert await asyncio.to_thread(arrived.wait, ENOUGH)
        second = asyncio.create_task(health_check.asyncio(client=client))
        await asyncio.sleep(0.01)
        queued.set()
        assert [one.status for one in await asyncio.gather(first, second)] == ["healthy"] * 2
        await client.aclose()

    with OddServer(handle) as server:
        timeout = httpx.Timeout(ENOUGH)
        asyncio.run(ask(Client(server.url, timeout=timeout, server_version="0.11.1")))


@by_way
def test_a_server_that_reads_byte_by_byte(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def handle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not done.is_set() and connection.recv(1):
                done.wait(PACE)

    content = bytes(32 * 1024 * 1024)
    with calling(way, handle, monkeypatch, TIMEOUT, reads_bodies=False) as (_, call):
        error = _late(lambda: call(store_blob_bytes, content))
        done.set()
    assert error.message == OVERDUE or "own" not in way.name


@pytest.mark.parametrize("way", [way for way in WAYS if way.tls], ids=lambda way: way.name)
def test_a_tls_handshake_that_drips(way: Way) -> None:
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            with listener.accept()[0] as connection, contextlib.suppress(OSError):
                # A record of the handshake that is long, and slow.
                for byte in b"\x16\x03\x03\x3f\xff" + bytes(16383):
                    connection.sendall(bytes([byte]))
                    done.wait(PACE)

        thread = threading.Thread(target=drip)
        thread.start()
        given = way.options(ssl.create_default_context(cafile=CERTIFICATE))
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"

        async def ask() -> None:
            async with Client(url, timeout=TIMEOUT, server_version="0.11.1", **given) as client:
                await health_check.asyncio(client=client)

        def call() -> None:
            if way.is_async:
                asyncio.run(ask())
            else:
                with Client(url, timeout=TIMEOUT, server_version="0.11.1", **given) as client:
                    health_check.sync(client=client)

        _late(call, ConnectionFailed)
        done.set()
        thread.join()
        for one in given.values():
            if hasattr(one, "aclose"):
                asyncio.run(one.aclose())
            else:
                one.close()


def test_each_address_of_a_name_has_a_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, float]] = []
    connect = socket.create_connection

    def getaddrinfo(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 0, "", (f"127.0.0.{n}", port)) for n in (3, 2, 1)]

    def tries(address: tuple[str, int], seconds: float) -> socket.socket:
        tried.append((address[0], seconds))
        if address[0] != "127.0.0.1":
            raise TimeoutError
        monkeypatch.undo()
        return connect(address, seconds)

    with OddServer(answer(HEALTH)) as server:
        url = server.url.replace("127.0.0.1", "stepflow.test")
        with Client(url, timeout=ENOUGH, server_version="0.11.1") as client:
            monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
            monkeypatch.setattr(socket, "create_connection", tries)
            assert health_check.sync(client=client).status == "healthy"
    assert [host for host, _ in tried] == ["127.0.0.3", "127.0.0.2", "127.0.0.1"]
    shares = [seconds for _, seconds in tried]
    assert shares == pytest.approx([ENOUGH / 3, ENOUGH / 2, ENOUGH], rel=0.3)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_detecting_the_version_takes_of_the_same_time(is_async: bool) -> None:
    handle = Dripping(DRIPS["head"]())
    with OddServer(handle) as server:
        client = Client(server.url, timeout=TIMEOUT)

        async def ask() -> None:
            async with client:
                await store_blob_bytes.asyncio(b"a", client=client)

        def call() -> object:
            if is_async:
                return asyncio.run(ask())
            return store_blob_bytes.sync(b"a", client=client)

        error = _late(call, ConnectionFailed)
        client.close()
    assert error.message.startswith("not sent, since GET /health did not tell the server's version")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_waiting_for_the_version_takes_of_the_same_time(is_async: bool) -> None:
    asked, go = threading.Event(), threading.Event()

    def handle(connection: socket.socket) -> None:
        asked.set()
        go.wait(ENOUGH)
        answer(HEALTH)(connection)

    def ask() -> Steps[object]:
        # The time left is less than the wait for a byte.
        times = Timeouts(ENOUGH, ENOUGH, ENOUGH, ENOUGH, None, time.monotonic() + PACE)
        request = store_blob_bytes.build_request(b"a")
        return (yield Call(store_blob_bytes.OPERATION, request, times))

    with OddServer(handle) as server, ThreadPoolExecutor(1) as pool:
        client = Client(server.url)
        first = pool.submit(store_blob_bytes.sync, b"a", client=client)
        assert asked.wait(ENOUGH)
        try:
            error = _late(
                lambda: asyncio.run(client.run_async(ask())) if is_async else client.run(ask()),
                ConnectionFailed,
            )
        finally:
            go.set()
            first.exception()
            client.close()
    assert error.message.startswith("not sent, since GET /health did not tell the server's version")


@by_library
def test_a_request_of_another_thread_goes_on(library: Any) -> None:
    """A user's httpx client is shared: only the connection of the overdue request is closed."""
    handle = Dripping(DRIPS["100 Continue"]())
    arrived, may_answer = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        arrived.set()
        may_answer.wait(ENOUGH)
        answer(HEALTH)(connection)

    with (
        OddServer(handle) as dripping,
        OddServer(slow) as other,
        library.Client(timeout=ENOUGH) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        options: dict[str, Any] = {"http_client": http, "server_version": "0.11.1"}
        waiting = pool.submit(health_check.sync, client=Client(other.url, **options))
        assert arrived.wait(ENOUGH)
        client = Client(dripping.url, timeout=TIMEOUT, **options)
        _late(lambda: health_check.sync(client=client))
        may_answer.set()
        assert waiting.result(ENOUGH).status == "healthy"


@by_library
def test_the_time_is_watched_again_after_a_pause(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread ends when there is nothing to watch, and another one takes its place."""

    def watching() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name == "stepflow-api timeouts"]

    monkeypatch.setattr("stepflow_api._transport.httpx_watchdog._SLEEP", PACE)
    with library.Client() as http:
        for _ in range(2):
            handle = Dripping(DRIPS["100 Continue"]())
            with OddServer(handle) as server:
                client = Client(server.url, http_client=http, timeout=TIMEOUT)
                _late(partial(health_check.sync, client=client))
            # One that an earlier test has left may sleep for some seconds.
            for thread in watching():
                thread.join(ENOUGH)
                assert not thread.is_alive()


EVENT = b'data: {"sequenceNumber":1,"timestamp":"2026-01-01T00:00:00Z","event":{"A":{}}}\n\n'
EVENT_STREAMS: dict[str, Callable[[], Iterable[bytes]]] = {
    "comments": lambda: itertools.repeat(b": keep-alive\n\n"),
    "an event": lambda: itertools.chain([b"data: "], itertools.repeat(b"a")),
    "nothing": lambda: iter(()),
}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("drip", EVENT_STREAMS)
@pytest.mark.parametrize("given", [None, *LIBRARIES], ids=lambda of: of and of.__name__)
def test_a_stream_without_an_event_ends(given: Any, drip: str, is_async: bool) -> None:
    handle = Dripping(
        itertools.chain(
            [_head("content-type: text/event-stream") + EVENT],
            EVENT_STREAMS[drip](),
        )
    )
    request = Request("GET", "/runs/1/events")
    seen: list[Any] = []
    with OddServer(handle) as server:
        http = given and client_class(given, is_async=is_async)()
        client = Client(server.url, server_version="0.11.1", http_client=http)

        def watch() -> None:
            stream = client.open(EVENTS, request, timeout=httpx.Timeout(ENOUGH))
            try:
                seen.append(stream.read())
                stream.read(TIMEOUT)
            finally:
                stream.close()

        async def watch_async() -> None:
            stream = await client.open_async(EVENTS, request, timeout=httpx.Timeout(ENOUGH))
            try:
                seen.append(await stream.read())
                await stream.read(TIMEOUT)
            finally:
                await stream.close()
                await client.aclose()
                await (http.aclose() if http else asyncio.sleep(0))

        _late(lambda: asyncio.run(watch_async()) if is_async else watch())
        client.close()
        if http and not is_async:
            http.close()
        assert handle.is_closed.wait(ENOUGH)
    assert [[one["sequenceNumber"] for one in events] for events in seen] == [[1]]


def test_what_each_kind_of_timeout_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def left(given: Timeouts) -> float | None:
        return None if given.at is None else given.at - now

    seconds = timeouts(10)
    assert (seconds.connect, seconds.read, seconds.write, seconds.pool) == (10, 10, 10, 10)
    now += 4
    seconds.moved(1_000_000)
    seconds.begin()
    # Bytes, and further requests of the same call, do not prolong it.
    assert (left(seconds), seconds.bound(7), seconds.bound(2)) == (6, 6, 2)
    now += 6
    assert seconds.is_overdue()
    with pytest.raises(TimeoutError):
        seconds.bound(1)

    parts = timeouts(httpx.Timeout(connect=1, read=2, write=3, pool=4))
    assert (parts.connect, parts.read, parts.write, parts.pool, left(parts)) == (1, 2, 3, 4, 10)
    now += 4
    parts.moved(50_000)
    assert (left(parts), parts.bound(2)) == (11, 2)
    parts.begin()
    assert left(parts) == 10
    assert left(timeouts(httpx.Timeout(5, read=None))) is None

    assert left(timeouts(UNSET)) == 395
    for none in (None, float("inf"), 1e300, httpx.Timeout(float("inf"))):
        given = timeouts(none)
        assert (given.read, left(given), given.bound(given.read)) == (None, None, None)

    both, short = Timeouts(1, 1, 1, 1, 5, now + 7), Timeouts(1, 1, 1, 1, 5, now + 3)
    both.moved(10_000)
    assert left(both) == 6
    both.moved(100_000)
    assert left(both) == 7
    assert left(short) == 3
    short.moved(10_000)
    assert left(short) == 3
    short.begin()
    assert left(short) == 3


def test_an_overdue_block_is_cancelled_where_it_waits(clock: Clock) -> None:
    """An error between two pieces of a body would leave its connection open."""
    reached = []

    async def read() -> None:
        async with limited(Timeouts.for_total(ENOUGH)) as prolong:
            clock.elapsed = ENOUGH
            prolong()
            reached.append("piece")
            await asyncio.sleep(ENOUGH)

    with pytest.raises(TimeoutError):
        asyncio.run(read())
    assert reached == ["piece"]
