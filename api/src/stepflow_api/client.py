"""The client that endpoint functions send their requests through."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from stepflow_api._constants import RESPONSE_LIMIT
from stepflow_api._exchange import driver
from stepflow_api._exchange.effects import OpenStream, Steps
from stepflow_api._exchange.exchange import Exchange
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Answer, Operation, Request
from stepflow_api._transport.event_loops import asyncio_loop
from stepflow_api._transport.settings import header_fields, split_address, token_value
from stepflow_api._transport.transport import Transport
from stepflow_api.errors import UnexpectedStatus
from stepflow_api.types import UNSET, Response, Unset

if TYPE_CHECKING:
    from stepflow_api._transport.event_stream import AsyncEventStream, EventStream
    from stepflow_api._transport.httpx_types import (
        HttpxAsyncBaseTransport,
        HttpxAsyncClient,
        HttpxBaseTransport,
        HttpxClient,
        HttpxTimeout,
    )

__all__ = ["AuthenticatedClient", "Client"]

S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")


class Client:
    """A connection pool to one Stepflow server, for the sync and the async forms of every endpoint.

    Use it as a context manager, `with` or `async with`, or call `close` or `aclose`: what it opened
    is closed, and an `http_client` or `transport` that was handed in stays open.

    Args:
        base_url: Where the server is, such as `http://localhost:7840`, with or without `/api/v1`. A
            user and password in it become a Basic `Authorization` header.
        headers: Header fields for every request.
        timeout: Seconds for a whole call, from connecting to the last byte of the response; None
            for no timeout. A `Timeout` of httpx or httpx2 bounds each wait instead, and the whole
            by the sum of its four timeouts, or by nothing if one is None. By default 5 s for a
            connection, and 330 s for a response, since the server waits up to 300 s for a run. A
            sum is prolonged by a second for each 10 kB that are moved, so large bodies may take
            longer.
        http_client: A `Client` of httpx or httpx2 for the sync forms, or an `AsyncClient` for the
            async ones, with its own proxies, certificates, limits and timeout.
        transport: A transport of httpx or httpx2, sync or async, to send through.
        raise_on_unexpected_status: Whether the `*_detailed` forms raise `UnexpectedStatus` for a
            status that the spec does not document, rather than return it.
        server_version: The server's version, such as `0.13.0`. By default the first request asks
            for it with one to `/health`; give it where a proxy answers that itself.
        max_response_size: Maximum size in bytes of an answer, decompressed; a larger one raises
            `TransportError` while it arrives. None for no limit. Streams of events have none.

    Raises:
        InvalidRequest: An argument cannot be used.
        UnsupportedByServer: The server is too old.

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
        timeout: float | HttpxTimeout | Unset | None = UNSET,
        http_client: HttpxClient | HttpxAsyncClient | None = None,
        transport: HttpxBaseTransport | HttpxAsyncBaseTransport | None = None,
        raise_on_unexpected_status: bool = False,
        server_version: str | None = None,
        max_response_size: int | None = RESPONSE_LIMIT,
    ) -> None:
        address, fields = Hidden(base_url), Hidden(headers)
        del base_url, headers
        # A traceback may show a client whose creation failed.
        self._base_url, self._headers = "", header_fields(Hidden(None))
        self._base_url, authorization = split_address(address)
        self._headers = header_fields(fields)
        if authorization is not None:
            self._headers.value.setdefault(
                b"authorization", (b"authorization", authorization.value.encode())
            )
        self._raise_on_unexpected_status = raise_on_unexpected_status
        self._transport = Transport(
            self._base_url, self._headers, timeout, http_client, transport, max_response_size
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
        names = sorted(name.decode() for name in self._headers.value)
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
        asyncio_loop()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the connections of the sync forms; the client cannot be used any more.

        A request that another thread has under way still receives its response.
        """
        self._transport.close()

    async def aclose(self) -> None:
        """Close all connections; the client cannot be used any more.

        A request that another task or thread has under way still receives its response.
        """
        await self._transport.aclose()

    def send(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | HttpxTimeout | Unset | None = UNSET,
    ) -> Response[R]:
        """Send a request, and return the complete response, whatever its status.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For this call, in place of the client's.

        Raises:
            TransportError: No complete response arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            UnexpectedStatus: The status is not documented, and `raise_on_unexpected_status` is set.
        """
        steps = self._exchange.steps(operation, request, partial(self._response, operation))
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout))

    async def send_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | HttpxTimeout | Unset | None = UNSET,
    ) -> Response[R]:
        """Async version of `send`."""
        steps = self._exchange.steps(operation, request, partial(self._response, operation))
        return await driver.run_async(self._exchange, steps, self._transport.timeouts(timeout))

    def call(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | HttpxTimeout | Unset | None = UNSET,
    ) -> S:
        """Send a request, and return what the operation returns for a success.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For this call, in place of the client's.

        Raises:
            TransportError: No complete response arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            StatusError: The status is not a documented success.
        """
        steps = self._exchange.steps(operation, request, operation.result)
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout))

    async def call_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | HttpxTimeout | Unset | None = UNSET,
    ) -> S:
        """Async version of `call`."""
        steps = self._exchange.steps(operation, request, operation.result)
        return await driver.run_async(self._exchange, steps, self._transport.timeouts(timeout))

    def fetch(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: float | HttpxTimeout | Unset | None = UNSET,
    ) -> Response[list[bytes]]:
        """Send a request, and return a success with its body in pieces, unparsed and never joined.

        For responses so large that a second copy of the body would count.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For this call, in place of the client's.

        Returns:
            The response, with the pieces as its `parsed` and no `content`.

        Raises:
            TransportError: No complete response arrived.
            InvalidAnswer: A success that is not what the spec documents.
            StatusError: The status is not a documented success.
        """
        steps = self._exchange.steps(operation, request, operation.pieces)
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout))

    async def fetch_async(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: float | HttpxTimeout | Unset | None = UNSET,
    ) -> Response[list[bytes]]:
        """Async version of `fetch`."""
        steps = self._exchange.steps(operation, request, operation.pieces)
        return await driver.run_async(self._exchange, steps, self._transport.timeouts(timeout))

    def open(
        self, operation: Operation[Any, Any], request: Request, *, timeout: HttpxTimeout | None
    ) -> EventStream:
        """Send a request whose response is a stream of events.

        Args:
            operation: The operation.
            request: What `operation.request` built.
            timeout: For the call until the stream begins; from then on, the read timeout bounds
                each wait for the next event.

        Returns:
            The stream; to be closed.

        Raises:
            TransportError: No response arrived.
            InvalidAnswer: A success that is not such a stream.
            StatusError: The status is not a success.
        """
        steps: Steps[EventStream] = self._exchange.steps(
            operation, OpenStream(request), operation.stream
        )
        return driver.run(self._exchange, steps, self._transport.timeouts(timeout))

    async def open_async(
        self, operation: Operation[Any, Any], request: Request, *, timeout: HttpxTimeout | None
    ) -> AsyncEventStream:
        """Async version of `open`."""
        steps: Steps[AsyncEventStream] = self._exchange.steps(
            operation, OpenStream(request), operation.stream
        )
        return await driver.run_async(self._exchange, steps, self._transport.timeouts(timeout))

    def _response(self, operation: Operation[S, R], answer: Answer) -> Response[R]:
        response = operation.response(answer)
        if self._raise_on_unexpected_status and not operation.documents(answer.status_code):
            raise operation.error(answer, response.parsed, UnexpectedStatus)
        return response


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
        server_version: As for `Client`.
        max_response_size: As for `Client`.

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
        timeout: float | HttpxTimeout | Unset | None = UNSET,
        http_client: HttpxClient | HttpxAsyncClient | None = None,
        transport: HttpxBaseTransport | HttpxAsyncBaseTransport | None = None,
        raise_on_unexpected_status: bool = False,
        server_version: str | None = None,
        max_response_size: int | None = RESPONSE_LIMIT,
    ) -> None:
        self._base_url, self._headers = "", header_fields(Hidden(None))
        address, fields = Hidden(base_url), Hidden(headers)
        value = Hidden((token, prefix))
        del base_url, headers, token, prefix
        super().__init__(
            address.value,
            headers=fields.value,
            timeout=timeout,
            http_client=http_client,
            transport=transport,
            raise_on_unexpected_status=raise_on_unexpected_status,
            server_version=server_version,
            max_response_size=max_response_size,
        )
        # Whatever the spelling of its name, this field takes the place of a given one.
        field = header_fields(Hidden({auth_header_name: token_value(value).value}))
        self._headers.value.update(field.value)


def run(client: Client, steps: Steps[T]) -> T:
    """Run a generator, and perform the effects that it yields.

    Args:
        client: Sends the requests.
        steps: The generator; closed at the end.

    Returns:
        What the generator returns.
    """
    return driver.run(client._exchange, steps, client._transport.timeouts(UNSET))


async def run_async(client: Client, steps: Steps[T]) -> T:
    """Async version of `run`."""
    asyncio_loop()
    return await driver.run_async(client._exchange, steps, client._transport.timeouts(UNSET))
