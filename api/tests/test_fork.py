"""A client that was used before `os.fork` works in the parent and in each child."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import CoreSchema, core_schema

from api.tests.support.echo_server import CERTIFICATE, HELD, EchoServer
from api.tests.support.forks import Forked
from api.tests.support.odd_server import OddServer, answer
from api.tests.support.ways import WAYS, Way, start
from stepflow_api import Client, _fork
from stepflow_api._collector import COLLECTOR
from stepflow_api._messages import Request
from stepflow_api._operation import Json, Operation
from stepflow_api.api.blob import get_blob
from stepflow_api.errors import ConnectionFailed, ConnectionLost, RequestTimeout
from tools.pytest.httpx_libraries import LIBRARIES, by_library

CALLS = 20
RUNS = 10
CHILDREN = 3


PLAIN_WAYS = [way for way in WAYS if not way.tls]

by_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
by_plain_way = pytest.mark.parametrize("way", PLAIN_WAYS, ids=lambda way: way.name)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start a server, and create its caller."""
    with contextlib.ExitStack() as opened:
        yield lambda way, **options: start(way, opened, monkeypatch, **options)


def names(who: object) -> list[str]:
    """Return the ids that one process requests."""
    return [f"{who}-{number}" for number in range(CALLS)]


@by_way
def test_each_process_receives_its_own_responses(way: Way, make: Any) -> None:
    _, caller = make(way)
    caller("warm")
    for run in range(RUNS):
        children = [
            Forked(partial(caller, *names(f"{run}-{number}"))) for number in range(CHILDREN)
        ]
        assert caller(*names(f"{run}-parent")) == names(f"{run}-parent")
        for number, child in enumerate(children):
            assert child.result() == names(f"{run}-{number}")


@by_way
def test_a_request_in_flight_in_another_thread_stays_the_parents(way: Way, make: Any) -> None:
    server, caller = make(way)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(caller, f"{HELD}-in-flight")
        server.wait_until_held()
        children = [Forked(partial(caller, *names(who))) for who in range(CHILDREN)]
        for who, child in enumerate(children):
            assert child.result() == names(who)
        server.release()
        assert held.result(30) == [f"{HELD}-in-flight"]
    assert caller(*names("parent")) == names("parent")


@pytest.mark.parametrize("way", PLAIN_WAYS[:2], ids=lambda way: way.name)
def test_a_child_keeps_no_connection_of_another_thread(way: Way, make: Any) -> None:
    server, caller = make(way)
    port = int(server.url.rpartition(":")[2])

    def connections() -> int:
        found = 0
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(link).startswith("socket:"):
                    with socket.socket(fileno=os.dup(int(link.name))) as one:
                        found += one.getpeername() == ("127.0.0.1", port)
        return found

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(caller, f"{HELD}-in-flight")
        server.wait_until_held()
        assert connections() == 1
        assert Forked(connections).result() == 0
        server.release()
        assert held.result(30) == [f"{HELD}-in-flight"]


@by_library
def test_requests_in_flight_take_none_of_a_childs_limit(library: Any, make: Any) -> None:
    limits = library.Limits(max_connections=1)
    way = Way("", False, False, lambda context: {"http_client": library.Client(limits=limits)})
    server, caller = make(way)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(caller, f"{HELD}-in-flight")
        server.wait_until_held()
        assert Forked(lambda: caller("a", "b")).result() == ["a", "b"]
        server.release()
        assert held.result(30) == [f"{HELD}-in-flight"]


@pytest.mark.parametrize("given", [None, *LIBRARIES], ids=lambda of: of and of.__name__)
def test_a_timeout_bounds_a_call_of_a_child(given: Any) -> None:
    """The thread that watches the exchanges of httpx does not exist in the child."""
    pause = threading.Event()

    def handle(connection: socket.socket) -> None:
        if len(server.requests) == 1:
            answer('{"data":"first","blobId":"first","blobType":"data"}')(connection)
            return
        # Each of these resets the timeout of a read.
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                pause.wait(0.005)

    with (
        OddServer(handle) as server,
        given.Client() if given else contextlib.nullcontext() as http,
        Client(server.url, server_version="0.11.1", http_client=http, timeout=30) as client,
    ):
        assert get_blob.sync("first", client=client).blob_id == "first"

        def call() -> str:
            with pytest.raises(RequestTimeout) as raised:
                while True:
                    # A machine may pause a call for all its time before it is connected.
                    with contextlib.suppress(ConnectionFailed):
                        get_blob.sync("second", client=client, timeout=0.5)
            return type(raised.value).__name__

        assert Forked(call).result() == "RequestTimeout"


@by_plain_way
def test_no_lock_of_another_thread_blocks_a_child(way: Way, make: Any) -> None:
    _, caller = make(way)
    caller("warm")
    lock_types = (type(threading.Lock()), type(threading.RLock()))
    cores = ("httpcore", "httpcore2")
    owners = [
        one for one in gc.get_objects() if str(type(one).__module__).partition(".")[0] in cores
    ]
    owners += [*_fork._resets.keys()]
    cookies = tuple(library.Cookies for library in LIBRARIES)
    owners += [one for one in gc.get_objects() if isinstance(one, cookies)]
    owners += [one.jar for one in owners if isinstance(one, cookies)]
    locks = {
        id(lock): lock
        for owner in owners
        for lock in getattr(owner, "__dict__", {}).values()
        if isinstance(lock, lock_types)
    }
    assert locks
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with contextlib.ExitStack() as held:
            for lock in locks.values():
                held.enter_context(lock)
            taken.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    try:
        child = Forked(lambda: caller(*names("child")))
    finally:
        done.set()
        thread.join()
    assert child.result() == names("child")


@pytest.mark.parametrize("way", PLAIN_WAYS[:2], ids=lambda way: way.name)
def test_a_child_detects_the_version_that_another_thread_was_detecting(way: Way, make: Any) -> None:
    server, caller = make(way, hold_health=True)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(caller, "first")
        server.wait_until_held()
        assert Forked(lambda: caller(*names("child"))).result() == names("child")
        server.release()
        assert first.result(30) == ["first"]


def test_a_type_that_another_thread_prepares_does_not_block_a_child() -> None:
    parent = os.getpid()
    preparing, done = threading.Event(), threading.Event()

    class Slow:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
            if os.getpid() == parent:
                preparing.set()
                done.wait()
            return core_schema.int_schema()

    parse = Json(Slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(parse, b"1")
        preparing.wait()
        try:
            assert Forked(lambda: parse(b"2")).result() == 2
        finally:
            done.set()
        assert first.result(30) == 1


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_pause_of_the_garbage_collector_ends_with_its_thread(is_enabled: bool) -> None:
    def parsing() -> None:
        with COLLECTOR.paused():
            paused.set()
            done.wait()

    assert gc.isenabled()
    # One that has ended says nothing of what comes after it.
    with COLLECTOR.paused():
        pass
    (gc.enable if is_enabled else gc.disable)()
    paused, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=parsing)
    try:
        assert Forked(gc.isenabled).result() is is_enabled
        thread.start()
        paused.wait()
        try:
            assert Forked(gc.isenabled).result() is is_enabled
            assert not gc.isenabled()
        finally:
            done.set()
            thread.join()
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()


EVENTS: Operation[Any, Any] = Operation("events", "GET", "/runs/{run_id}/events", {})
REQUEST = Request("GET", "/runs/1/events")


def _first_blob(client: Client) -> str:
    return get_blob.sync("after", client=client).blob_id


@pytest.mark.parametrize("given", [None, *LIBRARIES], ids=lambda of: of and of.__name__)
def test_a_stream_of_events_stays_the_parents(given: Any) -> None:
    http = given and given.Client()
    with (
        http or contextlib.nullcontext(),
        EchoServer() as server,
        Client(server.url, server_version="0.11.1", http_client=http) as client,
    ):
        stream = client.open(EVENTS, REQUEST, timeout=httpx.Timeout(30))
        first = stream.read()
        server.wait_until_held()

        def read_on() -> str:
            with pytest.raises(ConnectionLost):
                while stream.read() is not None:
                    pass
            stream.close()
            return _first_blob(client)

        assert Forked(read_on).result() == "after"
        server.release()
        rest = [event for events in iter(stream.read, None) for event in events]
        stream.close()
    assert first is not None
    assert [event["sequenceNumber"] for event in [*first, *rest]] == [0, 1]


async def _read(stream: Any) -> AsyncIterator[dict[str, Any]]:
    while (events := await stream.read()) is not None:
        for event in events:
            yield event


def test_an_async_stream_of_events_stays_the_parents() -> None:
    async def parent(server: EchoServer) -> list[int]:
        async with Client(server.url, server_version="0.11.1") as client:
            stream = await client.open_async(EVENTS, REQUEST, timeout=httpx.Timeout(30))
            events = _read(stream)
            first = await anext(events)
            server.wait_until_held()

            async def read_on() -> str:
                # The stream is of the parent's event loop.
                return (await get_blob.asyncio("after", client=client)).blob_id

            assert Forked(lambda: asyncio.run(read_on())).result() == "after"
            server.release()
            found = [first["sequenceNumber"], *[event["sequenceNumber"] async for event in events]]
            await stream.close()
            return found

    with EchoServer() as server:
        assert asyncio.run(parent(server)) == [0, 1]


async def _ask_async(name: str, client: Client) -> str:
    return (await get_blob.asyncio(name, client=client)).blob_id


def test_a_child_that_unwinds_its_parents_event_loop_leaves_the_parents_requests_alone() -> None:
    """Both processes share the epoll set of the loop."""

    async def begin() -> asyncio.Task[str]:
        asking = asyncio.create_task(_ask_async(f"{HELD}-1", client))
        # The child takes what would wake this loop for another thread out of the epoll set.
        while not held.done():
            await asyncio.sleep(0.01)
        return asking

    async def cancel(asking: asyncio.Task[str]) -> None:
        asking.cancel()
        await asyncio.wait([asking])

    def unwind() -> bool:
        runner.run(cancel(asking))
        runner.close()
        return asking.cancelled()

    async def end(asking: asyncio.Task[str]) -> str:
        try:
            return await asyncio.wait_for(asking, 30)
        finally:
            await client.aclose()

    with EchoServer() as server, asyncio.Runner() as runner, ThreadPoolExecutor(1) as pool:
        client = Client(server.url, server_version="0.11.1")
        held = pool.submit(server.wait_until_held)
        asking = runner.run(begin())
        assert Forked(unwind).result()
        server.release()
        assert runner.run(end(asking)) == f"{HELD}-1"


def test_a_child_with_a_loop_of_its_own_leaves_the_parents_requests_alone() -> None:
    """From Python 3.14, tasks of the parent's loop do not run in a child that it forks."""

    async def parent(server: EchoServer) -> str:
        async with Client(server.url, server_version="0.11.1") as client:
            asking = asyncio.create_task(_ask_async(f"{HELD}-1", client))
            await asyncio.to_thread(server.wait_until_held)
            assert Forked(lambda: asyncio.run(_ask_async("child", client))).result() == "child"
            server.release()
            return await asking

    with EchoServer() as server:
        assert asyncio.run(asyncio.wait_for(parent(server), 30)) == f"{HELD}-1"


def test_a_child_sends_nothing_on_an_inherited_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that closes the client would otherwise end the parent's connection with TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with EchoServer(tls=True) as server, Client(server.url, server_version="0.11.1") as client:

        async def ask(*names: str) -> list[str]:
            return [(await get_blob.asyncio(name, client=client)).blob_id for name in names]

        def close() -> None:
            client.close()
            gc.collect()

        async def parent() -> list[str]:
            await ask("warm")
            connections = _ports()
            assert Forked(close).result() is None
            found = await ask("a", "b")
            found += [get_blob.sync("c", client=client).blob_id]
            assert _ports() == connections
            await client.aclose()
            return found

        get_blob.sync("warm", client=client)
        assert asyncio.run(parent()) == ["a", "b", "c"]


def _ports() -> set[int]:
    """Return the local ports of this process's connections."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as copy:
            if copy.family == socket.AF_INET and copy.getpeername():
                found.add(copy.getsockname()[1])
    return found


_client: Client


def _ask(name: str) -> str:
    return get_blob.sync(name, client=_client).blob_id


@pytest.fixture
def shared() -> Iterator[None]:
    """A client that the functions of worker processes find in their module."""
    global _client
    with EchoServer() as server, Client(server.url, server_version="0.11.1") as _client:
        _ask("warm")
        yield


# The pools have threads of their own; from Python 3.15 on, the warning of that ends `os.fork`.
@pytest.mark.filterwarnings("ignore:This process .*multi-threaded:DeprecationWarning")
@pytest.mark.usefixtures("shared")
def test_a_pool_of_forked_processes_uses_a_client_of_its_parent() -> None:
    context = multiprocessing.get_context("fork")
    wanted = [f"{number}" for number in range(200)]
    with context.Pool(4) as pool:
        assert pool.map(_ask, wanted) == wanted
    with ProcessPoolExecutor(4, context) as executor:
        assert list(executor.map(_ask, wanted)) == wanted
    assert _ask("parent") == "parent"


@pytest.mark.usefixtures("shared")
def test_a_child_of_a_child_is_a_process_of_its_own() -> None:
    def child() -> list[str]:
        _ask("child")
        grandchild = Forked(lambda: [_ask(name) for name in names("grandchild")])
        return [*[_ask(name) for name in names("child")], *grandchild.result()]

    assert Forked(child).result() == [*names("child"), *names("grandchild")]
