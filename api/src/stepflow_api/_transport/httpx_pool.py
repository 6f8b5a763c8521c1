"""httpx clients for a transport that the caller passed, and for proxies of the environment.

Each pool lends httpx clients, each to one request at a time. One httpx client for all would be less
code and lose requests: when its own pool looks for dead connections, it now and then closes one
that another thread has just begun to use. It also looks the longer the more requests there are:
64 tasks take four times as long (httpcore 1.0).
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from stepflow_api._constants import CONNECTIONS
from stepflow_api._fork import reset_after_fork
from stepflow_api._transport.httpx_fork import reset_http
from stepflow_api._transport.httpx_libraries import described
from stepflow_api._transport.network_errors import PoolTimeout
from stepflow_api._transport.timeouts import Timeouts
from stepflow_api._transport.tls import TLS
from stepflow_api.errors import InvalidRequest

if TYPE_CHECKING:
    import asyncio

    import httpx

    from stepflow_api._httpx_types import HttpxProxy


class SyncPool:
    """httpx clients for any number of threads.

    Args:
        library: httpx or httpx2.
        transport: Transport for all requests; by default each httpx client has a connection.
        tls: TLS settings of these connections.
        proxy: The proxy to connect through; httpx itself does not read the environment.
    """

    def __init__(
        self,
        library: Any,
        transport: httpx.BaseTransport | None,
        tls: TLS,
        proxy: HttpxProxy | None,
    ) -> None:
        self._library = library
        self._transport = _borrowed(library, transport)
        self._proxy = proxy
        self._tls = tls
        self._closed = False
        self._begin()
        reset_after_fork(self, SyncPool._begin)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._idle: list[httpx.Client] = []

    @contextmanager
    def acquire(self) -> Generator[httpx.Client]:
        """Lend an httpx client for one request."""
        with self._lock:
            http = self._idle.pop() if self._idle else self._make()
        try:
            yield http
        finally:
            with self._lock:
                if not self._closed:
                    self._idle.append(http)
            if self._closed:
                http.close()

    def close(self) -> None:
        """Close all connections; those in use, after their responses."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for http in idle:
            http.close()

    def _make(self) -> httpx.Client:
        library = self._library
        http: httpx.Client
        if self._transport is not None:
            http = library.Client(transport=self._transport, verify=False)
            return http
        http = library.Client(verify=self._tls.context(), proxy=self._proxy, trust_env=False)
        reset_after_fork(http, reset_http)
        return http


class AsyncPool:
    """httpx clients for the tasks of one event loop; the arguments are those of `SyncPool`."""

    def __init__(
        self,
        library: Any,
        transport: httpx.AsyncBaseTransport | None,
        tls: TLS,
        proxy: HttpxProxy | None,
    ) -> None:
        self._library = library
        self._transport = _borrowed(library, transport)
        self._proxy = proxy
        self._tls = tls
        self._free: asyncio.Semaphore | None = None
        self._idle: list[httpx.AsyncClient] = []
        self._closed = False

    @asynccontextmanager
    async def acquire(self, timeouts: Timeouts) -> AsyncGenerator[httpx.AsyncClient]:
        """Lend an httpx client for one request.

        Args:
            timeouts: Those of the call, which begins a new exchange once it has a client.

        Raises:
            PoolTimeout: None was free in time.
        """
        # Importing it takes long, and here it is imported.
        import asyncio

        self._free = self._free or asyncio.Semaphore(CONNECTIONS)
        try:
            is_locked = self._free.locked()
            async with asyncio.timeout(timeouts.bound(timeouts.pool) if is_locked else None):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("") from None
        try:
            timeouts.begin()
            http = self._idle.pop() if self._idle else self._make()
            try:
                yield http
            finally:
                if self._closed:
                    await http.aclose()
                else:
                    self._idle.append(http)
        finally:
            self._free.release()

    async def aclose(self) -> None:
        """Close all connections; those in use, after their responses."""
        self._closed = True
        idle, self._idle = self._idle, []
        for http in idle:
            await http.aclose()

    def _make(self) -> httpx.AsyncClient:
        library = self._library
        http: httpx.AsyncClient
        if self._transport is not None:
            http = library.AsyncClient(transport=self._transport, verify=False)
            return http
        http = library.AsyncClient(verify=self._tls.context(), proxy=self._proxy, trust_env=False)
        reset_after_fork(http, reset_http)
        return http


class _Borrowed:
    """A caller's transport, which stays open when the httpx client around it is closed."""

    def __init__(self, library: Any, transport: Any) -> None:
        self._library = library
        self._transport = transport

    def handle_request(self, request: Any) -> Any:
        return self._checked(self._transport.handle_request(request))

    async def handle_async_request(self, request: Any) -> Any:
        return self._checked(await self._transport.handle_async_request(request))

    def _checked(self, response: Any) -> Any:
        # The library only asserts it, without a word.
        if isinstance(response, self._library.Response):
            return response
        library = self._library.__name__
        raise InvalidRequest(
            f"the transport is one of {library}, and its response is {described(response)}; return"
            f" an {library}.Response"
        )


def _borrowed(library: Any, transport: Any) -> Any:
    """Return a transport of the library that uses another, or None for None."""
    bases = (_Borrowed, library.BaseTransport, library.AsyncBaseTransport)
    return None if transport is None else type("Borrowed", bases, {})(library, transport)
