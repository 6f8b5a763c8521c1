"""Moves one request over the network, and its answer back, with or without blocking."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    nullcontext,
)
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import getproxies

import httpx

from stepflow_api._constants import (
    CONNECT_TIMEOUT,
    POOL_TIMEOUT,
    READ_TIMEOUT,
    USER_AGENT,
    WRITE_TIMEOUT,
)
from stepflow_api._direct import Address, AsyncConnections, Connections, Received
from stepflow_api._events import MEDIA_TYPE, AsyncEventStream, EventStream
from stepflow_api._failures import HTTP_FAILURES, cause_to_show, failure
from stepflow_api._operation import Answer, Request
from stepflow_api._pool import AsyncPool, SyncPool
from stepflow_api._settings import check_connection, check_timeout
from stepflow_api.errors import InvalidAnswer, InvalidRequest, StepflowError
from stepflow_api.types import UNSET, Response

if TYPE_CHECKING:
    import asyncio


class Transport:
    """The way to one server.

    Args:
        base_url: Its URL with the API's prefix.
        headers: Header fields for every request; what is added to them later is sent as well.
        timeout: Seconds, an `httpx.Timeout`, None for none, or `UNSET` for the defaults.
        http_client: What to send through; stays open.
        transport: What to send through; stays open.

    Raises:
        InvalidRequest: An argument cannot be used.
    """

    def __init__(
        self, base_url: str, headers: httpx.Headers, timeout: Any, http_client: Any, transport: Any
    ) -> None:
        check_timeout(timeout)
        check_connection(http_client, transport)
        self._base_url = base_url
        self._headers = headers
        self._timeout = timeout
        self._given_client: httpx.Client | httpx.AsyncClient | None = http_client
        self._given_transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = transport
        self._lock = threading.Lock()
        self._closed = False
        self._sync = SyncPool(transport if isinstance(transport, httpx.BaseTransport) else None)
        self._async: AsyncPool | None = None
        self._address: Address | None = None
        if http_client is None and transport is None and not _has_proxies():
            self._address = Address(base_url, headers)
            self._connections = Connections(self._address)
        self._async_connections: AsyncConnections | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        """Closes the connections of the sync calls; that of a request under way after it."""
        self._closed = True
        self._sync.close()
        if self._address is not None:
            self._connections.close()

    async def aclose(self) -> None:
        """Closes all connections; those of requests under way after these."""
        self.close()
        if self._loop is not _running_loop():
            return
        if self._async is not None:
            await self._async.aclose()
        if self._async_connections is not None:
            await self._async_connections.aclose()

    def send(self, request: Request, timeout: Any) -> Answer:
        """Sends a request and gives the whole answer, whatever its status.

        Args:
            request: What to send.
            timeout: For this request, in place of the usual; `UNSET` for that.

        Raises:
            InvalidRequest: It cannot be sent.
            TransportError: No whole answer arrived.
        """
        lend = self._sync_http()
        try:
            if self._address is not None:
                return self._joined(request, self._direct(request, timeout))
            with lend as http:
                response = http.send(self._prepare(http, request, timeout))
        except HTTP_FAILURES as error:
            raise failure(request, self.url(request), error) from cause_to_show(error)
        return self._answer(request, response)

    async def send_async(self, request: Request, timeout: Any) -> Answer:
        """Does what `send` does, without blocking."""
        lend = self._async_http(timeout)
        try:
            if self._address is not None:
                return self._joined(request, await self._direct_async(request, timeout))
            async with lend as http:
                response = await http.send(self._prepare(http, request, timeout))
        except HTTP_FAILURES as error:
            raise failure(request, self.url(request), error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._answer(request, response)

    def fetch(self, request: Request, timeout: Any) -> Response[list[bytes]] | Answer:
        """Sends a request and gives a success's body in pieces, anything else as `send` does.

        Args:
            request: What to send.
            timeout: For this request, in place of the usual; `UNSET` for that.

        Raises:
            InvalidRequest: It cannot be sent.
            TransportError: No whole answer arrived.
        """
        lend = self._sync_http()
        try:
            if self._address is not None:
                return self._in_pieces(request, self._direct(request, timeout))
            with lend as http:
                response = http.send(self._prepare(http, request, timeout), stream=True)
                with contextlib.closing(response):
                    if _is_piecemeal(response):
                        pieces = list(response.iter_bytes())
                        return Response(response.status_code, response.headers, b"", pieces)
                    response.read()
        except HTTP_FAILURES as error:
            raise failure(request, self.url(request), error) from cause_to_show(error)
        return self._answer(request, response)

    async def fetch_async(self, request: Request, timeout: Any) -> Response[list[bytes]] | Answer:
        """Does what `fetch` does, without blocking."""
        lend = self._async_http(timeout)
        try:
            if self._address is not None:
                return self._in_pieces(request, await self._direct_async(request, timeout))
            async with lend as http:
                response = await http.send(self._prepare(http, request, timeout), stream=True)
                async with contextlib.aclosing(response):
                    if _is_piecemeal(response):
                        pieces = [piece async for piece in response.aiter_bytes()]
                        return Response(response.status_code, response.headers, b"", pieces)
                    await response.aread()
        except HTTP_FAILURES as error:
            raise failure(request, self.url(request), error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._answer(request, response)

    def _direct(self, request: Request, timeout: Any) -> Received:
        return self._connections.send(request, self._phases(timeout))

    async def _direct_async(self, request: Request, timeout: Any) -> Received:
        assert self._address is not None
        # The loop was looked at when the way was chosen.
        if self._async_connections is None:
            self._async_connections = AsyncConnections(self._address)
        return await self._async_connections.send(request, self._phases(timeout))

    def _phases(self, timeout: Any) -> httpx.Timeout:
        wanted = self._request_timeout() if timeout is UNSET else timeout
        return wanted if isinstance(wanted, httpx.Timeout) else httpx.Timeout(wanted)

    def _joined(self, request: Request, received: Received) -> Answer:
        pieces = received.pieces
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return Answer(self.url(request), received.status_code, received.headers, content)

    def _in_pieces(self, request: Request, received: Received) -> Response[list[bytes]] | Answer:
        if _is_piecemeal(received):
            return Response(received.status_code, received.headers, b"", received.pieces)
        return self._joined(request, received)

    def open(
        self, request: Request, timeout: Any, parse: Callable[[bytes], dict[str, Any]]
    ) -> EventStream | Answer:
        """Sends a request and gives a stream of events as it comes, anything else as `send` does.

        Args:
            request: What to send.
            timeout: For this request, in place of the usual; `UNSET` for that. Its read timeout
                bounds each wait for a piece of the stream.
            parse: Makes a document of an event's data.

        Raises:
            InvalidRequest: It cannot be sent.
            TransportError: No answer arrived.
        """
        lend = self._sync_http()
        try:
            with ExitStack() as held:
                http = held.enter_context(lend)
                response = http.send(self._prepare(http, request, timeout), stream=True)
                held.callback(response.close)
                if _is_events(response):
                    fail = self._failing(request, response)
                    return EventStream(response, held.pop_all(), parse, fail)
                response.read()
        except HTTP_FAILURES as error:
            raise failure(request, self.url(request), error) from cause_to_show(error)
        return self._answer(request, response)

    async def open_async(
        self, request: Request, timeout: Any, parse: Callable[[bytes], dict[str, Any]]
    ) -> AsyncEventStream | Answer:
        """Does what `open` does, without blocking."""
        lend = self._async_http(timeout)
        try:
            async with AsyncExitStack() as held:
                http = await held.enter_async_context(lend)
                response = await http.send(self._prepare(http, request, timeout), stream=True)
                held.push_async_callback(response.aclose)
                if _is_events(response):
                    fail = self._failing(request, response)
                    return AsyncEventStream(response, held.pop_all(), parse, fail)
                await response.aread()
        except HTTP_FAILURES as error:
            raise failure(request, self.url(request), error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._answer(request, response)

    def _failing(
        self, request: Request, response: httpx.Response
    ) -> Callable[[Exception], StepflowError]:
        def fail(error: Exception) -> StepflowError:
            url = self.url(request)
            if isinstance(error, HTTP_FAILURES) and not isinstance(error, ValueError):
                return failure(request, url, error)
            return InvalidAnswer(
                f"{response.status_code}, but what comes is no event: {error}; is this a Stepflow"
                " server of a supported version?",
                method=request.method,
                url=url,
                status_code=response.status_code,
                content=b"",
            )

        return fail

    def patience(self, timeout: Any) -> float | None:
        """Gives how long a request waits for its answer, in seconds; None for as long as it takes.

        Args:
            timeout: That of the request; `UNSET` for the usual.
        """
        wait = self._request_timeout() if timeout is UNSET else timeout
        if wait is httpx.USE_CLIENT_DEFAULT:
            wait = self._given_client.timeout if self._given_client is not None else None
        return httpx.Timeout(wait).read

    def _prepare(
        self, http: httpx.Client | httpx.AsyncClient, request: Request, timeout: Any
    ) -> httpx.Request:
        headers = self._headers.copy()
        headers.update(request.headers)
        # A name that was chosen, here or where the httpx client was made, stays.
        if http.headers.get("user-agent", "").startswith("python-httpx/"):
            headers.setdefault("user-agent", USER_AGENT)
        return http.build_request(
            request.method,
            self._base_url + request.path,
            params=request.query or None,
            headers=headers,
            content=request.content,
            timeout=self._request_timeout() if timeout is UNSET else timeout,
        )

    def _request_timeout(self) -> Any:
        if self._timeout is not UNSET:
            return self._timeout
        if self._given_client is not None:
            return httpx.USE_CLIENT_DEFAULT
        return httpx.Timeout(
            connect=CONNECT_TIMEOUT, read=READ_TIMEOUT, write=WRITE_TIMEOUT, pool=POOL_TIMEOUT
        )

    def late(self, request: Request) -> StepflowError:
        """Gives the error for a request whose answer has not come in time."""
        return failure(request, self.url(request), httpx.ReadTimeout(""))

    def url(self, request: Request) -> str:
        """Gives the URL of a request, without user and password."""
        query = urlencode(request.query, errors="replace")
        return f"{self._base_url}{request.path}{'?' if query else ''}{query}"

    def _answer(self, request: Request, response: httpx.Response) -> Answer:
        return Answer(self.url(request), response.status_code, response.headers, response.content)

    def _sync_http(self) -> AbstractContextManager[httpx.Client]:
        self._check_open()
        given = self._given_client
        if isinstance(given, httpx.Client):
            return nullcontext(given)
        if given is not None:
            raise InvalidRequest(
                "this client was made with an httpx.AsyncClient; use asyncio(...) forms"
            )
        transport = self._given_transport
        if transport is not None and not isinstance(transport, httpx.BaseTransport):
            raise InvalidRequest(
                "this client was made with an async transport; use asyncio(...) forms"
            )
        return self._sync.lend()

    def _async_http(self, timeout: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        self._check_open()
        given = self._given_client
        if isinstance(given, httpx.Client):
            raise InvalidRequest("this client was made with an httpx.Client; use sync(...) forms")
        transport = self._given_transport
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise InvalidRequest("this client was made with a sync transport; use sync(...) forms")
        loop = _running_loop()
        with self._lock:
            if self._async is None or self._loop is not loop:
                if self._loop is not None and not self._loop.is_closed():
                    raise InvalidRequest(
                        "this client is in use by another event loop; make one Client for each loop"
                    )
                self._loop = loop
                # Connections of a closed loop went with it.
                self._async = AsyncPool(transport)
                self._async_connections = None
        if given is not None:
            return nullcontext(given)
        wait = self._request_timeout() if timeout is UNSET else timeout
        return self._async.lend(httpx.Timeout(wait).pool)

    def _check_open(self) -> None:
        if self._closed:
            raise InvalidRequest(
                "this client is closed; make a new one, or use it inside its with block"
            )
        if self._given_client is not None and self._given_client.is_closed:
            raise InvalidRequest(
                "the http_client that this client was made with is closed; make both anew"
            )


def _has_proxies() -> bool:
    """Whether httpx would look for a proxy in the environment."""
    return any(name in ("http", "https", "all") for name in getproxies())


def _is_events(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "")
    return response.is_success and kind.partition(";")[0].strip() == MEDIA_TYPE


def _is_piecemeal(response: httpx.Response | Received) -> bool:
    kind = response.headers.get("content-type", "")
    return 200 <= response.status_code < 300 and not kind.startswith("application/grpc")


def _refuse_ended_loop(error: RuntimeError) -> None:
    if str(error) == "Event loop is closed":
        raise InvalidRequest(
            "the http_client or transport that this client was made with holds connections of an"
            " event loop that has ended; make both anew for each loop"
        ) from error


def _running_loop() -> asyncio.AbstractEventLoop | None:
    # Importing asyncio takes as long as a fifth of this package; without it there is no loop.
    module = sys.modules.get("asyncio")
    try:
        return None if module is None else module.get_running_loop()
    except RuntimeError:
        return None
