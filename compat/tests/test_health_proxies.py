"""A real proxy that answers /health itself, before real servers: a clear error, no wrong data."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from api.tests.support.flows import UNKNOWN_HASH, message_flow
from compat.tests.calls import Caller, fields
from stepflow_client import StepflowClient, SyncStepflowClient, errors
from tools.spec.server import StepflowServer

BINARIES = dict(one.split("=") for one in os.environ["STEPFLOW_SERVERS"].split())
MESSAGE = message_flow(name="proxied").to_dict()

HEALTHS = {
    "no version": (200, "application/json", b'{"status":"healthy","timestamp":"t"}'),
    "page": (200, "text/html", b"<html>It works</html>"),
    "none": (404, "text/plain", b"no such page"),
    "other JSON": (200, "application/json", b'{"status":"UP"}'),
    "list": (200, "application/json", b"[1]"),
}

CALLS: dict[str, Callable[[Any], Any]] = {
    "run": lambda client: client.run(MESSAGE, {"prompt": "a"}),
    "run_batch": lambda client: client.run_batch(MESSAGE, [{"prompt": "a"}, {}]),
    "list_runs": lambda client: client.list_runs(limit=1),
    "list_components": lambda client: client.list_components(),
    "list_components, short": lambda client: client.list_components(include_schemas=False),
    "validate": lambda client: client.validate(MESSAGE),
    "store_flow": lambda client: client.store_flow({**MESSAGE, "name": "more"}),
    "get_flow": lambda client: client.get_flow(UNKNOWN_HASH),
    "get_variables": lambda client: client.get_variables(UNKNOWN_HASH),
    "put_blob": lambda client: client.put_blob({"a": "b"}),
    "get_blob": lambda client: client.get_blob(UNKNOWN_HASH),
}


class Proxy(ThreadingHTTPServer):
    """Passes everything on but /health.

    Attributes:
        runs: How many requests for a run came.
    """

    daemon_threads = True

    def __init__(self, server: StepflowServer, health: tuple[int, str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = server.port
        self.health = health
        self.runs = 0

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path.endswith("/health"):
            self._answer(*self.server.health)
            return
        if self.command == "POST" and self.path.endswith("/runs"):
            self.server.runs += 1
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "accept")}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        self._answer(answer.status, answer.headers.get("content-type", ""), answer.read())
        upstream.close()

    do_GET = do_POST = do_DELETE = _pass

    def _answer(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        if kind:
            self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module", params=["0.10.0", "0.13.0"])
def version(request: pytest.FixtureRequest) -> str:
    """The version behind the proxy."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(version: str) -> Iterator[StepflowServer]:
    """A server behind the proxy."""
    with StepflowServer(BINARIES[version]) as server:
        yield server


@pytest.fixture(params=HEALTHS)
def proxy(request: pytest.FixtureRequest, server: StepflowServer) -> Iterator[Proxy]:
    """A proxy that rewrites /health."""
    proxy = Proxy(server, HEALTHS[request.param])
    thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()
    thread.join(30)


def outcome(caller: Caller, call: Callable[[Any], Any]) -> Any:
    """Return the outcome of a call: its result or its error."""
    try:
        value = caller(call(caller.client))
    except errors.StepflowError as error:
        return error
    return fields(
        list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else value
    )


@pytest.mark.parametrize("cls", [SyncStepflowClient, StepflowClient])
@pytest.mark.parametrize("name", CALLS)
def test_right_data_or_a_clear_error(
    name: str, cls: type[Any], proxy: Proxy, server: StepflowServer, version: str
) -> None:
    direct = Caller(cls, server.url)
    told = Caller(cls, proxy.url, server_version=version)
    asking = Caller(cls, proxy.url)
    try:
        direct(direct.client.run(MESSAGE, {"prompt": "a"}))
        guessed = outcome(asking, CALLS[name])
        assert proxy.runs <= 1
        expected = outcome(direct, CALLS[name])
        right = outcome(told, CALLS[name])
    finally:
        for one in (direct, told, asking):
            one.close()
    if isinstance(expected, errors.StepflowError):
        # An error is one either way, and told where the version is.
        assert isinstance(guessed, errors.StepflowError)
        assert type(right) is type(expected)
    else:
        assert right == expected
        assert isinstance(guessed, errors.StepflowError) or guessed == expected
    if isinstance(guessed, errors.StepflowError):
        assert "\n" not in str(guessed)
