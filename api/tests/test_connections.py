"""Connections of a client: how they are opened, and when they are not reused."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from api.tests.support.echo_server import EchoServer
from stepflow_api import Client
from stepflow_api._operation import Operation
from stepflow_api.api.blob import get_blob, store_blob_bytes
from stepflow_api.api.health import health_check
from stepflow_api.errors import ConnectionFailed, PayloadTooLarge, RequestTimeout, StepflowError

HEALTH = b'{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}'
JSON = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
OK = b"HTTP/1.1 200 OK\r\n" + JSON % (len(HEALTH), HEALTH)
REFUSED = b"HTTP/1.1 413 Payload Too Large\r\n" + JSON % (2, b"{}")
OPERATION: Operation[Any, Any] = Operation("healthCheck", "GET", "/health", {})
LARGE = b"x" * 30_000_000


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens, and whose connections the test accepts."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        yield listener


def _url(listener: socket.socket, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{listener.getsockname()[1]}"


def _check_response(listener: socket.socket) -> None:
    """Send a request to `stepflow.test`, and respond to it."""

    def respond() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(OK)

    async def main() -> str:
        async with Client(_url(listener, "stepflow.test"), server_version="0.11.1") as client:
            return (await health_check.asyncio(client=client)).status

    thread = threading.Thread(target=respond, daemon=True)
    thread.start()
    assert asyncio.run(main()) == "healthy"
    thread.join()


def _resolve(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Resolve the name `stepflow.test` to these addresses."""

    async def getaddrinfo(loop: object, host: str, port: int, **options: Any) -> list[Any]:
        kind = socket.SOCK_STREAM
        # Each address would come once for every kind of socket.
        assert (host, options["type"]) == ("stepflow.test", kind)
        return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", (one, port)) for one in hosts]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("host", ["127.0.0.1", "stepflow.test"])
@pytest.mark.parametrize("ending", ["cancelled", "late"])
def test_a_call_that_ends_while_it_connects_leaves_no_socket(
    host: str, ending: str, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    _resolve(monkeypatch, "127.0.0.1", "127.0.0.1")

    async def call(client: Client, number: int) -> None:
        connect = (number % 30 + 1) * 2e-5 if ending == "late" else 30
        call = client.send_async(
            OPERATION,
            OPERATION.request(),
            timeout=httpx.Timeout(30, connect=connect, read=1e-4),
        )
        task = asyncio.create_task(call)
        if ending == "cancelled":
            for _ in range(number % 12):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is not None

    async def main() -> None:
        async with Client(_url(listener, host), server_version="0.11.1") as client:
            for number in range(240):
                await call(client, number)

    asyncio.run(main())
    gc.collect()
    assert not unraisable


@pytest.mark.parametrize("first", ["refuses", "is silent"])
def test_the_next_address_of_a_name_is_tried(
    first: str, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, "127.0.0.2", "127.0.0.1")
    port = listener.getsockname()[1]

    with contextlib.ExitStack() as opened:
        if first == "is silent":
            # The system drops connections when nobody accepts them and the queue is full.
            silent = opened.enter_context(socket.create_server(("127.0.0.2", port), backlog=0))
            opened.enter_context(socket.create_connection(silent.getsockname()))
        _check_response(listener)


def test_the_reason_why_no_address_of_a_name_accepts_is_reported(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, "127.0.0.2", "127.0.0.3")

    async def main() -> None:
        async with Client(_url(listener, "stepflow.test"), server_version="0.11.1") as client:
            await health_check.asyncio(client=client)

    with pytest.raises(ConnectionFailed, match="Connection refused"):
        asyncio.run(main())


def test_the_addresses_of_a_name_take_turns_by_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network without IPv6 costs one attempt, and no address is left out."""
    four = [(socket.AF_INET, f"127.0.0.{number}") for number in (1, 2, 3)]
    found = [four[0], four[1], (socket.AF_INET6, "::1"), four[2]]
    tried: list[str] = []

    async def getaddrinfo(loop: object, host: str, port: int, **options: Any) -> list[Any]:
        return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for family, one in found]

    async def connect(loop: object, protocol: object, host: str, port: int, **options: Any) -> None:
        tried.append(host)
        raise ConnectionRefusedError("nobody is there")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", connect)

    async def main() -> None:
        async with Client("http://stepflow.test", server_version="0.11.1") as client:
            await health_check.asyncio(client=client)

    with pytest.raises(ConnectionFailed, match="nobody is there"):
        asyncio.run(main())
    assert tried == ["127.0.0.1", "::1", "127.0.0.2", "127.0.0.3"]


@pytest.mark.parametrize("host", ["[::1]", "stepflow.test"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_server_with_ipv6_alone(
    is_async: bool, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    getaddrinfo = socket.getaddrinfo

    def resolve(name: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        assert name in ("::1", "stepflow.test")
        # Raises an error if addresses of IPv4 are wanted.
        return [*getaddrinfo("::1", port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    heads: list[bytes] = []

    def respond() -> None:
        with listener.accept()[0] as connection:
            heads.append(connection.recv(65536))
            connection.sendall(OK)

    async def main() -> str:
        async with Client(url, server_version="0.11.1") as client:
            if is_async:
                return (await health_check.asyncio(client=client)).status
            return health_check.sync(client=client).status

    with listener:
        url = f"http://{host}:{listener.getsockname()[1]}"
        thread = threading.Thread(target=respond, daemon=True)
        thread.start()
        assert asyncio.run(main()) == "healthy"
        thread.join()
    assert f"\r\nHost: {url.removeprefix('http://')}\r\n".encode() in heads[0]


def test_an_address_that_is_slow_is_waited_for_when_the_last_one_refuses(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, "127.0.0.1", "127.0.0.2")
    refused = threading.Event()
    connect = asyncio.BaseEventLoop.create_connection

    async def slowly(loop: Any, protocol: Any, host: str, port: int, **options: Any) -> Any:
        if host == "127.0.0.2":
            refused.set()
            raise ConnectionRefusedError("nobody is there")
        await asyncio.to_thread(refused.wait, 30)
        return await connect(loop, protocol, host, port, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", slowly)

    _check_response(listener)


def test_a_body_that_is_sent_slowly_does_not_exceed_the_write_timeout(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timeout is for a wait without progress, not for the whole body."""
    expired: list[Any] = []
    waits, continues = threading.Event(), threading.Event()
    call_later = asyncio.BaseEventLoop.call_later

    def later(loop: Any, delay: float, callback: Any, *arguments: Any, **options: Any) -> Any:
        if 4000 < delay <= 4321:
            expired.append(partial(loop.call_soon_threadsafe, callback, *arguments))
            expired.append(partial(loop.call_soon_threadsafe, continues.set))
            waits.set()
        return call_later(loop, delay, callback, *arguments, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", later)

    def respond() -> None:
        with listener.accept()[0] as connection:
            # The two systems cannot hold it, so that the client has to wait to send it all.
            assert waits.wait(30)
            received = 0
            while received < len(LARGE) // 2:
                received += len(connection.recv(65536))
            expired[0]()
            expired[1]()
            # And the client still has some to send when the timeout expires.
            assert continues.wait(30)
            while received < len(LARGE):
                received += len(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + JSON % (14, b'{"blobId":"x"}'))

    async def main() -> str | None:
        timeout = httpx.Timeout(30, write=4321)
        async with Client(_url(listener), timeout=timeout, server_version="0.11.1") as client:
            return (await store_blob_bytes.asyncio(LARGE, client=client)).blob_id

    thread = threading.Thread(target=respond, daemon=True)
    thread.start()
    assert asyncio.run(main()) == "x"
    thread.join()


def test_an_async_connection_with_a_half_sent_request_is_not_used_again(
    listener: socket.socket,
) -> None:
    done = threading.Event()

    def respond() -> None:
        with listener.accept()[0] as first:
            # Like a server that rejects a body and keeps the connection for the next request.
            first.recv(1000)
            first.sendall(REFUSED)
            with listener.accept()[0] as second:
                second.recv(65536)
                second.sendall(OK)
                done.wait()

    async def main() -> str:
        async with Client(_url(listener), timeout=10, server_version="0.11.1") as client:
            with pytest.raises(PayloadTooLarge):
                await store_blob_bytes.asyncio(LARGE, client=client)
            return (await health_check.asyncio(client=client)).status

    thread = threading.Thread(target=respond, daemon=True)
    thread.start()
    try:
        assert asyncio.run(main()) == "healthy"
    finally:
        done.set()
    thread.join()


class _Cut(socket.socket):
    """A socket that sends no more than the beginning of a large request, and still receives."""

    other: socket.socket
    answer: bytes
    error: type[OSError]
    is_cut = False

    def setsockopt(self, *arguments: Any) -> None:
        pass

    def send(self, data: Any, flags: int = 0) -> int:
        if self.is_cut:
            raise self.error
        self.is_cut = len(data) > 1000
        self.other.sendall(self.answer if self.is_cut else OK)
        return super().send(data[:1000], flags)


@pytest.mark.parametrize(
    ("error", "answer", "raised"),
    [(BrokenPipeError, REFUSED, PayloadTooLarge), (TimeoutError, b"", RequestTimeout)],
    ids=["refused", "late"],
)
def test_a_sync_connection_with_a_half_sent_request_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
    error: type[OSError],
    answer: bytes,
    raised: type[StepflowError],
) -> None:
    others: list[socket.socket] = []

    def connect(*arguments: object) -> socket.socket:
        ours, other = socket.socketpair()
        others.append(other)
        cut = _Cut(fileno=ours.detach())
        cut.other, cut.answer, cut.error = other, answer, error
        return cut

    monkeypatch.setattr(socket, "create_connection", connect)
    with Client("http://127.0.0.1:1", timeout=10, server_version="0.11.1") as client:
        # A connection that was never used before is not used again anyway.
        health_check.sync(client=client)
        with pytest.raises(raised):
            store_blob_bytes.sync(LARGE, client=client)
        assert health_check.sync(client=client).status == "healthy"
    assert len(others) == 2
    for other in others:
        other.close()


def test_an_async_call_leaves_no_timer(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would stay until the timeout, with all that it refers to."""
    timers: list[asyncio.TimerHandle] = []
    call_later = asyncio.BaseEventLoop.call_later

    def later(loop: Any, delay: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        timer = call_later(loop, delay, *arguments, **options)
        timers.append(timer)
        return timer

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", later)

    def respond() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(OK)

    async def main() -> None:
        async with Client(_url(listener), server_version="0.11.1") as client:
            await health_check.asyncio(client=client)
            assert timers
            assert all(timer.cancelled() for timer in timers)

    thread = threading.Thread(target=respond, daemon=True)
    thread.start()
    asyncio.run(main())
    thread.join()


def _option(connected: socket.socket, name: str) -> int:
    return connected.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_connections_are_kept_alive_by_probes(is_async: bool) -> None:
    with EchoServer() as server, Client(server.url, server_version="0.11.1") as client:

        async def ask() -> set[tuple[int, ...]]:
            if is_async:
                await get_blob.asyncio("a", client=client)
            else:
                get_blob.sync("a", client=client)
            found = [_probes(name, server.url) for name in os.listdir("/proc/self/fd")]
            await client.aclose()
            return {one for one in found if one is not None}

        assert asyncio.run(ask()) == {(1, 30, 10, 6, 1)}


def _probes(descriptor: str, url: str) -> tuple[int, ...] | None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(descriptor))) as copy:
        if copy.family == socket.AF_INET and f":{copy.getpeername()[1]}" in url:
            return (
                copy.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                _option(copy, "TCP_KEEPIDLE"),
                _option(copy, "TCP_KEEPINTVL"),
                _option(copy, "TCP_KEEPCNT"),
                # The end of a body is sent at once.
                _option(copy, "TCP_NODELAY"),
            )
    return None


def test_the_first_address_of_a_name_has_its_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds: list[int] = []

    def connect(address: object, timeout: float) -> socket.socket:
        seconds.append(round(timeout))
        raise ConnectionRefusedError("nobody is there")

    places = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{number}", 1))
        for number in (1, 1, 2, 3)
    ]
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *names, **options: places)
    with (
        Client("http://name.invalid:1", timeout=180, server_version="0.11.1") as client,
        pytest.raises(ConnectionFailed, match="nobody is there"),
    ):
        health_check.sync(client=client)
    assert seconds == [60, 90, 180]
