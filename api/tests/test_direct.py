"""Requests of a client that was given no httpx client go around httpx, and miss nothing of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import fcntl
import gc
import gzip
import pickle
import select
import socket
import termios
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.request import getproxies
from uuid import UUID

import httpx
import pytest

from api.tests.support.forms import DETAILED, FORMS, PLAIN, Form
from api.tests.support.odd_server import CERTIFICATE, OddServer, answer, raw
from stepflow_api import AuthenticatedClient, Client
from stepflow_api._transport import async_connections, sync_connections
from stepflow_api.api.blob import store_blob_bytes
from stepflow_api.api.health import health_check
from stepflow_api.errors import (
    ConnectionFailed,
    ConnectionLost,
    InvalidAnswer,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
)
from stepflow_api.lowlevel import Operation
from tools.pytest.httpx_libraries import by_library, client_class

HEALTH = '{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}'

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in getproxies():
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)


async def _health(form: Form, client: Client) -> str:
    status: str = (await form("health.health_check", client=client)).status
    return status


@by_form
@pytest.mark.anyio
async def test_a_request_needs_no_httpx_client(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("an httpx client, or a TLS context, was made")

    monkeypatch.setattr(httpx.Client, "__init__", refuse)
    monkeypatch.setattr(httpx.AsyncClient, "__init__", refuse)
    monkeypatch.setattr(httpx, "create_ssl_context", refuse)
    with OddServer(answer(HEALTH)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            assert await _health(form, client) == "healthy"


@by_form
@pytest.mark.anyio
async def test_a_proxy_of_the_environment_is_used(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OddServer(answer(HEALTH)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with Client("http://stepflow.example:7840", server_version="0.11.1") as client:
            assert await _health(form, client) == "healthy"
        assert proxy.target() == "http://stepflow.example:7840/api/v1/health"


@by_form
@pytest.mark.anyio
async def test_an_address_that_needs_no_proxy_is_asked_itself(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OddServer(answer(HEALTH)) as server, OddServer(answer(HEALTH)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with Client(server.url, server_version="0.11.1") as client:
            assert await _health(form, client) == "healthy"
        assert server.target() == "/api/v1/health"
        assert not proxy.requests


def test_header_fields_of_a_response_are_found_in_any_case() -> None:
    with OddServer(answer(HEALTH, X_One="1", x_one="2")) as server:
        headers = health_check.sync_detailed(client=Client(server.url)).headers
    assert headers["x-one"] == headers["X-One"] == headers.get("X-ONE") == "1, 2"
    assert "Content-Type" in headers and "x-two" not in headers
    assert (headers.get("X-Two"), headers.get("X-Two", "none")) == (None, "none")
    with pytest.raises(KeyError, match="x-two"):
        headers["X-Two"]
    for same in (pickle.loads(pickle.dumps(headers)), copy.deepcopy(headers)):
        assert (same, same["X-One"]) == (headers, "1, 2")


@by_form
@pytest.mark.anyio
@by_library
async def test_the_same_header_fields_arrive_as_through_httpx(library: Any, form: Form) -> None:
    found = []
    for http_client in (None, client_class(library, is_async=form.is_async)()):
        with OddServer(answer(HEALTH)) as server:
            address = server.url.replace("http://", "http://user:pass%20word@")
            async with AuthenticatedClient(
                address,
                "secret",
                auth_header_name="X-Token",
                headers={"X-One": "1", "accept": "application/json"},
                http_client=http_client,
                server_version="0.11.1",
            ) as client:
                await _health(form, client)
            found.append({**server.headers(), "host": "here"})
        if http_client is not None:
            await http_client.aclose() if form.is_async else http_client.close()
    assert found[0] == found[1]
    assert found[0]["x-token"] == "Bearer secret"
    assert base64.b64decode(found[0]["authorization"].removeprefix("Basic ")) == b"user:pass word"


@by_form
@pytest.mark.anyio
async def test_a_post_without_a_body_has_a_length(form: Form) -> None:
    # Some proxies refuse one without (411).
    with OddServer(answer(status="404 Not Found")) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(NotFound):
                await form("run.cancel_run", UUID(int=1), client=client)
    assert server.headers()["content-length"] == "0"


@pytest.mark.parametrize(("method", "has_length"), [("PUT", True), ("PATCH", True), ("GET", False)])
def test_methods_with_a_body_have_a_length_without_one(method: str, has_length: bool) -> None:
    operation = Operation[None, None]("other", method, "/other", {})
    with OddServer(answer(status="404 Not Found")) as server, Client(server.url) as client:
        assert client.send(operation, operation.request()).status_code == 404
    assert server.headers().get("content-length") == ("0" if has_length else None)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.anyio
async def test_a_compressed_answer_is_read(form: Form) -> None:
    handle = answer(gzip.compress(HEALTH.encode()), content_encoding="gzip")
    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            found = await form("health.health_check", client=client)
    assert (found.parsed if form.is_detailed else found).status == "healthy"


@by_form
@pytest.mark.anyio
async def test_the_read_timeout_ends_a_request(form: Form) -> None:
    enough = threading.Event()

    def handle(connection: socket.socket) -> None:
        enough.wait(30)

    with OddServer(handle) as server:
        async with Client(
            server.url, timeout=httpx.Timeout(30, read=0.05), server_version="0.11.1"
        ) as client:
            with pytest.raises(RequestTimeout, match="within the read timeout"):
                await _health(form, client)
        enough.set()


@pytest.mark.anyio
async def test_a_cancelled_call_drops_its_connection_and_no_other_call() -> None:
    arrived, dropped = threading.Event(), threading.Event()

    def handle(connection: socket.socket) -> None:
        if arrived.is_set():
            answer(HEALTH)(connection)
            return
        arrived.set()
        if connection.recv(1) == b"":
            dropped.set()

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            task = asyncio.create_task(health_check.asyncio(client=client))
            await asyncio.to_thread(arrived.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(dropped.wait, 30)
            assert (await health_check.asyncio(client=client)).status == "healthy"


@pytest.mark.parametrize("is_enabled", [True, False])
@pytest.mark.parametrize("body", [HEALTH, "{}"], ids=["right", "wrong"])
def test_a_long_answer_leaves_the_garbage_collector_as_it_was(is_enabled: bool, body: str) -> None:
    was_enabled = gc.isenabled()
    (gc.enable if is_enabled else gc.disable)()
    try:
        with (
            OddServer(answer(body + " " * 200_000)) as server,
            Client(server.url, server_version="0.11.1") as client,
            contextlib.suppress(InvalidAnswer),
        ):
            health_check.sync(client=client)
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


@by_form
@pytest.mark.parametrize("proxy", [False, True], ids=["no proxy", "through a proxy"])
@pytest.mark.anyio
async def test_a_connection_is_used_again(
    proxy: bool, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        text = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(HEALTH)}"
        for _ in range(3):
            connection.sendall(f"{text}\r\n\r\n{HEALTH}".encode())
            connection.recv(65536)

    with OddServer(handle) as server:
        url = server.url
        if proxy:
            monkeypatch.setenv("http_proxy", url)
            url = "http://stepflow.example"
        async with Client(url, server_version="0.11.1") as client:
            for _ in range(3):
                assert await _health(form, client) == "healthy"
    assert len(connections) == 1


@by_form
@pytest.mark.anyio
async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    for module in (sync_connections, async_connections):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    connections: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        whole = _text(HEALTH, f"content-length: {len(HEALTH)}")
        connection.sendall(whole)
        while connection.recv(65536):
            connection.sendall(whole)

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            opened: list[int] = []
            # A server or a proxy may be about to close one that has been idle for five seconds.
            for idle in (0.0, 4.9, 4.9, 5.0, 4.9):
                now += idle
                assert await _health(form, client) == "healthy"
                opened.append(len(connections))
    assert opened == [1, 1, 1, 2, 2]


@by_form
@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
@pytest.mark.anyio
async def test_the_usual_port_is_asked_and_not_named(
    scheme: str, port: int, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    asked: list[int] = []
    with OddServer(answer(HEALTH), tls=scheme == "https") as server:
        # Not everyone may listen on those ports.
        here = int(server.url.rpartition(":")[2])
        connect, loop_connect = socket.create_connection, asyncio.BaseEventLoop.create_connection

        def redirected(address: tuple[str, int], *arguments: Any) -> socket.socket:
            asked.append(address[1])
            return connect((address[0], here), *arguments)

        async def loop_redirected(
            loop: Any, protocol: Any, host: str, port: int, **options: Any
        ) -> Any:
            asked.append(port)
            return await loop_connect(loop, protocol, host, here, **options)

        monkeypatch.setattr(socket, "create_connection", redirected)
        monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", loop_redirected)
        async with Client(f"{scheme}://127.0.0.1", server_version="0.11.1") as client:
            assert await _health(form, client) == "healthy"
    assert asked == [port]
    assert server.headers()["host"] == "127.0.0.1"


@by_form
@pytest.mark.anyio
async def test_a_connection_that_the_server_has_closed_is_not_used_again(form: Form) -> None:
    length = f"content-length: {len(HEALTH)}"
    text = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n\r\n{HEALTH}"
    closed = threading.Event()

    def handle(connection: socket.socket) -> None:
        # It does not say that it closes the connection, as a server that restarts.
        connection.sendall(text.encode())
        connection.close()
        closed.set()

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            for _ in range(3):
                assert await _health(form, client) == "healthy"
                assert await asyncio.to_thread(closed.wait, 30)
                closed.clear()
    assert len(server.requests) == 3


@by_form
@pytest.mark.anyio
async def test_a_server_with_tls_is_asked(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with OddServer(answer(HEALTH), tls=True) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            for _ in range(2):
                assert await _health(form, client) == "healthy"
    assert server.headers()["host"] == server.url.removeprefix("https://")


@by_form
@pytest.mark.anyio
async def test_a_certificate_that_nobody_trusts_is_refused(form: Form) -> None:
    with OddServer(answer(HEALTH), tls=True) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(ConnectionFailed, match="SSL_CERT_FILE"):
                await _health(form, client)
    assert not server.requests


def _text(body: str = HEALTH, *fields: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", *fields, "", body]
    return "\r\n".join(lines).encode()


@by_form
@pytest.mark.parametrize("field", ["transfer-encoding: chunked", "Transfer-Encoding: Chunked"])
@pytest.mark.anyio
async def test_an_answer_in_chunks_is_read_and_its_connection_used_again(
    field: str, form: Form
) -> None:
    half = len(HEALTH) // 2
    chunks = [HEALTH[:half], HEALTH[half:], ""]
    body = "".join(f"{len(chunk):x}\r\n{chunk}\r\n" for chunk in chunks)
    text = _text(body, field)
    connections: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        for _ in range(2):
            connection.sendall(text)
            connection.recv(65536)

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            for _ in range(2):
                assert await _health(form, client) == "healthy"
    assert len(connections) == 1


@by_form
@pytest.mark.parametrize(
    ("version", "field"),
    [("1.1", "connection: close"), ("1.1", "Connection: TE, Close"), ("1.0", "x: y")],
)
@pytest.mark.anyio
async def test_a_connection_that_the_server_will_close_is_not_used_again(
    version: str, field: str, form: Form
) -> None:
    text = _text(HEALTH, f"content-length: {len(HEALTH)}", field).replace(
        b"1.1", version.encode(), 1
    )
    connections: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        connection.sendall(text)
        # It stays open until the client closes it.
        connection.recv(65536)

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            for _ in range(2):
                assert await _health(form, client) == "healthy"
    assert len(connections) == 2


@by_form
@pytest.mark.anyio
async def test_an_answer_without_its_last_chunk_is_not_complete(form: Form) -> None:
    text = _text(f"{len(HEALTH):x}\r\n{HEALTH}\r\n", "transfer-encoding: chunked")
    with OddServer(raw(text)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(ConnectionLost):
                await _health(form, client)


@by_form
@pytest.mark.anyio
async def test_an_answer_that_ends_with_its_connection_is_read(form: Form) -> None:
    with OddServer(raw(_text())) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            assert await _health(form, client) == "healthy"


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
@pytest.mark.anyio
async def test_what_is_said_before_the_answer_is_passed_over(form: Form) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"
    with OddServer(raw(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + _text())) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            response = await form("health.health_check", client=client)
    assert response.parsed.status == "healthy"
    assert [*response.headers] == ["content-type"]


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["a\r\nx-more: 1", "a\nb", "a\0", "a ", "\u00e9"])
async def test_a_header_field_that_cannot_be_sent_is_refused(value: str) -> None:
    request = replace(health_check.build_request(), headers={"x-one": value})
    with OddServer(answer(HEALTH)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(InvalidRequest):
                client.send(health_check.OPERATION, request)
            with pytest.raises(InvalidRequest):
                await client.send_async(health_check.OPERATION, request)
    assert server.requests == []


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
@pytest.mark.anyio
async def test_white_space_around_a_header_value_is_not_part_of_it(form: Form) -> None:
    with OddServer(raw(_text(HEALTH, "x-one: \t a b\t "))) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            response = await form("health.health_check", client=client)
    assert response.headers["x-one"] == "a b"


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
@pytest.mark.anyio
async def test_trailers_are_not_header_fields(form: Form) -> None:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    body = b"%x\r\n%b\r\n0\r\nx-one: 1\r\n\r\n" % (len(HEALTH), HEALTH.encode())
    with OddServer(raw(head + body)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            response = await form("health.health_check", client=client)
    assert response.parsed.status == "healthy"
    assert "x-one" not in response.headers


def wait_until_received(connection: socket.socket) -> None:
    """Wait until the other side's system has everything that was sent, or has hung up."""
    while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))):
        if select.select([connection], [], [], 0.001)[0]:
            return


@by_form
@pytest.mark.parametrize("after", ["at once", "no HTTP", "later"])
@pytest.mark.anyio
async def test_what_comes_unasked_is_no_answer_to_the_next_request(form: Form, after: str) -> None:
    length = f"content-length: {len(HEALTH)}"
    spoofed = HEALTH.replace("healthy", "spoofed")
    whole, other = _text(HEALTH, length), _text(spoofed, length, status="408 Request Timeout")
    seen: list[socket.socket] = []
    answered, sent = threading.Event(), threading.Event()

    def handle(connection: socket.socket) -> None:
        seen.append(connection)
        if len(seen) > 1:
            connection.sendall(whole)
            return
        connection.sendall(whole + {"at once": other, "no HTTP": b"\0"}.get(after, b""))
        if after == "later":
            assert answered.wait(30)
            connection.sendall(other)
            wait_until_received(connection)
        sent.set()
        # It stays open until the client closes it.
        connection.recv(65536)

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            assert await _health(form, client) == "healthy"
            answered.set()
            assert await asyncio.to_thread(sent.wait, 30)
            assert await _health(form, client) == "healthy"
    assert len(seen) == 2


NO_HTTP = {
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "no status": b"HTTP/1.1 007 OK\r\ncontent-length: 2\r\n\r\n{}",
    "an unknown coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a length and chunks": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a long head": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 2**20,
    "a long trailer": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"a" * 2**20
    ),
    "a long chunk extension": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=" + b"a" * 2**20
    ),
}


@by_form
@pytest.mark.parametrize("text", NO_HTTP.values(), ids=NO_HTTP)
@pytest.mark.anyio
async def test_what_is_no_http_is_told(form: Form, text: bytes) -> None:
    with OddServer(raw(text)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(ConnectionLost, match="invalid HTTP response") as raised:
                await _health(form, client)
    assert "\n" not in str(raised.value)
    assert ("the server speaks another protocol" in str(raised.value)) is (
        b"connection: upgrade" in text
    )
    # What is not HTTP at all shows by its beginning.
    assert (": it has b'SSH-2.0-OpenSSH_9.2" in str(raised.value)) is text.startswith(b"SSH")


@by_form
@pytest.mark.anyio
async def test_a_head_without_an_end_is_refused_however_it_arrives(form: Form) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
        for _ in range(64):
            connection.sendall(b"a" * 16384)
            wait_until_received(connection)

    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(ConnectionLost, match="the head is too large"):
                await _health(form, client)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError, SystemExit])
@by_form
@pytest.mark.anyio
async def test_an_interruption_while_an_answer_is_parsed_is_raised_as_it_is(
    form: Form, interruption: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(message: object, name: bytes, value: bytes) -> None:
        raise interruption

    monkeypatch.setattr("stepflow_api._transport.http11._Message.on_header", interrupt)
    with OddServer(answer(HEALTH)) as server, pytest.raises(interruption):
        # Raised here, since an event loop treats some of them in its own way.
        client = Client(server.url, server_version="0.11.1")
        try:
            if form.is_async:
                await health_check.asyncio(client=client)
            else:
                health_check.sync(client=client)
        finally:
            await client.aclose()


@by_form
@pytest.mark.anyio
async def test_requests_are_logged_without_header_fields_and_bodies(
    form: Form, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "stepflow_api")
    with OddServer(answer('{"blobId":"x"}')) as server:
        async with AuthenticatedClient(server.url, "token", server_version="0.11.1") as client:
            await form("blob.store_blob_bytes", b"content", client=client)
    found = [one.getMessage() for one in caplog.records if one.name == "stepflow_api"]
    assert found == ["sending POST /api/v1/blobs", "received 200"]


@pytest.mark.anyio
async def test_an_answer_that_comes_before_the_request_is_sent_is_taken() -> None:
    """A server that refuses a body and waits for the client to go would wait for ever."""
    done = threading.Event()

    def handle(connection: socket.socket) -> None:
        connection.sendall(_text("{}", "content-length: 2", status="413 Payload Too Large"))
        done.wait(30)

    with OddServer(handle, reads_bodies=False) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            with pytest.raises(PayloadTooLarge):
                await store_blob_bytes.asyncio(b"x" * 30_000_000, client=client)
            done.set()
