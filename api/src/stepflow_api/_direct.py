"""The shortest way to a server, for clients that are made without an httpx client or transport.

An httpx client takes longer for a request than the network does: it looks for the transport, the
redirects and the cookies, and its pool goes through all requests and connections there are; in the
async forms it also tries an import that fails (httpcore 1.0 beside an anyio without sniffio). Here
the connections of httpcore, which httpx is built on, are used alone, one request at a time each.

Proxies that the environment names need httpx, and get it.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpcore
import httpx

from stepflow_api._constants import CONNECTIONS, KEEP_ALIVE, USER_AGENT
from stepflow_api._operation import Request

if TYPE_CHECKING:
    import asyncio


class Address:
    """Where requests go, and what all of them carry.

    Args:
        base_url: The server's URL with the API's prefix.
        headers: Header fields for every request; read when the first one is sent.
    """

    def __init__(self, base_url: str, headers: httpx.Headers) -> None:
        url = httpx.URL(base_url)
        secure = url.scheme == "https"
        self.origin = httpcore.Origin(
            url.raw_scheme, url.raw_host, url.port or (443 if secure else 80)
        )
        self._prefix = url.raw_path.decode("ascii")
        self._netloc = url.netloc
        self._headers = headers
        self._fields: dict[bytes, tuple[bytes, bytes]] | None = None
        self._ssl: ssl.SSLContext | None = None
        self._needs_tls = secure

    def prepare(self, request: Request, timeout: httpx.Timeout) -> httpcore.Request:
        """Gives a request in the form that a connection takes."""
        origin = self.origin
        query = f"?{urlencode(request.query)}" if request.query else ""
        target = f"{self._prefix}{request.path}{query}".encode("ascii")
        return httpcore.Request(
            request.method,
            httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target),
            headers=list(self._request_fields(request)),
            content=request.content,
            extensions={"timeout": timeout.as_dict()},
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """Gives what all TLS connections share; None where there is no TLS."""
        if self._needs_tls and self._ssl is None:
            # Making it takes longer than all else that a client does.
            self._ssl = httpx.create_ssl_context()
        return self._ssl

    def _request_fields(self, request: Request) -> Iterable[tuple[bytes, bytes]]:
        usual = self._fields = self._fields or self._usual_fields()
        if not request.headers and request.method == "GET":
            return usual.values()
        fields = usual.copy()
        for name, value in request.headers.items():
            field = name.encode("ascii")
            fields[field.lower()] = field, value.encode("ascii")
        if request.content is not None or request.method in ("POST", "PUT", "PATCH"):
            length = b"%d" % len(request.content or b"")
            fields[b"content-length"] = b"Content-Length", length
        return fields.values()

    def _usual_fields(self) -> dict[bytes, tuple[bytes, bytes]]:
        usual = [
            (b"Host", self._netloc),
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", b"gzip, deflate"),
            (b"Connection", b"keep-alive"),
            (b"User-Agent", USER_AGENT.encode("ascii")),
        ]
        return {name.lower(): (name, value) for name, value in (*usual, *self._headers.raw)}


class Received:
    """A whole answer.

    Attributes:
        status_code: HTTP status.
        headers: Header fields.
        pieces: The body as it came, decompressed.
    """

    __slots__ = ("headers", "pieces", "status_code")

    def __init__(self, status_code: int, headers: Any, pieces: list[bytes]) -> None:
        self.status_code = status_code
        self.headers = httpx.Headers(headers)
        self.pieces = pieces
        if "content-encoding" in self.headers:
            body = httpx.ByteStream(b"".join(pieces))
            self.pieces = [httpx.Response(status_code, headers=headers, stream=body).read()]


class Connections:
    """Connections for any number of threads.

    Args:
        address: Where to.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._idle: list[httpcore.HTTPConnection] = []
        self._closed = False

    def send(self, request: Request, timeout: httpx.Timeout) -> Received:
        """Sends a request.

        Raises:
            httpx.HTTPError: No whole answer arrived.
        """
        prepared = self._address.prepare(request, timeout)
        connection = self._take()
        try:
            response = connection.handle_request(prepared)
            try:
                pieces = list(response.iter_stream())
            finally:
                response.close()
        except _HTTPCORE_FAILURES as error:
            raise _as_httpx(error) from error
        finally:
            self._give_back(connection)
        return Received(response.status, response.headers, pieces)

    def close(self) -> None:
        """Closes all connections: that of a request under way once it has its answer."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> httpcore.HTTPConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return httpcore.HTTPConnection(
                    self._address.origin,
                    ssl_context=self._address.ssl_context(),
                    keepalive_expiry=KEEP_ALIVE,
                )
            if connection.is_available() and not connection.has_expired():
                return connection
            connection.close()

    def _give_back(self, connection: httpcore.HTTPConnection) -> None:
        with self._lock:
            if not self._closed and connection.is_available():
                self._idle.append(connection)
                return
        connection.close()


_HTTPCORE_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


def _as_httpx(error: Exception) -> httpx.HTTPError:
    """Gives httpx's error of the same name: httpx has all of httpcore's."""
    kind: type[httpx.RequestError] = getattr(httpx, type(error).__name__)
    return kind(str(error))


class AsyncConnections:
    """Connections for the tasks of one event loop.

    Args:
        address: Where to.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._free: asyncio.Semaphore | None = None
        self._idle: list[httpcore.AsyncHTTPConnection] = []
        self._closed = False

    async def send(self, request: Request, timeout: httpx.Timeout) -> Received:
        """Does what `Connections.send` does, without blocking.

        Raises:
            httpx.HTTPError: No whole answer arrived, or no connection came free in time.
        """
        prepared = self._address.prepare(request, timeout)
        free = await self._wait(timeout.pool)
        connection = None
        try:
            connection = await self._take()
            response = await connection.handle_async_request(prepared)
            try:
                pieces = [piece async for piece in response.aiter_stream()]
            finally:
                await response.aclose()
        except _HTTPCORE_FAILURES as error:
            raise _as_httpx(error) from error
        finally:
            free.release()
            if connection is not None:
                await self._give_back(connection)
        return Received(response.status, response.headers, pieces)

    async def aclose(self) -> None:
        """Closes all connections: that of a request under way once it has its answer."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.aclose()

    async def _wait(self, seconds: float | None) -> asyncio.Semaphore:
        # Importing it takes long, and here it is imported.
        import asyncio

        free = self._free = self._free or asyncio.Semaphore(CONNECTIONS)
        if not free.locked():
            await free.acquire()
            return free
        try:
            async with asyncio.timeout(seconds):
                await free.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("") from None
        return free

    async def _take(self) -> httpcore.AsyncHTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            self._address.origin,
            ssl_context=self._address.ssl_context(),
            keepalive_expiry=KEEP_ALIVE,
        )

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        if not self._closed and connection.is_available():
            self._idle.append(connection)
        else:
            await connection.aclose()
