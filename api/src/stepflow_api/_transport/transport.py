"""Moves one request to the server, and its response back: over own connections, or through httpx.

What only some programs need is imported when it is needed.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from stepflow_api._fork import reset_after_fork
from stepflow_api._headers import Fields
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.event_loops import asyncio_loop, loop_of_this_call
from stepflow_api._transport.settings import check_connection, check_limit, check_timeout
from stepflow_api._transport.timeouts import OVERDUE, Timeouts, timeouts
from stepflow_api._transport.tls import TLS
from stepflow_api.errors import InvalidRequest, StepflowError
from stepflow_api.types import UNSET

if TYPE_CHECKING:
    import asyncio

    from stepflow_api._httpx_types import HttpxProxy
    from stepflow_api._transport.async_connections import AsyncConnections
    from stepflow_api._transport.event_stream import AsyncEventStream, EventStream
    from stepflow_api._transport.http11 import Address
    from stepflow_api._transport.httpx_transport import HttpxTransport
    from stepflow_api._transport.sync_connections import SyncConnections


class Transport:
    """Transport to one server: own connections, or httpx for what was passed and for proxies.

    Args:
        base_url: Its URL with the API's prefix.
        headers: Header fields for every request; what is added to them later is sent as well.
        timeout: Seconds, a `Timeout` of httpx or httpx2, None for none, or `UNSET` for defaults.
        http_client: What to send through; stays open unless `is_own` is set.
        transport: What to send through; stays open.
        verify: Which certificates are trusted, as of `Client`.
        limit: Maximum size of a response body in bytes; None for no limit.

    Attributes:
        is_own: Whether nobody else uses the connections: none of a given `http_client` or
            `transport`, or of one that belongs to this client's owner.
        owner: Name of the object that alone uses the client; None for the client itself.

    Raises:
        InvalidRequest: An argument cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        headers: Fields,
        *,
        timeout: Any,
        http_client: Any,
        transport: Any,
        verify: Any,
        limit: int | None,
    ) -> None:
        check_timeout(timeout)
        check_limit(limit)
        library = check_connection(http_client, transport, verify)
        self._tls = TLS(verify)
        self._base_url = base_url
        self._headers = headers
        self._timeout = timeout
        self._limit = limit
        self._library = library
        self._http_client = http_client
        self._given_transport = transport
        self.is_own = library is None
        self.owner: str | None = None
        self._proxy = _proxy(base_url) if self.is_own else None
        self._is_direct = self.is_own and self._proxy is None
        self._closed = False
        self._reset_given: Callable[[], None] | None = None
        if not self.is_own:
            # Imported now: in a forked child, an import may wait for a thread that does not exist.
            from stepflow_api._transport.httpx_fork import reset_http

            self._reset_given = partial(reset_http, http_client, transport)
        self._begin()
        reset_after_fork(self, Transport._reset_in_child)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._connections: SyncConnections | None = None
        self._async_connections: AsyncConnections | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._httpx_transport: HttpxTransport | None = None

    def _reset_in_child(self) -> None:
        self._begin()
        if self._reset_given is not None:
            self._reset_given()

    def close(self) -> None:
        """Close the connections of the sync calls; those in use, after their responses."""
        with self._lock:
            self._closed = True
        if self._connections is not None:
            self._connections.close()
        if self._httpx_transport is not None:
            self._httpx_transport.close()
        if self.is_own and hasattr(self._http_client, "close"):
            self._http_client.close()

    async def aclose(self) -> None:
        """Close all connections; those in use are closed after their requests.

        Raises:
            InvalidRequest: No asyncio event loop is running; sync connections are closed.
        """
        self.close()
        if self._loop is asyncio_loop() and self._async_connections is not None:
            await self._async_connections.aclose()
        if self._httpx_transport is not None:
            await self._httpx_transport.aclose()
        if self.is_own and hasattr(self._http_client, "aclose"):
            await self._http_client.aclose()

    def abandon(self, name: str) -> None:
        """Close what a client left open that nobody can use any more, and warn of it.

        Args:
            name: Name of the client, for the warning, if it has no owner.
        """
        own = self._connections, self._async_connections
        is_open = any(one is not None and one.is_open for one in own)
        through_httpx = self._httpx_transport is not None and self.is_own
        if self._closed or not (is_open or through_httpx):
            return
        self.close()
        if self._async_connections is not None:
            self._async_connections.abandon()
        name = self.owner or name
        warnings.warn(
            f"unclosed {name} of {self._base_url}; use it in a with block, or close it",
            ResourceWarning,
            stacklevel=3,
            source=self,
        )

    def timeouts(self, timeout: Any) -> Timeouts:
        """Return the timeouts of a call that begins now.

        Args:
            timeout: That of the call; `UNSET` for the client's, or that of its `http_client`.

        Raises:
            InvalidRequest: It is not a timeout.
        """
        wanted = timeout
        if timeout is UNSET:
            wanted = self._timeout
            if wanted is UNSET and self._http_client is not None:
                wanted = self._http_client.timeout
        elif not isinstance(timeout, Timeouts):
            check_timeout(timeout)
        return timeouts(wanted)

    def send(self, request: Request, timeouts: Timeouts) -> Answer:
        """Send a request, and return the complete response, whatever its status.

        Raises:
            InvalidRequest: It cannot be sent.
            TransportError: No complete response arrived.
        """
        if self._closed:
            self._check_open()
        if not self._is_direct:
            return self._httpx().send(request, timeouts)
        connections = self._connections or self._make_connections()
        try:
            timeouts.begin()
            return connections.send(request, timeouts)
        except Exception as error:
            self._raise_failure(request, error)
            raise

    async def send_async(self, request: Request, timeouts: Timeouts) -> Answer:
        """Async version of `send`."""
        if self._closed:
            self._check_open()
        if not self._is_direct:
            return await self._httpx().send_async(request, timeouts)
        connections = self._async_connections
        if self._loop is not asyncio_loop() or connections is None:
            connections = self._make_async_connections()
        try:
            timeouts.begin()
            return await connections.send(request, timeouts)
        except Exception as error:
            self._raise_failure(request, error)
            raise

    def open(
        self, request: Request, timeouts: Timeouts, parse: Callable[[bytes], Any]
    ) -> EventStream | Answer:
        """Send a request, and return a stream of events as it arrives, or else the response.

        Args:
            request: What to send.
            timeouts: Those of the call, which bound it until the stream begins. From then on, the
                read timeout bounds each wait for the next event.
            parse: Makes a document of an event's data.

        Raises:
            InvalidRequest: It cannot be sent.
            TransportError: No response arrived.
        """
        self._check_open()
        return self._httpx().open(request, timeouts, parse)

    async def open_async(
        self, request: Request, timeouts: Timeouts, parse: Callable[[bytes], Any]
    ) -> AsyncEventStream | Answer:
        """Async version of `open`."""
        self._check_open()
        return await self._httpx().open_async(request, timeouts, parse)

    def timeout_error(self, request: Request) -> StepflowError:
        """Return the error for a request whose answer has not come in time."""
        from stepflow_api._transport.failures import failure
        from stepflow_api._transport.network_errors import ReadTimeout

        return failure(request, self.url(request), ReadTimeout(OVERDUE))

    def url(self, request: Request) -> str:
        """Return the URL of a request, without user and password."""
        return request.url(self._base_url)

    def _raise_failure(self, request: Request, error: Exception) -> None:
        """Raise this package's error for one of the network."""
        from stepflow_api._transport.failures import cause_to_show, failure, http_failures

        if isinstance(error, http_failures()):
            raise failure(request, self.url(request), error) from cause_to_show(error)

    def _make_connections(self) -> SyncConnections:
        from stepflow_api._transport.sync_connections import SyncConnections

        with self._lock:
            self._check_open()
            if self._connections is None:
                self._connections = SyncConnections(self._where())
            return self._connections

    def _make_async_connections(self) -> AsyncConnections:
        from stepflow_api._transport.async_connections import AsyncConnections

        with self._lock:
            self._loop = loop_of_this_call(self._loop)
            # SyncConnections of a closed loop went with it.
            self._async_connections = AsyncConnections(self._where())
            return self._async_connections

    def _where(self) -> Address:
        from stepflow_api._transport.http11 import Address

        return Address(self._base_url, self._headers, self._limit, self._tls)

    def _httpx(self) -> HttpxTransport:
        from stepflow_api._transport.httpx_libraries import default_httpx_library
        from stepflow_api._transport.httpx_transport import HttpxTransport

        with self._lock:
            self._check_open()
            if self._httpx_transport is None:
                self._httpx_transport = HttpxTransport(
                    self._library or default_httpx_library(),
                    self._base_url,
                    self._headers,
                    http_client=self._http_client,
                    transport=self._given_transport,
                    proxy=self._proxy,
                    limit=self._limit,
                    tls=self._tls,
                )
            return self._httpx_transport

    def _check_open(self) -> None:
        if self._closed:
            raise InvalidRequest(
                "this client is closed; create another, or use it inside its with block"
            )


def _proxy(base_url: str) -> HttpxProxy | None:
    """Return the proxy that the environment or the system sets for a server."""
    # Most environments set none, and importing the module that reads them takes time.
    if sys.platform not in ("darwin", "win32") and not any(
        name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in os.environ
    ):
        return None
    from stepflow_api._transport.proxies import environment_proxy

    return environment_proxy(base_url)
