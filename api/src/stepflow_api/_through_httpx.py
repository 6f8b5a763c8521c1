"""The way to a server through httpx: for what was handed in, for proxies, and for events."""

from __future__ import annotations

import contextlib
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

import httpx

from stepflow_api._constants import USER_AGENT
from stepflow_api._events import MEDIA_TYPE, AsyncEventStream, EventStream
from stepflow_api._failures import HTTP_FAILURES, cause_to_show, failure
from stepflow_api._headers import Fields, Headers
from stepflow_api._operation import Answer, Request
from stepflow_api._pool import AsyncPool, SyncPool
from stepflow_api._settings import phases
from stepflow_api._ways import is_piecemeal, loop_of_this_call, running_loop, url_of
from stepflow_api.errors import InvalidAnswer, InvalidRequest, StepflowError
from stepflow_api.types import UNSET, Response

if TYPE_CHECKING:
    import asyncio


class ThroughHttpx:
    """Sends requests through httpx clients.

    Args:
        base_url: The server's URL with the API's prefix.
        headers: Header fields for every request.
        http_client: What to send through; stays open.
        transport: What to send through; stays open.
        proxy: The proxy for connections that this object opens.
    """

    def __init__(
        self,
        base_url: str,
        headers: Fields,
        http_client: Any,
        transport: Any,
        proxy: httpx.Proxy | None,
    ) -> None:
        self._base_url = base_url
        self._headers = headers
        self._given_client: httpx.Client | httpx.AsyncClient | None = http_client
        self._given_transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = transport
        self._lock = threading.Lock()
        self._proxy = proxy
        self._sync = SyncPool(
            transport if isinstance(transport, httpx.BaseTransport) else None, proxy
        )
        self._async: AsyncPool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        """Closes the connections of the sync calls; that of a request under way after it."""
        self._sync.close()

    async def aclose(self) -> None:
        """Closes those of the async calls, likewise."""
        if self._async is not None and self._loop is running_loop():
            await self._async.aclose()

    def send(self, request: Request, timeout: Any) -> Answer:
        """Does what `Transport.send` does."""
        lend = self._sync_http()
        try:
            with lend as http:
                response = http.send(self._prepare(http, request, timeout))
        except HTTP_FAILURES as error:
            raise self._failed(request, error) from cause_to_show(error)
        return self._answer(request, response)

    async def send_async(self, request: Request, timeout: Any) -> Answer:
        """Does what `send` does, without blocking."""
        lend = self._async_http(timeout)
        try:
            async with lend as http:
                response = await http.send(self._prepare(http, request, timeout))
        except HTTP_FAILURES as error:
            raise self._failed(request, error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._answer(request, response)

    def fetch(self, request: Request, timeout: Any) -> Response[list[bytes]] | Answer:
        """Does what `Transport.fetch` does."""
        lend = self._sync_http()
        try:
            with lend as http:
                response = http.send(self._prepare(http, request, timeout), stream=True)
                with contextlib.closing(response):
                    if is_piecemeal(response.status_code, _kind(response)):
                        pieces = list(response.iter_bytes())
                        return Response(response.status_code, response.headers, b"", pieces)
                    response.read()
        except HTTP_FAILURES as error:
            raise self._failed(request, error) from cause_to_show(error)
        return self._answer(request, response)

    async def fetch_async(self, request: Request, timeout: Any) -> Response[list[bytes]] | Answer:
        """Does what `fetch` does, without blocking."""
        lend = self._async_http(timeout)
        try:
            async with lend as http:
                response = await http.send(self._prepare(http, request, timeout), stream=True)
                async with contextlib.aclosing(response):
                    if is_piecemeal(response.status_code, _kind(response)):
                        pieces = [piece async for piece in response.aiter_bytes()]
                        return Response(response.status_code, response.headers, b"", pieces)
                    await response.aread()
        except HTTP_FAILURES as error:
            raise self._failed(request, error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._answer(request, response)

    def open(
        self, request: Request, timeout: Any, parse: Callable[[bytes], dict[str, Any]]
    ) -> EventStream | Answer:
        """Does what `Transport.open` does."""
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
            raise self._failed(request, error) from cause_to_show(error)
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
            raise self._failed(request, error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._answer(request, response)

    def _failing(
        self, request: Request, response: httpx.Response
    ) -> Callable[[Exception], StepflowError]:
        def fail(error: Exception) -> StepflowError:
            if isinstance(error, HTTP_FAILURES) and not isinstance(error, ValueError):
                return self._failed(request, error)
            return InvalidAnswer(
                f"{response.status_code}, but what comes is no event: {error}; is this a Stepflow"
                " server of a supported version?",
                method=request.method,
                url=url_of(self._base_url, request),
                status_code=response.status_code,
                content=b"",
            )

        return fail

    def _failed(self, request: Request, error: Exception) -> StepflowError:
        return failure(request, url_of(self._base_url, request), error, self._proxy)

    def _prepare(
        self, http: httpx.Client | httpx.AsyncClient, request: Request, timeout: Any
    ) -> httpx.Request:
        headers = httpx.Headers(list(self._headers.values()))
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
            timeout=self._timeout(timeout),
        )

    def _timeout(self, wanted: Any) -> Any:
        if wanted is UNSET and self._given_client is not None:
            return httpx.USE_CLIENT_DEFAULT
        return httpx.Timeout(**phases(wanted)._asdict())

    def _answer(self, request: Request, response: httpx.Response) -> Answer:
        url = url_of(self._base_url, request)
        return Answer(url, response.status_code, Headers(response.headers.raw), response.content)

    def _sync_http(self) -> AbstractContextManager[httpx.Client]:
        given = self._given_client
        if isinstance(given, httpx.Client):
            self._check_given(given)
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
        given = self._given_client
        if isinstance(given, httpx.Client):
            raise InvalidRequest("this client was made with an httpx.Client; use sync(...) forms")
        transport = self._given_transport
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise InvalidRequest("this client was made with a sync transport; use sync(...) forms")
        if given is not None:
            self._check_given(given)
        with self._lock:
            loop = loop_of_this_call(self._loop)
            if self._async is None or self._loop is not loop:
                self._loop = loop
                # Connections of a closed loop went with it.
                self._async = AsyncPool(transport, self._proxy)
        return nullcontext(given) if given is not None else self._async.lend(phases(timeout).pool)

    def _check_given(self, given: httpx.Client | httpx.AsyncClient) -> None:
        if given.is_closed:
            raise InvalidRequest(
                "the http_client that this client was made with is closed; make both anew"
            )


def _kind(response: httpx.Response) -> str:
    kind: str = response.headers.get("content-type", "")
    return kind


def _is_events(response: httpx.Response) -> bool:
    return response.is_success and _kind(response).partition(";")[0].strip() == MEDIA_TYPE


def _refuse_ended_loop(error: RuntimeError) -> None:
    if str(error) == "Event loop is closed":
        raise InvalidRequest(
            "the http_client or transport that this client was made with holds connections of an"
            " event loop that has ended; make both anew for each loop"
        ) from error
