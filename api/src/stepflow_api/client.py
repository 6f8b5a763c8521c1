"""The client that endpoint functions send their requests through."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlencode

import httpx

from stepflow_api._constants import (
    CONNECT_TIMEOUT,
    POOL_TIMEOUT,
    READ_TIMEOUT,
    USER_AGENT,
    WRITE_TIMEOUT,
)
from stepflow_api._dialect import NATIVE, Dialect
from stepflow_api._failures import HTTP_FAILURES, cause_to_show, failure
from stepflow_api._operation import Answer, Operation, Request
from stepflow_api._pool import AsyncPool, SyncPool
from stepflow_api._settings import (
    check_connection,
    check_timeout,
    header_fields,
    split_address,
    token_value,
)
from stepflow_api.errors import InvalidRequest, UnexpectedStatus
from stepflow_api.types import UNSET, Response, Unset

if TYPE_CHECKING:
    import asyncio

__all__ = ["AuthenticatedClient", "Client"]

S = TypeVar("S")
R = TypeVar("R")


class Client:
    """A connection pool to one Stepflow server, for the sync and the async forms of every endpoint.

    Use it as a context manager, `with` or `async with`, or call `close` or `aclose`: what it opened
    is closed, and an `http_client` or `transport` that was handed in stays open.

    Args:
        base_url: Where the server is, such as `http://localhost:7840`, with or without `/api/v1`. A
            user and password in it become a Basic `Authorization` header.
        headers: Header fields for every request.
        timeout: Seconds, an `httpx.Timeout`, or None for none. By default 5 s for a connection,
            and 330 s for an answer, since the server waits up to 300 s for a run.
        http_client: An `httpx.Client` for the sync forms or an `httpx.AsyncClient` for the async
            ones, with its own proxies, certificates, limits and timeout.
        transport: An httpx transport, sync or async, to send through.
        raise_on_unexpected_status: Whether the `*_detailed` forms raise `UnexpectedStatus` for a
            status that the spec does not document, rather than return it.

    Raises:
        InvalidRequest: An argument cannot be used.

    Example:
        >>> with Client(base_url="http://localhost:7840") as client:
        ...     health_check.sync(client=client).status
        'healthy'
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
        raise_on_unexpected_status: bool = False,
    ) -> None:
        self._base_url, authorization = split_address(base_url)
        self._headers = header_fields(headers)
        check_timeout(timeout)
        check_connection(http_client, transport)
        if authorization:
            self._headers.setdefault("authorization", authorization)
        self._timeout = timeout
        self._raise_on_unexpected_status = raise_on_unexpected_status
        self._given_client = http_client
        self._given_transport = transport
        self._dialect: Dialect = NATIVE
        self._lock = threading.Lock()
        self._closed = False
        self._sync = SyncPool(transport if isinstance(transport, httpx.BaseTransport) else None)
        self._async: AsyncPool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def base_url(self) -> str:
        """The server's URL with the API's prefix, without user and password."""
        return self._base_url

    @property
    def raise_on_unexpected_status(self) -> bool:
        """Whether the `*_detailed` forms raise for a status that the spec does not document."""
        return self._raise_on_unexpected_status

    def __repr__(self) -> str:
        names = sorted(set(self._headers.keys()))
        return f"{type(self).__name__}({self._base_url!r}, headers={names})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def close(self) -> None:
        """Closes the connections of the sync forms; the client cannot be used any more.

        A request that another thread has under way still gets its answer.
        """
        self._closed = True
        self._sync.close()

    async def aclose(self) -> None:
        """Closes all connections; the client cannot be used any more.

        A request that another task or thread has under way still gets its answer.
        """
        self.close()
        if self._async is not None and self._loop is _running_loop():
            await self._async.aclose()

    def send(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> Response[R]:
        """Sends a request and gives the whole answer, whatever its status.

        Args:
            operation: What is called.
            request: What `operation.request` built.
            timeout: For this request alone, in place of the client's.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            UnexpectedStatus: The status is not documented, and `raise_on_unexpected_status` is set.
        """
        return self._response(operation, self._exchange(operation, request, timeout))

    def call(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> S:
        """Sends a request and gives what success gives.

        Args:
            operation: What is called.
            request: What `operation.request` built.
            timeout: For this request alone, in place of the client's.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            StatusError: The status is no documented success.
        """
        return operation.result(self._exchange(operation, request, timeout))

    async def send_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> Response[R]:
        """Does what `send` does, without blocking."""
        return self._response(operation, await self._exchange_async(operation, request, timeout))

    async def call_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> S:
        """Does what `call` does, without blocking."""
        return operation.result(await self._exchange_async(operation, request, timeout))

    def fetch(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> Response[list[bytes]]:
        """Sends a request and gives a success's body in pieces, unparsed and never joined.

        For answers so large that a second copy of the body would count.

        Args:
            operation: What is called.
            request: What `operation.request` built.
            timeout: For this request alone, in place of the client's.

        Returns:
            The answer, with the pieces as its `parsed` and no `content`.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success that is not what the spec documents.
            StatusError: The status is no documented success.
        """
        if self._dialect is not NATIVE:
            return _whole(operation, self._exchange(operation, request, timeout))
        lend = self._sync_http()
        try:
            with lend as http:
                response = http.send(self._prepare(http, request, timeout), stream=True)
                with contextlib.closing(response):
                    if _is_piecemeal(response):
                        pieces = list(response.iter_bytes())
                        return Response(response.status_code, response.headers, b"", pieces)
                    response.read()
        except HTTP_FAILURES as error:
            raise failure(request, self._url(request), error) from cause_to_show(error)
        return _whole(operation, self._answer(request, response))

    async def fetch_async(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> Response[list[bytes]]:
        """Does what `fetch` does, without blocking."""
        if self._dialect is not NATIVE:
            return _whole(operation, await self._exchange_async(operation, request, timeout))
        lend = self._async_http(timeout)
        try:
            async with lend as http:
                response = await http.send(self._prepare(http, request, timeout), stream=True)
                async with contextlib.aclosing(response):
                    if _is_piecemeal(response):
                        pieces = [piece async for piece in response.aiter_bytes()]
                        return Response(response.status_code, response.headers, b"", pieces)
                    await response.aread()
        except HTTP_FAILURES as error:
            raise failure(request, self._url(request), error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return _whole(operation, self._answer(request, response))

    def _response(self, operation: Operation[S, R], answer: Answer) -> Response[R]:
        response = operation.response(answer)
        if self._raise_on_unexpected_status and not operation.documents(answer.status_code):
            raise operation.error(answer, response, UnexpectedStatus)
        return response

    def _exchange(self, operation: Operation[Any, Any], request: Request, timeout: Any) -> Answer:
        lend = self._sync_http()
        request = self._dialect.request(operation.id, request)
        try:
            with lend as http:
                response = http.send(self._prepare(http, request, timeout))
        except HTTP_FAILURES as error:
            raise failure(request, self._url(request), error) from cause_to_show(error)
        return self._dialect.answer(operation.id, self._answer(request, response))

    async def _exchange_async(
        self, operation: Operation[Any, Any], request: Request, timeout: Any
    ) -> Answer:
        lend = self._async_http(timeout)
        request = self._dialect.request(operation.id, request)
        try:
            async with lend as http:
                response = await http.send(self._prepare(http, request, timeout))
        except HTTP_FAILURES as error:
            raise failure(request, self._url(request), error) from cause_to_show(error)
        except RuntimeError as error:
            _refuse_ended_loop(error)
            raise
        return self._dialect.answer(operation.id, self._answer(request, response))

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

    def _url(self, request: Request) -> str:
        query = urlencode(request.query, errors="replace")
        return f"{self._base_url}{request.path}{'?' if query else ''}{query}"

    def _answer(self, request: Request, response: httpx.Response) -> Answer:
        return Answer(self._url(request), response.status_code, response.headers, response.content)

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


class AuthenticatedClient(Client):
    """A client that sends a token with every request.

    Args:
        base_url: Where the server is, with or without `/api/v1`.
        token: The secret; it appears in no repr, log line or error.
        prefix: What stands before it, `Bearer` by default; empty for the token alone.
        auth_header_name: The header field that carries it.
        headers: Further header fields for every request.
        timeout: As for `Client`.
        http_client: As for `Client`.
        transport: As for `Client`.
        raise_on_unexpected_status: As for `Client`.

    Raises:
        InvalidRequest: The token or another argument cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        prefix: str = "Bearer",
        auth_header_name: str = "Authorization",
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
        raise_on_unexpected_status: bool = False,
    ) -> None:
        super().__init__(
            base_url,
            headers=headers,
            timeout=timeout,
            http_client=http_client,
            transport=transport,
            raise_on_unexpected_status=raise_on_unexpected_status,
        )
        # Whatever the spelling of its name, this field takes the place of a given one.
        self._headers.update(header_fields({auth_header_name: token_value(token, prefix)}))


def _is_piecemeal(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "")
    return response.is_success and not kind.startswith("application/grpc")


def _whole(operation: Operation[Any, Any], answer: Answer) -> Response[list[bytes]]:
    operation.result(answer)
    return Response(answer.status_code, answer.headers, b"", [answer.content])


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
