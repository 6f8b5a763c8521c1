"""No variable of a frame shows a secret: tools print the variables of a traceback."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpx
import pytest
from rich.traceback import Traceback

from client.tests.calls import CALLS as METHODS
from client.tests.support import Driver
from stepflow_api import AuthenticatedClient, Client
from stepflow_api._transport.http11 import HTTP11Connection
from stepflow_client import RetryPolicy, errors
from tools.pytest.httpx_libraries import LIBRARIES, by_library, client_class
from tools.pytest.support import check_frames

TOKEN = "t0k3n-s3cr3t"
HEADER = "h34d3r-s3cr3t"
PASSWORD = "p4ssw0rd-s3cr3t"
BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
SECRETS = (TOKEN, HEADER, PASSWORD, BASIC)

CALL_HEADERS = {"x-call": HEADER}

ONCE = RetryPolicy(max_retries=0)


def check(error: BaseException) -> None:
    """Check that no variable of a frame shows a secret."""
    check_frames(error, *SECRETS)
    chain: list[BaseException | None] = [error]
    for one in chain:
        if one is not None and len(chain) < 20:
            assert not any(secret in f"{one} {one!r} {vars(one)}" for secret in SECRETS)
            chain += [one.__cause__, one.__context__]
    trace = Traceback.extract(type(error), error, error.__traceback__, show_locals=True)
    for stack in trace.stacks:
        for extracted in stack.frames:
            shown = "".join(str(node) for node in (extracted.locals or {}).values())
            is_ours = "/tests/" not in extracted.filename
            assert not (is_ours and any(one in shown for one in SECRETS)), extracted.name


FAULTS: dict[str, Callable[[socket.socket], object]] = {
    "cut": lambda connection: None,
    "no HTTP": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "status": lambda connection: connection.sendall(
        b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}"
    ),
    "wrong body": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]"
    ),
    "cut body": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n[]"
    ),
    "silent": lambda connection: connection.recv(1),
}


@contextmanager
def failing(fault: str) -> Iterator[str]:
    """Start a server that fails in this way, and yield its URL with a password."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65536)
                FAULTS[fault](connection)

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    if fault == "refused":
        listener.close()
    try:
        yield f"http://user:{PASSWORD}@127.0.0.1:{port}"
    finally:
        if fault != "refused":
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        thread.join()


# All but the first of a library.
WAYS = {
    "own": None,
    **{f"{library.__name__}-http_client": library for library in LIBRARIES},
    **{f"{library.__name__}-transport": library for library in LIBRARIES},
}


def _given(way: str, is_async: bool) -> dict[str, Any]:
    library = WAYS[way]
    if library is None:
        return {}
    name = way.partition("-")[2]
    if name == "http_client":
        return {name: client_class(library, is_async=is_async)()}
    return {name: library.AsyncHTTPTransport() if is_async else library.HTTPTransport()}


@contextmanager
def client_for(do: Driver, way: str, url: str, **options: Any) -> Iterator[Any]:
    """Create a client with a secret of every kind."""
    given = {"timeout": 0.3, **_given(way, do.is_async), **options}
    headers = {"x-custom": HEADER}
    client = do.client(url, token=TOKEN, headers=headers, retry=ONCE, **given)
    del headers
    try:
        yield client
    finally:
        do(client.close())
        for one in given.values():
            if hasattr(one, "aclose"):
                do(one.aclose())
            elif hasattr(one, "close"):
                one.close()


CALLS: dict[str, Callable[[Any], Any]] = {
    "health": lambda client: client.health(headers=CALL_HEADERS),
    "run": lambda client: client.submit("0" * 64, 1, headers=CALL_HEADERS),
    "results": lambda client: client.handle("00000000-0000-0000-0000-000000000001").results(
        timeout=0.3, headers=CALL_HEADERS
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_call(do: Driver, way: str, fault: str) -> None:
    with failing(fault) as url, client_for(do, way, url) as client:
        del url
        for call in CALLS.values():
            with pytest.raises(errors.StepflowError) as raised:
                do(call(client))
            check(raised.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_call_with_a_token_that_a_function_returns(do: Driver, fault: str) -> None:
    with failing(fault) as url:
        client = do.client(url, token=partial("{}".format, TOKEN), retry=ONCE, timeout=0.3)
        del url
        for call in CALLS.values():
            with pytest.raises(errors.StepflowError) as raised:
                do(call(client))
            check(raised.value)
        do(client.close())


@pytest.mark.parametrize("name", METHODS)
def test_the_header_fields_of_each_method(do: Driver, name: str) -> None:
    # Nobody listens there.
    with client_for(do, "own", "http://127.0.0.1:9") as client:
        with pytest.raises(errors.StepflowError) as raised:
            do(METHODS[name](client, timeout=0.3, headers=CALL_HEADERS))
        check(raised.value)


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_connection(do: Driver, way: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}"
        with client_for(do, way, url) as client:
            del url
            with pytest.raises(errors.StepflowError) as raised:
                do(CALLS["run"](client))
            check(raised.value)


@pytest.mark.parametrize(
    ("cls", "name"),
    [(HTTP11Connection, "send_request"), (HTTP11Connection, "receive_data")],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_fault_of_the_code(
    cls: type, name: str, do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        del arguments
        raise RuntimeError

    with failing("status") as url, client_for(do, "own", url, timeout=30) as client:
        del url
        monkeypatch.setattr(cls, name, fail)
        with pytest.raises(RuntimeError) as raised:
            do(CALLS["run"](client))
        monkeypatch.undo()
        check(raised.value)


@pytest.mark.parametrize("name", ["run", "submit", "run_batch", "submit_batch"])
def test_header_fields_of_a_call_with_an_option_that_does_not_exist(do: Driver, name: str) -> None:
    with failing("cut") as url, client_for(do, "own", url) as client:
        del url
        with pytest.raises(TypeError) as raised:
            do(getattr(client, name)("0" * 64, [1], headers=CALL_HEADERS, tmeout=3))
        check(raised.value)


@by_library
def test_a_header_of_an_http_client_that_cannot_be_sent(library: Any, do: Driver) -> None:
    cls = client_class(library, is_async=do.is_async)
    with (
        failing("cut") as url,
        client_for(do, "own", url, http_client=cls(headers={"x-own": f"{HEADER}\n"})) as client,
    ):
        del url
        with pytest.raises(errors.StepflowError) as raised:
            do(CALLS["health"](client))
        check(raised.value)


WRONG: dict[str, dict[str, Any]] = {
    "url": {"url": f"http://user:{PASSWORD}@localhost:port"},
    "URL of httpx": {"url": httpx.URL(f"http://user:{PASSWORD}@localhost")},
    "bytes": {"url": f"http://user:{PASSWORD}@localhost".encode()},
    "query": {"url": f"http://localhost?key={TOKEN}"},
    "scheme": {"url": f"ftp://user:{PASSWORD}@localhost"},
    "token": {"token": f"{TOKEN}\n"},
    "header value": {"headers": {"x-custom": f"{HEADER}\n"}},
    "header name": {"headers": {"x custom": HEADER}},
    "headers": {"headers": {"x-custom": HEADER, "x-other": 5}},
    "timeout": {"timeout": -1},
    "version": {"server_version": "none"},
    "proxy": {"proxy": f"socks9://user:{PASSWORD}@localhost:1"},
    "proxy beside a transport": {
        "proxy": f"http://user:{PASSWORD}@localhost:1",
        "transport": httpx.MockTransport(lambda request: httpx.Response(200)),
    },
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_client_that_cannot_be_made(do: Driver, wrong: str) -> None:
    with pytest.raises(errors.StepflowError) as raised:
        do.client(
            **{
                "url": f"http://user:{PASSWORD}@localhost",
                "token": TOKEN,
                "headers": {"x-custom": HEADER},
                **WRONG[wrong],
            }
        )
    check(raised.value)


@pytest.mark.parametrize("wrong", [name for name in WRONG if "proxy" not in name])
def test_a_client_of_the_api_that_cannot_be_made(wrong: str) -> None:
    options = {
        "base_url": f"http://user:{PASSWORD}@localhost",
        "token": TOKEN,
        "headers": {"x-custom": HEADER},
        **WRONG[wrong],
    }
    options["base_url"] = options.pop("url", options["base_url"])
    with pytest.raises(errors.StepflowError) as caught:
        AuthenticatedClient(**options)
    del options
    check(caught.value)


def test_a_url_of_the_environment(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPFLOW_URL", f"http://user:{PASSWORD}@localhost:port")
    monkeypatch.setenv("http_proxy", f"socks9://user:{PASSWORD}@proxy:1")
    for url in (None, "http://stepflow.example"):
        with pytest.raises(errors.StepflowError) as raised:
            do.client(url)
        check(raised.value)
    with pytest.raises(errors.StepflowError) as raised:
        Client(f"http://user:{PASSWORD}@stepflow.example")
    check(raised.value)
