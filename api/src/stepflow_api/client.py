"""The client that endpoint functions send their requests through."""

from __future__ import annotations

import base64
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import unquote

import httpx

from stepflow_api._constants import (
    BODY_LIMIT,
    CONNECT_TIMEOUT,
    POOL_TIMEOUT,
    READ_TIMEOUT,
    WRITE_TIMEOUT,
)
from stepflow_api._dialect import NATIVE, Dialect
from stepflow_api._operation import Answer, Operation, Request
from stepflow_api.errors import (
    ConnectionFailed,
    ConnectionLost,
    InvalidRequest,
    RequestTimeout,
    StepflowError,
    TransportError,
    UnexpectedStatus,
    one_line,
)
from stepflow_api.spec import PATH_PREFIX
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
        InvalidRequest: The URL or a header field cannot be used.

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
        if http_client is not None and transport is not None:
            raise InvalidRequest(
                "http_client and transport are both given; a client has its own, give one"
            )
        url, authorization = _split_url(base_url)
        self._base_url = url
        try:
            self._headers = httpx.Headers(headers)
        except (TypeError, ValueError, AttributeError) as error:
            raise InvalidRequest(
                f"headers cannot be sent: {type(error).__name__}; give text values"
            ) from error
        if authorization:
            self._headers.setdefault("authorization", authorization)
        self._timeout = timeout
        self._raise_on_unexpected_status = raise_on_unexpected_status
        self._given_client = http_client
        self._given_transport = transport
        self._dialect: Dialect = NATIVE
        self._lock = threading.Lock()
        self._closed = False
        self._sync: httpx.Client | None = None
        self._async: httpx.AsyncClient | None = None
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
        """Closes the connections of the sync forms; the client cannot be used any more."""
        self._closed = True
        if self._sync is not None:
            self._sync.close()

    async def aclose(self) -> None:
        """Closes all connections; the client cannot be used any more."""
        self.close()
        if self._async is not None and self._loop is _running_loop():
            await self._async.aclose()

    def send(self, operation: Operation[S, R], request: Request) -> Response[R]:
        """Sends a request and gives the whole answer, whatever its status.

        Args:
            operation: What is called.
            request: What `operation.request` built.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            UnexpectedStatus: The status is not documented, and `raise_on_unexpected_status` is set.
        """
        return self._response(operation, self._exchange(operation, request))

    def call(self, operation: Operation[S, R], request: Request) -> S:
        """Sends a request and gives what success gives.

        Args:
            operation: What is called.
            request: What `operation.request` built.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            StatusError: The status is no documented success.
        """
        return operation.result(self._exchange(operation, request))

    async def send_async(self, operation: Operation[S, R], request: Request) -> Response[R]:
        """Does what `send` does, without blocking."""
        return self._response(operation, await self._exchange_async(operation, request))

    async def call_async(self, operation: Operation[S, R], request: Request) -> S:
        """Does what `call` does, without blocking."""
        return operation.result(await self._exchange_async(operation, request))

    def _response(self, operation: Operation[S, R], answer: Answer) -> Response[R]:
        response = operation.response(answer)
        if self._raise_on_unexpected_status and not operation.documents(answer.status_code):
            raise operation.error(answer, response, UnexpectedStatus)
        return response

    def _exchange(self, operation: Operation[Any, Any], request: Request) -> Answer:
        http = self._sync_http()
        request = self._dialect.request(operation.id, request)
        try:
            response = http.send(self._prepare(http, request))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise self._failed(request, error) from error
        return self._dialect.answer(operation.id, self._answer(request, response))

    async def _exchange_async(self, operation: Operation[Any, Any], request: Request) -> Answer:
        http = self._async_http()
        request = self._dialect.request(operation.id, request)
        try:
            response = await http.send(self._prepare(http, request))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise self._failed(request, error) from error
        return self._dialect.answer(operation.id, self._answer(request, response))

    def _prepare(self, http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
        headers = self._headers.copy()
        headers.update(request.headers)
        return http.build_request(
            request.method,
            self._base_url + request.path,
            params=request.query or None,
            headers=headers,
            content=request.content,
            timeout=self._request_timeout(),
        )

    def _request_timeout(self) -> Any:
        if self._timeout is not UNSET:
            return self._timeout
        if self._given_client is not None:
            return httpx.USE_CLIENT_DEFAULT
        return httpx.Timeout(
            connect=CONNECT_TIMEOUT, read=READ_TIMEOUT, write=WRITE_TIMEOUT, pool=POOL_TIMEOUT
        )

    def _answer(self, request: Request, response: httpx.Response) -> Answer:
        return Answer(
            self._base_url + request.path, response.status_code, response.headers, response.content
        )

    def _failed(self, request: Request, error: Exception) -> StepflowError:
        cause = one_line(str(error)) or type(error).__name__
        url = self._base_url + request.path
        kind: type[TransportError]
        if isinstance(
            error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError
        ):
            return InvalidRequest(f"{request.method} {url} cannot be sent: {cause}")
        if isinstance(error, httpx.PoolTimeout):
            kind, problem = (
                ConnectionFailed,
                "no connection of the pool came free in time; raise the limits or the pool timeout",
            )
        elif isinstance(error, httpx.ConnectTimeout):
            kind, problem = (
                ConnectionFailed,
                "no connection within the connect timeout; is the server reachable?",
            )
        elif isinstance(error, httpx.ConnectError | httpx.ProxyError):
            kind, problem = (
                ConnectionFailed,
                f"no connection ({cause}); is the server running there?",
            )
        elif isinstance(error, httpx.TimeoutException):
            part = "write" if isinstance(error, httpx.WriteTimeout) else "read"
            kind, problem = (
                RequestTimeout,
                f"nothing moved within the {part} timeout; the server may still be working on it"
                f" (raise Client(timeout=...))",
            )
        else:
            kind, problem = (
                ConnectionLost,
                f"the connection was cut ({cause}); the server may have acted on the request",
            )
            size = len(request.content or b"")
            if size > BODY_LIMIT:
                problem += (
                    f". The body has {size} bytes, and servers up to 0.11 cut bodies over about"
                    f" {BODY_LIMIT} off: send less at a time"
                )
        return kind(problem, method=request.method, url=url)

    def _sync_http(self) -> httpx.Client:
        self._check_open()
        given = self._given_client
        if isinstance(given, httpx.Client):
            return given
        if given is not None:
            raise InvalidRequest(
                "this client was made with an httpx.AsyncClient; use asyncio(...) forms"
            )
        transport = self._given_transport
        if transport is not None and not isinstance(transport, httpx.BaseTransport):
            raise InvalidRequest(
                "this client was made with an async transport; use asyncio(...) forms"
            )
        with self._lock:
            if self._sync is None:
                borrowed = None if transport is None else _Borrowed(transport)
                self._sync = httpx.Client(transport=borrowed)
            return self._sync

    def _async_http(self) -> httpx.AsyncClient:
        self._check_open()
        given = self._given_client
        if isinstance(given, httpx.AsyncClient):
            return given
        if given is not None:
            raise InvalidRequest("this client was made with an httpx.Client; use sync(...) forms")
        transport = self._given_transport
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise InvalidRequest("this client was made with a sync transport; use sync(...) forms")
        loop = _running_loop()
        if self._async is None or self._loop is not loop:
            if self._async is not None and self._loop is not None and not self._loop.is_closed():
                raise InvalidRequest(
                    "this client is in use by another event loop; make one Client for each loop"
                )
            # Connections of a closed loop went with it.
            self._async = httpx.AsyncClient(
                transport=_BorrowedAsync(transport) if transport else None
            )
            self._loop = loop
        return self._async

    def _check_open(self) -> None:
        if self._closed:
            raise InvalidRequest(
                "this client is closed; make a new one, or use it inside its with block"
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
        InvalidRequest: The token, the URL or a header field cannot be used.
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
        if not token or not token.isascii() or not token.isprintable():
            raise InvalidRequest(
                "the token is empty or has characters that no header field can hold"
            )
        super().__init__(
            base_url,
            headers={**(headers or {}), auth_header_name: f"{prefix} {token}" if prefix else token},
            timeout=timeout,
            http_client=http_client,
            transport=transport,
            raise_on_unexpected_status=raise_on_unexpected_status,
        )


class _Borrowed(httpx.BaseTransport):
    """Another's transport, which stays open when the httpx client around it is closed."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


class _BorrowedAsync(httpx.AsyncBaseTransport):
    """Another's async transport, which stays open when the httpx client around it is closed."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


def _split_url(base_url: str) -> tuple[str, str | None]:
    """Gives the API's URL without its user and password, and these as a header's value."""
    shown = base_url.rpartition("@")[2] if "@" in base_url else base_url
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as error:
        raise InvalidRequest(f"base_url {shown!r} is no URL; write http://HOST:PORT") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidRequest(
            f"base_url {shown!r} has no http:// or https:// and host; write http://HOST:PORT"
        )
    if url.query or url.fragment:
        raise InvalidRequest(f"base_url {shown!r} has a query or a fragment; leave it out")
    authorization = None
    if url.userinfo:
        user, _, password = url.userinfo.decode().partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    plain = str(url.copy_with(username=None, password=None)).rstrip("/")
    return (plain if plain.endswith(PATH_PREFIX) else plain + PATH_PREFIX), authorization


def _running_loop() -> asyncio.AbstractEventLoop | None:
    # Importing asyncio takes as long as a fifth of this package; without it there is no loop.
    module = sys.modules.get("asyncio")
    try:
        return None if module is None else module.get_running_loop()
    except RuntimeError:
        return None
