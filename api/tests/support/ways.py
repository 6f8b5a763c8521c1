"""All ways to reach a server: own connections, httpx and httpx2, with and without TLS."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from api.tests.support.echo_server import CERTIFICATE, EchoServer
from stepflow_api import Client
from stepflow_api.api.blob import get_blob
from tools.pytest.httpx_libraries import LIBRARIES, client_class


def retrying(library: Any, wrapped: Any) -> Any:
    """Return a user's transport that wraps one of httpx or httpx2."""

    class Retrying(library.BaseTransport):  # type: ignore[misc]
        def __init__(self) -> None:
            self.wrapped = [wrapped]

        def handle_request(self, request: Any) -> Any:
            return self.wrapped[0].handle_request(request)

        def close(self) -> None:
            self.wrapped[0].close()

    return Retrying()


@dataclass(frozen=True)
class Way:
    """A way to a server.

    Attributes:
        name: For the test's id.
        is_async: Whether the async forms are called.
        tls: Whether the server speaks TLS.
        options: Makes a client's options, with the context of TLS.
        proxy: Whether the environment names the server as a proxy.
    """

    name: str
    is_async: bool
    tls: bool
    options: Callable[[ssl.SSLContext], dict[str, Any]]
    proxy: bool = False


def _ways() -> Iterator[Way]:
    for tls in (False, True):
        end = "-tls" if tls else ""
        yield Way(f"sync-own{end}", False, tls, lambda context: {})
        yield Way(f"async-own{end}", True, tls, lambda context: {})
        for library in LIBRARIES:
            for is_async, kind in ((False, "sync"), (True, "async")):
                of, name = partial(_given, library, is_async), f"{kind}-{library.__name__}"
                yield Way(f"{name}-http_client{end}", is_async, tls, partial(of, "http_client"))
                yield Way(f"{name}-transport{end}", is_async, tls, partial(of, "transport"))
    for library in LIBRARIES:
        name = f"sync-{library.__name__}-wrapped-transport"
        yield Way(name, False, False, partial(_given, library, False, "wrapped"))
    yield Way("sync-proxy", False, False, lambda context: {}, proxy=True)
    yield Way("async-proxy", True, False, lambda context: {}, proxy=True)


def _given(library: Any, is_async: bool, what: str, context: ssl.SSLContext) -> dict[str, Any]:
    if what == "http_client":
        return {what: client_class(library, is_async=is_async)(verify=context)}
    cls = library.AsyncHTTPTransport if is_async else library.HTTPTransport
    transport = cls(verify=context)
    return {"transport": retrying(library, transport) if what == "wrapped" else transport}


WAYS = list(_ways())


class Caller:
    """Calls to one server in one way, from any process.

    Args:
        way: The way.
        client: The client.
    """

    def __init__(self, way: Way, client: Client) -> None:
        self._way = way
        self._client = client
        self.runner = asyncio.Runner()
        # The event loop of the parent, and of no child.
        self._owner = os.getpid()

    def __call__(self, *names: str) -> list[str]:
        """Request blobs one after another, and return the ids in the responses."""
        if not self._way.is_async:
            return [get_blob.sync(name, client=self._client).blob_id for name in names]
        if os.getpid() != self._owner:
            return asyncio.run(self._ask(names))
        return self.runner.run(self._ask(names))

    async def _ask(self, names: tuple[str, ...]) -> list[str]:
        return [(await get_blob.asyncio(name, client=self._client)).blob_id for name in names]

    def close(self, *given: Any) -> None:
        """Close the client, the transport passed to it, and the parent's event loop."""
        self.runner.run(self._client.aclose())
        for one in given:
            if hasattr(one, "aclose"):
                self.runner.run(one.aclose())
            else:
                one.close()
        self.runner.close()


def start(
    way: Way, opened: ExitStack, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[EchoServer, Caller]:
    """Start a server, and create its caller.

    Args:
        way: How it is called.
        opened: Closes both.
        monkeypatch: Sets the variables of the environment that the way needs.
        **options: Those of `EchoServer`.
    """
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    server = opened.enter_context(EchoServer(tls=way.tls, **options))
    url = server.url
    if way.proxy:
        monkeypatch.setenv("http_proxy", url)
        url = "http://stepflow.example"
    given = way.options(ssl.create_default_context(cafile=CERTIFICATE))
    version = None if options else "0.11.1"
    caller = Caller(way, Client(url, timeout=30, server_version=version, **given))
    opened.callback(caller.close, *given.values())
    return server, caller
