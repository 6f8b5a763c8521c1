"""The client that endpoint functions send their requests through."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from stepflow_api._constants import RESPONSE_LIMIT
from stepflow_api._exchange import driver
from stepflow_api._exchange.effects import OpenStream, Steps
from stepflow_api._exchange.exchange import Exchange
from stepflow_api._hidden import Hidden
from stepflow_api._transport.event_loops import asyncio_loop
from stepflow_api._transport.settings import header_fields, split_address, token_value
from stepflow_api._transport.transport import Transport
from stepflow_api.errors import UnexpectedStatus
from stepflow_api.types import UNSET, AsyncTokenTypes, Response, TimeoutTypes, VerifyTypes

if TYPE_CHECKING:
    from stepflow_api._httpx_types import (
        HttpxAsyncBaseTransport,
        HttpxAsyncClient,
        HttpxBaseTransport,
        HttpxClient,
    )
    from stepflow_api._messages import Answer, Request
    from stepflow_api._operation import Operation
    from stepflow_api._transport.event_stream import AsyncEventStream, EventStream

__all__ = ["AuthenticatedClient", "Client"]

S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")


class Client:
    """A connection pool to one Stepflow server, for the sync and the async forms of every endpoint.

    Use it as a context manager, `with` or `async with`, or call `close` or `aclose`: what it opened
    is closed, and an `http_client` or `transport` of your own stays open.

    Args:
        base_url: Where the server is, such as `http://localhost:7840`, with or without `/api/v1`. A
            user and password in it become a Basic `Authorization` header.
        headers: Header fields for every request.
        timeout: Seconds for a whole call, from connecting to the last byte of the response; None
            for no timeout. A `Timeout` of httpx or httpx2 bounds each wait instead, and the whole
            by the sum of its four timeouts, or by nothing if one is None. By default 5 s for a
            connection, and 330 s for a response, since the server waits up to 300 s for a run. A
            sum grows by a second for each 10 kB sent or received, for large bodies.
        http_client: A `Client` of httpx or httpx2 for the sync forms, or an `AsyncClient` for the
            async ones, with its own proxies, certificates, limits and timeout.
        transport: A transport of httpx or httpx2, sync or async, to send through.
        verify: Which certificates are trusted: True for those of the usual authorities, or of
            `SSL_CERT_FILE`; the path of a file or folder; or an `ssl.SSLContext`, which may have
            one of the client's own (mutual TLS). False disables verification: an attacker on
            the network can read and change tokens and data.
        raise_on_unexpected_status: Whether the `*_detailed` forms raise `UnexpectedStatus` for a
            status that the spec does not document, rather than return it.
        server_version: The server's version, such as `0.13.0`. By default the first request asks
            for it with one to `/health`; pass it where a proxy answers that itself.
        max_response_size: Maximum size in bytes of an answer, decompressed; a larger one raises
            `TransportError` while it arrives. None for no limit. Streams of events have none.

    Raises:
        InvalidRequest: An argument cannot be used.
        UnsupportedByServer: The server is too old.

    Example:
        >>> from stepflow_api.api.health import health_check
        >>> with Client(base_url="http://localhost:7840") as client:
        ...     health_check.sync(client=client).status
        'healthy'
    """

    # A traceback may show a client whose creation failed.
    _base_url, _headers = "", header_fields(Hidden(None))

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: TimeoutTypes = UNSET,
        http_client: HttpxClient | HttpxAsyncClient | None = None,
        transport: HttpxBaseTransport | HttpxAsyncBaseTransport | None = None,
        verify: VerifyTypes = True,
        raise_on_unexpected_status: bool = False,
        server_version: str | None = None,
        max_response_size: int | None = RESPONSE_LIMIT,
    ) -> None:
        address, fields = Hidden(base_url), Hidden(headers)
        del base_url, headers
        self._base_url, authorization = split_address(address)
        self._headers = header_fields(fields, authorization)
        self._raise_on_unexpected_status = raise_on_unexpected_status
        self._transport = Transport(
            self._base_url,
            self._headers,
            timeout=timeout,
            http_client=http_client,
            transport=transport,
            verify=verify,
            limit=max_response_size,
        )
        self._exchange = Exchange(self._transport, server_version)

    @property
    def base_url(self) -> str:
        """The server's URL with the API's prefix, without user and password."""
        return self._base_url

    @property
    def raise_on_unexpected_status(self) -> bool:
        """Whether the `*_detailed` forms raise for a status that the spec does not document."""
        return self._raise_on_unexpected_status

    def __repr__(self) -> str:
        headers = sorted(name.decode() for name in self._headers.value)
        return f"{type(self).__name__}({self._base_url!r}, {headers=})"

    def __reduce__(self) -> NoReturn:
        # A copy would close the connections of the original.
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled; create another")

    def __del__(self) -> None:
        if hasattr(self, "_transport"):  # There is none if its creation failed.
            self._transport.abandon(type(self).__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        asyncio_loop()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    def belong_to(self, owner: str, *, with_http_client: bool = False) -> None:
        """Set the name of the object that alone uses this client, and perhaps its `http_client`."""
        self._transport.owner = owner
        self._transport.is_own |= with_http_client

    def close(self) -> None:
        """Close the connections of the sync forms; the client cannot be used any more.

        Requests in progress in other threads still receive their responses.
        """
        self._transport.close()

    async def aclose(self) -> None:
        """Close all connections; the client cannot be used any more.

        Requests in progress in other tasks and threads still receive their responses.
        """
        await self._transport.aclose()

    def send(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> Response[R]:
        """Send a request, and return the complete response, whatever its status.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For this call, in place of the client's.
            headers: For this call, in place of the client's of the same names.

        Raises:
            TransportError: No complete response arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            UnexpectedStatus: The status is not documented, and `raise_on_unexpected_status` is set.
        """
        steps = self._exchange.steps(operation, request, partial(self._response, operation))
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout), headers)

    async def send_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> Response[R]:
        """Async version of `send`."""
        steps = self._exchange.steps(operation, request, partial(self._response, operation))
        timeouts = self._transport.timeouts(timeout)
        return await driver.run_async(self._exchange, steps, timeouts, headers)

    def call(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> S:
        """Send a request, and return what the operation returns for a success.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For this call, in place of the client's.
            headers: For this call, in place of the client's of the same names.

        Raises:
            TransportError: No complete response arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            StatusError: The status is not a documented success.
        """
        steps = self._exchange.steps(operation, request, operation.result)
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout), headers)

    async def call_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> S:
        """Async version of `call`."""
        steps = self._exchange.steps(operation, request, operation.result)
        timeouts = self._transport.timeouts(timeout)
        return await driver.run_async(self._exchange, steps, timeouts, headers)

    def fetch(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> Response[list[bytes]]:
        """Send a request, and return a success with its body in pieces, unparsed and never joined.

        For responses so large that a second copy of the body would count.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For this call, in place of the client's.
            headers: For this call, in place of the client's of the same names.

        Returns:
            The response, with the pieces as its `parsed` and no `content`.

        Raises:
            TransportError: No complete response arrived.
            InvalidAnswer: A success that is not what the spec documents.
            StatusError: The status is not a documented success.
        """
        steps = self._exchange.steps(operation, request, operation.pieces)
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout), headers)

    async def fetch_async(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> Response[list[bytes]]:
        """Async version of `fetch`."""
        steps = self._exchange.steps(operation, request, operation.pieces)
        timeouts = self._transport.timeouts(timeout)
        return await driver.run_async(self._exchange, steps, timeouts, headers)

    def open(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> EventStream:
        """Send a request whose response is a stream of events.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For the call until the stream begins; from then on, the read timeout bounds
                each wait for the next event.
            headers: For this call, in place of the client's of the same names.

        Returns:
            The stream; to be closed.

        Raises:
            TransportError: No response arrived.
            InvalidAnswer: A success that is not such a stream.
            StatusError: The status is not a success.
        """
        sending = OpenStream(request, operation.event)
        steps: Steps[EventStream] = self._exchange.steps(operation, sending, operation.stream)
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout), headers)

    async def open_async(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: TimeoutTypes = UNSET,
        headers: Hidden[Mapping[str, str] | None] | None = None,
    ) -> AsyncEventStream:
        """Async version of `open`."""
        sending = OpenStream(request, operation.event)
        steps: Steps[AsyncEventStream] = self._exchange.steps(operation, sending, operation.stream)
        timeouts = self._transport.timeouts(timeout)
        return await driver.run_async(self._exchange, steps, timeouts, headers)

    def run(self, steps: Steps[T], *, headers: Hidden[Mapping[str, str] | None] | None = None) -> T:
        """Run a generator of `stepflow_api.lowlevel`, and return its result.

        Args:
            steps: The generator, whose effects are performed; closed at the end.
            headers: For its requests, in place of the client's of the same names.
        """
        return driver.run(self._exchange, steps, self._transport.timeouts(UNSET), headers)

    async def run_async(
        self, steps: Steps[T], *, headers: Hidden[Mapping[str, str] | None] | None = None
    ) -> T:
        """Async version of `run`."""
        asyncio_loop()
        timeouts = self._transport.timeouts(UNSET)
        return await driver.run_async(self._exchange, steps, timeouts, headers)

    def _response(self, operation: Operation[S, R], answer: Answer) -> Response[R]:
        response = operation.response(answer)
        if self._raise_on_unexpected_status and not operation.documents(answer.status_code):
            raise operation.error(answer, response.parsed, UnexpectedStatus)
        return response


class AuthenticatedClient(Client):
    """A client that sends a token with every request.

    Args:
        base_url: Where the server is, with or without `/api/v1`.
        token: The secret, which appears in no repr, log line or error; or a function that returns
            it, for the async forms a coroutine function too. It is called for the first request,
            and again if the server refuses the token (401); the request is then sent once more.
        prefix: Text before the token; empty for the token alone.
        auth_header_name: The header field that carries it.
        headers: Further header fields. This and the arguments after it are those of `Client`.

    Raises:
        InvalidRequest: The token or another argument cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        token: AsyncTokenTypes,
        *,
        prefix: str = "Bearer",
        auth_header_name: str = "Authorization",
        headers: Mapping[str, str] | None = None,
        timeout: TimeoutTypes = UNSET,
        http_client: HttpxClient | HttpxAsyncClient | None = None,
        transport: HttpxBaseTransport | HttpxAsyncBaseTransport | None = None,
        verify: VerifyTypes = True,
        raise_on_unexpected_status: bool = False,
        server_version: str | None = None,
        max_response_size: int | None = RESPONSE_LIMIT,
    ) -> None:
        address, fields = Hidden(base_url), Hidden(headers)
        value: Hidden[Any] = Hidden((token, prefix))
        del base_url, headers, token, prefix
        super().__init__(
            address.value,
            headers=fields.value,
            timeout=timeout,
            http_client=http_client,
            transport=transport,
            verify=verify,
            raise_on_unexpected_status=raise_on_unexpected_status,
            server_version=server_version,
            max_response_size=max_response_size,
        )
        if callable(value.value[0]):
            from stepflow_api._exchange.tokens import TokenSource  # Most tokens are text.

            self._exchange.token = TokenSource(value, auth_header_name)
            return
        # Whatever the spelling of its name, this field takes the place of a given one.
        field = Hidden({auth_header_name: token_value(value).value})
        self._headers.value.update(header_fields(field).value)
