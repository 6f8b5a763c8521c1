"""The client that endpoint functions send their requests through."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from stepflow_api._constants import RESPONSE_LIMIT
from stepflow_api._exchange.dialects.base import is_foreign, looks_foreign
from stepflow_api._exchange.driver import hold, hold_async
from stepflow_api._exchange.exchange import Seam, check
from stepflow_api._headers import Headers
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Answer, Operation, Request
from stepflow_api._transport.event_loops import asyncio_loop
from stepflow_api._transport.settings import header_fields, split_address, token_value
from stepflow_api._transport.timeouts import Timeouts
from stepflow_api._transport.transport import Transport
from stepflow_api.errors import InvalidAnswer, UnexpectedStatus
from stepflow_api.types import UNSET, Response, Unset

if TYPE_CHECKING:
    import httpx

    from stepflow_api._transport.event_stream import AsyncEventStream, EventStream

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
            for no timeout. An `httpx.Timeout` bounds each wait instead, and all of it by the sum of
            its four timeouts, or by nothing if one is None. By default 5 s for a connection, and
            330 s for a response, since the server waits up to 300 s for a run. A sum is prolonged
            by a second for each 10 kB that are moved, so large bodies may take longer.
        http_client: An `httpx.Client` for the sync forms or an `httpx.AsyncClient` for the async
            ones, with its own proxies, certificates, limits and timeout.
        transport: An httpx transport, sync or async, to send through.
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
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
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
        self._seam = Seam(server_version, self._transport.url)

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
        """Closes the connections of the sync forms; the client cannot be used any more.

        A request that another thread has under way still gets its answer.
        """
        self._transport.close()

    async def aclose(self) -> None:
        """Closes all connections; the client cannot be used any more.

        A request that another task or thread has under way still gets its answer.
        """
        await self._transport.aclose()

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
            timeout: For this call, in place of the client's.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            UnexpectedStatus: The status is not documented, and `raise_on_unexpected_status` is set.
        """
        parse = functools.partial(self._response, operation)
        return self._ask(parse, operation, request, timeout)

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
            timeout: For this call, in place of the client's.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success whose body is not what the spec documents.
            StatusError: The status is no documented success.
        """
        return self._ask(operation.result, operation, request, timeout)

    async def send_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> Response[R]:
        """Does what `send` does, without blocking."""
        parse = functools.partial(self._response, operation)
        return await self._ask_async(parse, operation, request, timeout)

    async def call_async(
        self,
        operation: Operation[S, R],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> S:
        """Does what `call` does, without blocking."""
        return await self._ask_async(operation.result, operation, request, timeout)

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
            timeout: For this call, in place of the client's.

        Returns:
            The answer, with the pieces as its `parsed` and no `content`.

        Raises:
            TransportError: No whole answer arrived.
            InvalidAnswer: A success that is not what the spec documents.
            StatusError: The status is no documented success.
        """
        timeouts = self._transport.timeouts(timeout)
        dialect = self._seam.dialect or hold(self._transport, self._seam.detect(request), timeouts)
        if operation.id in dialect.translations:
            return _whole(operation, self._exchange(operation, request, timeouts))
        fetched = self._transport.fetch(request, timeouts)
        if isinstance(fetched, Response) and not _begins_foreign(fetched):
            return fetched
        answer = self._joined(request, fetched)
        if is_foreign(answer):
            answer = hold(
                self._transport, self._seam.again(dialect, operation.id, request, answer), timeouts
            )
        return _whole(operation, answer)

    async def fetch_async(
        self,
        operation: Operation[Any, Any],
        request: Request,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
    ) -> Response[list[bytes]]:
        """Does what `fetch` does, without blocking."""
        timeouts = self._transport.timeouts(timeout)
        dialect = self._seam.dialect
        if dialect is None:
            dialect = await hold_async(self._transport, self._seam.detect(request), timeouts)
        if operation.id in dialect.translations:
            return _whole(operation, await self._exchange_async(operation, request, timeouts))
        fetched = await self._transport.fetch_async(request, timeouts)
        if isinstance(fetched, Response) and not _begins_foreign(fetched):
            return fetched
        answer = self._joined(request, fetched)
        if is_foreign(answer):
            conversation = self._seam.again(dialect, operation.id, request, answer)
            answer = await hold_async(self._transport, conversation, timeouts)
        return _whole(operation, answer)

    def open(
        self, operation: Operation[Any, Any], request: Request, *, timeout: httpx.Timeout | None
    ) -> EventStream:
        """Sends a request that a stream of events answers.

        Args:
            operation: What is called.
            request: What `operation.request` built.
            timeout: For the call until the stream begins; from then on, the read timeout bounds
                each wait for the next event.

        Returns:
            The stream; to be closed.

        Raises:
            TransportError: No answer arrived.
            InvalidAnswer: A success that is no such stream.
            StatusError: The status is no success.
        """
        opened = self._transport.open(request, self._transport.timeouts(timeout), _event)
        return self._no_stream(operation, opened) if isinstance(opened, Answer) else opened

    async def open_async(
        self, operation: Operation[Any, Any], request: Request, *, timeout: httpx.Timeout | None
    ) -> AsyncEventStream:
        """Does what `open` does, without blocking."""
        opened = await self._transport.open_async(
            request, self._transport.timeouts(timeout), _event
        )
        return self._no_stream(operation, opened) if isinstance(opened, Answer) else opened

    def _no_stream(self, operation: Operation[Any, Any], answer: Answer) -> NoReturn:
        try:
            operation.result(answer)
        except InvalidAnswer:
            # Perhaps another server is there by now.
            self._seam.forget()
            raise
        raise AssertionError("a stream is never parsed")

    def _response(self, operation: Operation[S, R], answer: Answer) -> Response[R]:
        response = operation.response(answer)
        if self._raise_on_unexpected_status and not operation.documents(answer.status_code):
            raise operation.error(answer, response.parsed, UnexpectedStatus)
        return response

    def _ask(
        self,
        parse: Callable[[Answer], T],
        operation: Operation[Any, Any],
        request: Request,
        timeout: Any,
    ) -> T:
        timeouts = self._transport.timeouts(timeout)
        dialect = self._seam.dialect
        answer = self._exchange(operation, request, timeouts)
        try:
            return parse(answer)
        except InvalidAnswer as error:
            again = self._seam.misread(dialect, operation.id, request, answer, error)
        return parse(hold(self._transport, again, timeouts))

    async def _ask_async(
        self,
        parse: Callable[[Answer], T],
        operation: Operation[Any, Any],
        request: Request,
        timeout: Any,
    ) -> T:
        timeouts = self._transport.timeouts(timeout)
        dialect = self._seam.dialect
        answer = await self._exchange_async(operation, request, timeouts)
        try:
            return parse(answer)
        except InvalidAnswer as error:
            again = self._seam.misread(dialect, operation.id, request, answer, error)
        return parse(await hold_async(self._transport, again, timeouts))

    def _exchange(
        self, operation: Operation[Any, Any], request: Request, timeouts: Timeouts
    ) -> Answer:
        dialect = self._seam.dialect
        if dialect is None or operation.id in dialect.translations:
            return hold(self._transport, self._seam.converse(operation.id, request), timeouts)
        check(operation.id, request)
        answer = self._transport.send(request, timeouts)
        if not is_foreign(answer):
            return answer
        return hold(
            self._transport, self._seam.again(dialect, operation.id, request, answer), timeouts
        )

    async def _exchange_async(
        self, operation: Operation[Any, Any], request: Request, timeouts: Timeouts
    ) -> Answer:
        dialect = self._seam.dialect
        if dialect is None or operation.id in dialect.translations:
            conversation = self._seam.converse(operation.id, request)
            return await hold_async(self._transport, conversation, timeouts)
        check(operation.id, request)
        answer = await self._transport.send_async(request, timeouts)
        if not is_foreign(answer):
            return answer
        conversation = self._seam.again(dialect, operation.id, request, answer)
        return await hold_async(self._transport, conversation, timeouts)

    def _joined(self, request: Request, fetched: Response[list[bytes]] | Answer) -> Answer:
        if isinstance(fetched, Answer):
            return fetched
        content = b"".join(fetched.parsed or ())
        url = self._transport.url(request)
        return Answer(url, fetched.status_code, Headers(fetched.headers.raw), content)


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
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
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


def _event(data: bytes) -> dict[str, Any]:
    # Most programs ask for no events.
    from stepflow_api._exchange.dialects.events import event

    return event(data)


def _whole(operation: Operation[Any, Any], answer: Answer) -> Response[list[bytes]]:
    kind = answer.headers.get("content-type")
    if not 200 <= answer.status_code < 300 or kind.startswith("application/grpc"):
        operation.result(answer)
    return Response(answer.status_code, answer.headers.to_httpx(), b"", [answer.content])


def _begins_foreign(fetched: Response[list[bytes]]) -> bool:
    kind = fetched.headers.get("content-type", "")
    beginning = fetched.parsed[0] if fetched.parsed else b""
    return looks_foreign(kind, fetched.status_code, beginning)
