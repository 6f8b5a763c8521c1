"""Transport through httpx or httpx2: for an `http_client` or `transport`, proxies and events."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    nullcontext,
)
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from stepflow_api._constants import USER_AGENT, USUAL_ACCEPT
from stepflow_api._headers import Fields, Headers
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.body import ACCEPTED, Body
from stepflow_api._transport.event_loops import loop_of_this_call, running_loop
from stepflow_api._transport.event_stream import (
    LINE_TYPES,
    MEDIA_TYPE,
    AsyncEventStream,
    EventStream,
)
from stepflow_api._transport.failures import cause_to_show, failure, http_failures
from stepflow_api._transport.httpx_libraries import DEFAULT_AGENTS
from stepflow_api._transport.httpx_pool import AsyncPool, SyncPool
from stepflow_api._transport.httpx_response import body_parts, body_parts_async, send, send_async
from stepflow_api._transport.httpx_watchdog import watched
from stepflow_api._transport.timeouts import Timeouts, limited
from stepflow_api._transport.tls import TLS
from stepflow_api.errors import InvalidAnswer, InvalidRequest, StepflowError

if TYPE_CHECKING:
    import asyncio

    import httpx

    from stepflow_api._httpx_types import HttpxProxy


class HttpxTransport:
    """Send requests through httpx clients.

    Args:
        library: The library of what was passed, httpx or httpx2.
        base_url: The server's URL with the API's prefix.
        headers: Header fields for every request.
        http_client: What to send through; stays open.
        transport: What to send through; stays open.
        proxy: The proxy for connections that this object opens.
        limit: Maximum size of a response body in bytes; None for no limit.
        tls: TLS settings of the connections that this object opens.
    """

    def __init__(
        self,
        library: ModuleType,
        base_url: str,
        headers: Fields,
        *,
        http_client: Any,
        transport: Any,
        proxy: HttpxProxy | None,
        limit: int | None,
        tls: TLS,
    ) -> None:
        self._library = library
        self._body: type[_Body] = type("Body", (_Body, library.ByteStream), {})
        self._base_url = base_url
        self._headers = headers
        self._given_client: httpx.Client | httpx.AsyncClient | None = http_client
        self._given_transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = transport
        self._lock = threading.Lock()
        self._proxy = proxy
        self._limit = limit
        self._tls = tls
        is_sync = isinstance(transport, library.BaseTransport)
        self._sync = SyncPool(library, transport if is_sync else None, tls, proxy)
        self._async: AsyncPool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        """Close the connections of the sync calls; those in use, after their responses."""
        self._sync.close()

    async def aclose(self) -> None:
        """Close the connections of async calls in the same way."""
        if self._async is not None and self._loop is running_loop():
            await self._async.aclose()

    def send(self, request: Request, timeouts: Timeouts) -> Answer:
        """As `Transport.send`."""
        acquired = self._sync_http()
        body = self._body(request.content or b"")
        timeouts.begin()
        try:
            with acquired as http:
                sent = self._prepare(http, request, body, timeouts)
                with watched(http, sent, timeouts):
                    response = send(http, sent)
                    body.is_begun = True
                    with contextlib.closing(response):
                        pieces = _body(response, timeouts, self._limit)
                        return self._answer(request, response, pieces)
        except http_failures() as error:
            raise self._failed(
                request, timeouts.error(error, is_sent=body.is_begun)
            ) from cause_to_show(error)

    async def send_async(self, request: Request, timeouts: Timeouts) -> Answer:
        """Async version of `send`."""
        acquired = self._async_http(timeouts)
        body = self._body(request.content or b"")
        timeouts.begin()
        try:
            async with acquired as http, limited(timeouts) as limit:
                sent = self._prepare(http, request, body, timeouts)
                response = await send_async(http, sent)
                body.is_begun = True
                async with contextlib.aclosing(response):
                    pieces = await _body_async(response, timeouts, limit, self._limit)
                    return self._answer(request, response, pieces)
        except http_failures() as error:
            raise self._failed(
                request, timeouts.error(error, is_sent=body.is_begun)
            ) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise

    def open(
        self, request: Request, timeouts: Timeouts, parse: Callable[[bytes], Any]
    ) -> EventStream | Answer:
        """As `Transport.open`."""
        acquired = self._sync_http()
        body = self._body(request.content or b"")
        timeouts.begin()
        try:
            with ExitStack() as held:
                http = held.enter_context(acquired)
                sent = self._prepare(http, request, body, timeouts)
                with watched(http, sent, timeouts):
                    response = send(http, sent)
                    body.is_begun = True
                    held.callback(response.close)
                    if not _is_events(response):
                        return self._answer(
                            request, response, _body(response, timeouts, self._limit)
                        )
                fail = self._failing(request, response)
                wait = partial(watched, http, sent)
                return EventStream(response, held.pop_all(), parse, fail, timeouts.read, wait)
        except http_failures() as error:
            raise self._failed(
                request, timeouts.error(error, is_sent=body.is_begun)
            ) from cause_to_show(error)

    async def open_async(
        self, request: Request, timeouts: Timeouts, parse: Callable[[bytes], Any]
    ) -> AsyncEventStream | Answer:
        """Async version of `open`."""
        acquired = self._async_http(timeouts)
        body = self._body(request.content or b"")
        timeouts.begin()
        try:
            async with AsyncExitStack() as held:
                http = await held.enter_async_context(acquired)
                async with limited(timeouts) as limit:
                    sent = self._prepare(http, request, body, timeouts)
                    response = await send_async(http, sent)
                    body.is_begun = True
                    held.push_async_callback(response.aclose)
                    if not _is_events(response):
                        pieces = await _body_async(response, timeouts, limit, self._limit)
                        return self._answer(request, response, pieces)
                fail = self._failing(request, response)
                return AsyncEventStream(response, held.pop_all(), parse, fail, timeouts.read)
        except http_failures() as error:
            raise self._failed(
                request, timeouts.error(error, is_sent=body.is_begun)
            ) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise

    def _failing(
        self, request: Request, response: httpx.Response
    ) -> Callable[[Exception], StepflowError]:
        def fail(error: Exception) -> StepflowError:
            if isinstance(error, http_failures()) and not isinstance(error, ValueError):
                return self._failed(request, error)
            return InvalidAnswer(
                f"{response.status_code}, but what comes is no event: {error}; is this a Stepflow"
                " server of a supported version?",
                method=request.method,
                url=request.url(self._base_url),
                status_code=response.status_code,
                content=b"",
            )

        return fail

    def _failed(self, request: Request, error: Exception) -> StepflowError:
        return failure(request, request.url(self._base_url), error, self._proxy)

    def _prepare(
        self,
        http: httpx.Client | httpx.AsyncClient,
        request: Request,
        body: _Body,
        timeouts: Timeouts,
    ) -> httpx.Request:
        timeouts.moved(len(request.content or b""))
        prepared = http.build_request(
            request.method,
            self._base_url + request.path,
            params=request.query or None,
            headers=self._request_headers(http, request),
            content=request.content,
            timeout=(
                # Of the connection, and of the TLS handshake: httpx cleans up after its own
                # timeouts, and leaves a socket open if a handshake is cancelled.
                timeouts.bound(timeouts.connect, shares=2),
                timeouts.bound(timeouts.read),
                timeouts.bound(timeouts.write),
                timeouts.bound(timeouts.pool),
            ),
        )
        if "?" in request.path:
            # Parameters would take the place of the path's own query.
            added = f"&{http.params}" if http.params else ""
            prepared.url = self._library.URL(self._base_url + request.target() + added)
        prepared.stream = cast("httpx.ByteStream", body)
        return prepared

    def _request_headers(
        self, http: httpx.Client | httpx.AsyncClient, request: Request
    ) -> httpx.Headers:
        headers: httpx.Headers = self._library.Headers(list(self._headers.value.values()))
        headers.update(request.headers)
        if http.headers.get("accept", "*/*") == "*/*":
            headers.setdefault("accept", USUAL_ACCEPT)
        # A name that was chosen, here or where the httpx client was made, stays.
        if http.headers.get("user-agent", "").startswith(DEFAULT_AGENTS):
            headers.setdefault("user-agent", USER_AGENT)
        # httpx accepts these if packages for them are installed, which cannot bound their output.
        accepted = http.headers.get("accept-encoding", "")
        if "br" in accepted or "zstd" in accepted:
            headers.setdefault("accept-encoding", ACCEPTED)
        return headers

    def _answer(self, request: Request, response: httpx.Response, pieces: list[bytes]) -> Answer:
        url = request.url(self._base_url)
        return Answer(url, response.status_code, Headers(response.headers.raw), pieces)

    def _sync_http(self) -> AbstractContextManager[httpx.Client]:
        given = self._given_client
        library = self._library
        if isinstance(given, library.Client):
            http = cast("httpx.Client", given)
            self._check_given(http)
            return nullcontext(http)
        if given is not None:
            raise InvalidRequest(
                f"this client has an {library.__name__}.AsyncClient; use asyncio(...) forms"
            )
        transport = self._given_transport
        if transport is not None and not isinstance(transport, library.BaseTransport):
            raise InvalidRequest("this client has an async transport; use asyncio(...) forms")
        return self._sync.acquire()

    def _async_http(self, timeouts: Timeouts) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        given = self._given_client
        library = self._library
        if isinstance(given, library.Client):
            raise InvalidRequest(
                f"this client has an {library.__name__}.Client; use sync(...) forms"
            )
        transport = cast("httpx.AsyncBaseTransport | None", self._given_transport)
        if transport is not None and not isinstance(transport, library.AsyncBaseTransport):
            raise InvalidRequest("this client has a sync transport; use sync(...) forms")
        if given is not None:
            self._check_given(given)
        with self._lock:
            loop = loop_of_this_call(self._loop)
            if self._async is None or self._loop is not loop:
                self._loop = loop
                # Connections of a closed loop went with it.
                self._async = AsyncPool(library, transport, self._tls, self._proxy)
        if given is not None:
            return nullcontext(cast("httpx.AsyncClient", given))
        return self._async.acquire(timeouts)

    def _check_given(self, given: httpx.Client | httpx.AsyncClient) -> None:
        if given.is_closed:
            raise InvalidRequest("the http_client of this client is closed; create both again")


class _Body:
    """The body of a request, which knows whether it is being sent: the head is sent first.

    Attributes:
        is_begun: Whether it is; also set when a response arrives, since a caller's transport may
            read the content of the request instead.
    """

    is_begun = False

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        self.is_begun = True
        yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_begun = True
        yield self._content


def _body(response: httpx.Response, timeouts: Timeouts, size: int | None) -> list[bytes]:
    body = Body(size)
    for piece in body_parts(response):
        timeouts.moved(len(piece))
        timeouts.bound(None)
        body.add(piece)
    # A connection that was shut down may look like the end of the body.
    timeouts.bound(None)
    return body.pieces


async def _body_async(
    response: httpx.Response, timeouts: Timeouts, limit: Callable[[], None], size: int | None
) -> list[bytes]:
    body = Body(size)
    async for piece in body_parts_async(response):
        timeouts.moved(len(piece))
        limit()
        body.add(piece)
    return body.pieces


def _kind(response: httpx.Response) -> str:
    kind: str = response.headers.get("content-type", "")
    return kind


def _is_events(response: httpx.Response) -> bool:
    kind = _kind(response).partition(";")[0].strip().lower()
    return response.is_success and (kind == MEDIA_TYPE or kind in LINE_TYPES)


def _refuse_ended_loop(error: RuntimeError) -> None:
    if str(error) == "Event loop is closed":
        raise InvalidRequest(
            "the http_client or transport of this client has connections of an event loop that is"
            " closed; create both in each loop"
        ) from error
