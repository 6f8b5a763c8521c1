"""`verify=`: which certificates a client trusts, and the one that it presents itself."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from api.tests.support.forks import Forked
from api.tests.support.forms import PLAIN, Form
from api.tests.support.odd_server import CERTIFICATE, OddServer, answer
from stepflow_api import AuthenticatedClient, Client
from stepflow_api.api.health import health_check
from stepflow_api.errors import ConnectionFailed, ConnectionLost, InvalidRequest
from stepflow_api.lowlevel import Operation

HEALTH = answer('{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}')

#: The name that OpenSSL looks for in a folder: `openssl x509 -hash -in tls.pem`.
HASHED = "7f933e3d.0"

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def folder(path: Path) -> Path:
    """Return a folder with the certificate under its hash, and with another file."""
    shutil.copy(CERTIFICATE, path / HASHED)
    (path / "README").touch()
    return path


KINDS: dict[str, Callable[[Path], Any]] = {
    "text": lambda path: str(CERTIFICATE),
    "path": lambda path: CERTIFICATE,
    "folder": folder,
    "context": lambda path: ssl.create_default_context(cafile=CERTIFICATE),
    "False": lambda path: False,
}

by_kind = pytest.mark.parametrize("kind", KINDS)


@by_kind
@by_form
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.anyio
async def test_a_certificate_is_trusted(
    version: str, form: Form, kind: str, tmp_path: Path
) -> None:
    verify = KINDS[kind](tmp_path)
    protocols = []

    def handle(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        protocols.append((connection.version(), connection.selected_alpn_protocol()))
        HEALTH(connection)

    # A proxy before the server may prefer HTTP/2.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.load_cert_chain(CERTIFICATE)
    with OddServer(handle, tls=context) as server:
        async with AuthenticatedClient(server.url, "token", verify=verify) as client:
            for _ in range(2):
                health = await form("health.health_check", client=client)
                assert health.status == "healthy"
    assert server.headers()["authorization"] == "Bearer token"
    assert {*protocols} == {(version.replace("_", "."), "http/1.1")}


#: A certificate of nobody's, that of another authority.
OTHER = """-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUFL34aDlwmalqD0zM6TO+f/oJz0kwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRQW5vdGhlciBhdXRob3JpdHkwIBcNMjYxMTMwMDcxNTU2WhgP
MjEyNjExMDYwNzE1NTZaMBwxGjAYBgNVBAMMEUFub3RoZXIgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEilfQX8LUvrXrt6thx/pEsVvdC6icq2to
eRnfkIqR6obaPoNcwh7Y7+XHpT/0x4xr9bvjk0Jub3qJrvBxdeoiKqNTMFEwHQYD
VR0OBBYEFBtS6TBrdn3pMOGt4OY94p01cOoRMB8GA1UdIwQYMBaAFBtS6TBrdn3p
MOGt4OY94p01cOoRMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIh
AMhhYb4K/XrbfOU7OlViq7z4mXQU2S0eQjecVB4mszEGAiBN9AidlE8hj22L15nC
ArqigAaPy3JTk+S+14Qq9I/VkA==
-----END CERTIFICATE-----
"""


@by_form
@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.anyio
async def test_no_certificate_of_the_environment_is_trusted_beside_those_given(
    kind: str, form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    other = tmp_path / "b38f2e57.0"
    other.write_text(OTHER)
    with OddServer(HEALTH, tls=True) as server:
        async with Client(server.url, verify=other if kind == "file" else tmp_path) as client:
            with pytest.raises(ConnectionFailed, match="certificate is not trusted"):
                await form("health.health_check", client=client)
    assert not server.requests


@by_form
@pytest.mark.anyio
async def test_a_folder_of_the_environment(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An empty variable is none.
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", str(folder(tmp_path)))
    with OddServer(HEALTH, tls=True) as server:
        async with Client(server.url) as client:
            assert await form("health.health_check", client=client)


@by_form
@pytest.mark.anyio
async def test_no_certificate_is_trusted_by_default(form: Form) -> None:
    with OddServer(HEALTH, tls=True) as server:
        for options in ({}, {"verify": True}, {"verify": ssl.create_default_context()}):
            async with Client(server.url, **options) as client:
                with pytest.raises(ConnectionFailed, match=r"certificate is not trusted.*verify="):
                    await form("health.health_check", client=client)
    assert not server.requests


@contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Hand one connection after the other to a function, and yield the port."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(ConnectionError):
                    handle(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture
def port_without_tls() -> Iterator[int]:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    with serving(handle) as port:
        yield port


@by_form
@pytest.mark.anyio
async def test_a_server_without_tls(form: Form, port_without_tls: int) -> None:
    url = f"https://127.0.0.1:{port_without_tls}"
    for library in (None, httpx, httpx2):
        cls: Any = library and getattr(library, "AsyncClient" if form.is_async else "Client")
        http = cls and cls()
        async with Client(url, http_client=http) as client:
            with pytest.raises(ConnectionFailed) as raised:
                await form("health.health_check", client=client)
        if http is not None:
            await http.aclose() if form.is_async else http.close()
        assert "no connection, since the server does not speak TLS (" in str(raised.value)
        assert str(raised.value).endswith("); is its URL http://, not https://?")


@by_form
@pytest.mark.anyio
async def test_a_proxy_without_tls(
    form: Form, port_without_tls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{port_without_tls}")
    async with Client("https://stepflow.example") as client:
        with pytest.raises(ConnectionFailed) as raised:
            await form("health.health_check", client=client)
    where = f"no connection through the proxy https://127.0.0.1:{port_without_tls} ("
    assert where in str(raised.value)


@by_form
@pytest.mark.anyio
async def test_a_certificate_of_another_name(form: Form) -> None:
    with OddServer(HEALTH, tls=True) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        async with Client(url, verify=CERTIFICATE) as client:
            with pytest.raises(ConnectionFailed, match=r"not trusted.*localhost"):
                await form("health.health_check", client=client)
        async with Client(url, verify=False) as client:
            assert await form("health.health_check", client=client)


def server_that_wants_a_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=CERTIFICATE)
    context.load_cert_chain(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@by_form
@pytest.mark.anyio
async def test_a_server_that_wants_a_certificate(form: Form, version: str) -> None:
    wants = server_that_wants_a_certificate()
    wants.maximum_version = ssl.TLSVersion[version]
    context = ssl.create_default_context(cafile=CERTIFICATE)
    with OddServer(HEALTH, tls=wants) as server:
        async with Client(server.url, verify=context, server_version="0.11.1") as client:
            # The connection may be reset before the reason for it is read.
            with pytest.raises((ConnectionFailed, ConnectionLost)) as raised:
                await form("health.health_check", client=client)
        assert not server.requests
        # In TLS 1.2, the server does not say what is missing.
        if "CERTIFICATE_REQUIRED" in str(raised.value):
            assert isinstance(raised.value, ConnectionFailed)
            assert "load_cert_chain" in str(raised.value)
        context.load_cert_chain(CERTIFICATE)
        async with Client(server.url, verify=context) as client:
            assert await form("health.health_check", client=client)


ALERTS = {
    "bad_certificate": 42,
    "unsupported_certificate": 43,
    "certificate_revoked": 44,
    "certificate_expired": 45,
    "certificate_unknown": 46,
    "unknown_ca": 48,
    "certificate_required": 116,
}


@contextmanager
def alerting(code: int) -> Iterator[str]:
    """Start a server that answers each greeting by an alert of TLS, and yield its URL."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x15\x03\x03\0\2\2" + bytes([code]))
        while connection.recv(65536):
            pass

    with serving(handle) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.mark.parametrize("name", ALERTS)
@by_form
@pytest.mark.anyio
async def test_a_server_that_does_not_trust_the_clients_certificate(form: Form, name: str) -> None:
    with alerting(ALERTS[name]) as url:
        async with Client(url, verify=CERTIFICATE) as client:
            with pytest.raises(ConnectionFailed) as raised:
                await form("health.health_check", client=client)
    assert name in str(raised.value).lower()
    assert str(raised.value).endswith("pass verify= an ssl.SSLContext with one (load_cert_chain)")


EVENTS: Operation[None, None] = Operation(id="events", method="GET", path="/events", answers={})


@by_form
@pytest.mark.anyio
async def test_a_stream_of_events(form: Form) -> None:
    data = b'data: {"sequenceNumber":0,"timestamp":"t","event":{"Odd":{}}}\n\n'
    events = answer(data, content_type="text/event-stream")
    with OddServer(events, tls=True) as server:
        async with Client(server.url, verify=CERTIFICATE, server_version="0.13.0") as client:
            request = EVENTS.request()
            if form.is_async:
                stream = await client.open_async(EVENTS, request, timeout=None)
                assert await stream.read(30)
                await stream.close()
            else:
                sync_stream = client.open(EVENTS, request, timeout=None)
                assert sync_stream.read(30)
                sync_stream.close()
    assert len(server.requests) == 1


@contextmanager
def tunnel(port: int) -> Iterator[str]:
    """Start a proxy that connects every caller to this port, and yield its URL."""

    def pipe(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def handle(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            assert connection.recv(65536).startswith(b"CONNECT stepflow.example:443 ")
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pipe, args=(server, connection))
            back.start()
            pipe(connection, server)
            back.join()

    with serving(handle) as own:
        yield f"http://127.0.0.1:{own}"


@by_form
@pytest.mark.anyio
async def test_through_a_proxy(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=CERTIFICATE)
    # The certificate is for the address alone.
    context.check_hostname = False
    with (
        OddServer(HEALTH, tls=True) as server,
        tunnel(int(server.url.rpartition(":")[2])) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy)
        for verify in (context, False):
            async with Client("https://stepflow.example", verify=verify) as client:
                assert await form("health.health_check", client=client)
        async with Client("https://stepflow.example", verify=CERTIFICATE) as client:
            with pytest.raises(ConnectionFailed, match=r"not trusted.*stepflow\.example"):
                await form("health.health_check", client=client)


def test_a_forked_child() -> None:
    with OddServer(HEALTH, tls=True) as server, Client(server.url, verify=CERTIFICATE) as client:

        def ask() -> str:
            return health_check.sync(client=client).status

        assert ask() == "healthy"
        assert Forked(ask).result() == "healthy"
        assert ask() == "healthy"


def refused(**options: Any) -> str:
    with pytest.raises(InvalidRequest) as raised:
        Client("https://localhost", **options)
    message = str(raised.value)
    assert message.isprintable()
    # Sandboxes have long paths.
    assert len(message.replace(str(options["verify"]), "")) < 200
    return message


@pytest.mark.parametrize("verify", [None, 0, 1, 2.5, b"ca.pem", object(), []], ids=str)
def test_what_is_no_verification(verify: Any) -> None:
    assert refused(verify=verify).startswith(
        f"verify is of type {type(verify).__name__}; pass True, "
    )


def test_a_class_is_no_verification() -> None:
    assert refused(verify=ssl.SSLContext).startswith("verify is the class ssl.SSLContext; pass ")


def test_a_path_that_cannot_be_used(tmp_path: Path) -> None:
    missing, text, binary, empty = (tmp_path / name for name in ("m", "t", "b", "e"))
    text.write_text("no certificate")
    binary.write_bytes(b"\0\xff" * 100)
    empty.mkdir()
    # Not what OpenSSL looks for: the second is a list of revoked certificates.
    for name in ("ca.pem", "7f933e3d.r0", "7f933e3d.0.bak", "0.0"):
        (empty / name).touch()
    for path in (missing, text, binary):
        message = refused(verify=path)
        assert message.startswith(f"verify is {str(path)!r}, which cannot be used: ")
        assert message.endswith("; pass a file of CA certificates in PEM format")
    assert refused(verify=str(empty)).endswith("; run `openssl rehash` on it")
    refused(verify="ca\0.pem")
    # The ssl module would use the certificates of the system.
    assert refused(verify="").startswith("verify is '', which cannot be used: ")


@by_form
@pytest.mark.anyio
async def test_a_file_of_the_environment_that_cannot_be_used(
    form: Form, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = tmp_path / "t"
    text.write_text("no certificate")
    with OddServer(HEALTH, tls=True) as server:
        for path in (tmp_path / "missing", text):
            monkeypatch.setenv("SSL_CERT_FILE", str(path))
            async with Client(server.url) as client:
                with pytest.raises(InvalidRequest) as raised:
                    await form("health.health_check", client=client)
            message = str(raised.value)
            assert message.startswith(f"$SSL_CERT_FILE is {str(path)!r}, which cannot be used: ")
            assert message.endswith(", or pass verify=")


@pytest.mark.parametrize("proxy", [False, True], ids=["own", "through a proxy"])
@by_form
@pytest.mark.anyio
async def test_a_program_without_the_usual_certificates(
    form: Form, proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> ssl.SSLContext:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(httpx, "create_ssl_context", missing)
    monkeypatch.setenv("SSL_CERT_FILE", "")
    if proxy:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with Client("https://stepflow.invalid" if proxy else "https://127.0.0.1:1") as client:
        with pytest.raises(InvalidRequest) as raised:
            await form("health.health_check", client=client)
    assert str(raised.value) == (
        "the file of CA certificates of certifi cannot be used: [Errno 2] No such file or"
        " directory; set SSL_CERT_FILE to a file of CA certificates in PEM format, or pass verify="
    )


@pytest.mark.anyio
async def test_certificates_that_cannot_be_used_use_up_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_api._transport.httpx_pool.CONNECTIONS", 1)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    async with Client("https://localhost", server_version="0.13.0") as client:
        for _ in range(2):
            with pytest.raises(InvalidRequest, match="SSL_CERT_FILE is"):
                await client.open_async(EVENTS, EVENTS.request(), timeout=1)


def test_a_context_for_servers() -> None:
    message = refused(verify=server_that_wants_a_certificate())
    assert message.endswith("for servers; use ssl.create_default_context()")


def test_what_has_its_own_verification() -> None:
    for given in (
        {"http_client": httpx.Client(verify=False)},
        {"transport": httpx.HTTPTransport(verify=False)},
    ):
        for verify in (False, CERTIFICATE):
            assert refused(verify=verify, **given) == (
                f"verify cannot be combined with {next(iter(given))}; set it on that, or remove"
                " that"
            )
        with Client("https://localhost", verify=True, **given):
            pass
        for one in given.values():
            one.close()
