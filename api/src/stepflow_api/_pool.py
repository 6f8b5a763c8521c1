"""The connections of the sync forms, for any number of threads."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx


class SyncPool:
    """httpx clients, each lent to one request at a time.

    Threads that share one httpx client now and then lose a request: when its pool looks for dead
    connections, it closes one that another thread has just begun to use (httpcore 1.0).

    Args:
        transport: What all requests go through; by default each httpx client has a connection.
    """

    def __init__(self, transport: httpx.BaseTransport | None) -> None:
        self._transport = transport
        self._ssl: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._idle: list[httpx.Client] = []
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[httpx.Client]:
        """Lends an httpx client for one request."""
        with self._lock:
            http = self._idle.pop() if self._idle else self._make()
        try:
            yield http
        finally:
            with self._lock:
                closed = self._closed
                if not closed:
                    self._idle.append(http)
            if closed:
                http.close()

    def close(self) -> None:
        """Closes all connections: that of a request under way once it has its answer."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for http in idle:
            http.close()

    def _make(self) -> httpx.Client:
        if self._transport is not None:
            return httpx.Client(transport=_Borrowed(self._transport), verify=False)
        # Making this takes far longer than making a client, so all share it.
        self._ssl = self._ssl or httpx.create_ssl_context()
        return httpx.Client(verify=self._ssl)


class _Borrowed(httpx.BaseTransport):
    """Another's transport, which stays open when the httpx client around it is closed."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)
