"""The seam between endpoints and transport, where servers of other versions are translated.

Everything above it speaks the API of the stored spec. Every request passes here on its way out and
every answer on its way in; nothing else touches them in between. What the server at hand speaks is
asked once, with the first request.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from stepflow_api._exchange.dialects.base import (
    Dialect,
    Exchange,
    Foreign,
    Pause,
    document,
    is_object,
)
from stepflow_api._exchange.dialects.versions import NEWEST, UNKNOWN, dialect_of, told_by
from stepflow_api._fork import reset_after_fork
from stepflow_api._operation import Answer, Request
from stepflow_api.errors import (
    ConnectionFailed,
    InvalidAnswer,
    InvalidRequest,
    StepflowError,
    TransportError,
    UnsupportedByServer,
)
from stepflow_api.spec import OPERATIONS

if TYPE_CHECKING:
    from concurrent.futures import Future

_HEALTH = Request("GET", "/health")

T = TypeVar("T")

#: What one caller finds out for all that wait: a dialect, why there is none, or that it gave up.
_Flight: TypeAlias = "Future[Dialect | StepflowError | None]"


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for what another caller is finding out.

    Attributes:
        flight: Is done once it has.
        request: What it is asking.
    """

    flight: _Flight
    request: Request


#: All that happens for one request: it yields what to do, and is sent what came of it.
Conversation: TypeAlias = Generator[Request | Pause | Await, Any, T]


class Seam:
    """Speaks to one server in its own dialect.

    Args:
        server_version: The server's version; None has it ask.
        url: Gives the URL of a request, for errors.

    Attributes:
        dialect: That of the server; None until it is known.

    Raises:
        InvalidRequest: The version is none.
        UnsupportedByServer: The version is too old.
    """

    def __init__(self, server_version: str | None, url: Callable[[Request], str]) -> None:
        self.dialect = None if server_version is None else dialect_of(server_version)
        self._is_given = server_version is not None
        self._url = url
        self._warned = False
        self._begin()
        reset_after_fork(self, Seam._begin)
        if self.dialect is not None:
            self._warn(self.dialect)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._flight: _Flight | None = None

    def converse(self, operation_id: str, request: Request) -> Conversation[Answer]:
        """Sends a request, in whichever way the server takes it.

        Args:
            operation_id: What is called.
            request: A request of the stored spec.

        Returns:
            The answer that the stored spec describes.

        Raises:
            InvalidRequest: No server may be sent this.
            InvalidAnswer: The server does not speak as it says.
            UnsupportedByServer: The server cannot do it.
        """
        check(operation_id, request)
        if operation_id not in OPERATIONS:
            # Another API's, which has no dialects.
            answer: Answer = yield request
            return answer
        known = dialect = self.dialect
        if dialect is None:
            # An answer about its health tells itself which version it is of.
            asks = operation_id == "healthCheck"
            dialect = UNKNOWN if asks else (yield from self.detect(request))
        try:
            return (yield from dialect.exchange(operation_id, request))
        except UnsupportedByServer:
            # Nothing that acts has been sent; perhaps the server has been upgraded since.
            if known is None or self._is_given:
                raise
            self.forget(dialect)
            dialect = yield from self.detect(request)
            return (yield from self._exchange(dialect, operation_id, request))
        except Foreign as foreign:
            return (yield from self._again(dialect, operation_id, request, foreign))

    def _exchange(
        self, dialect: Dialect, operation_id: str, request: Request
    ) -> Conversation[Answer]:
        try:
            return (yield from dialect.exchange(operation_id, request))
        except Foreign as foreign:
            raise self._unlike(dialect, foreign) from None

    def misread(
        self,
        dialect: Dialect | None,
        operation_id: str,
        request: Request,
        answer: Answer,
        error: InvalidAnswer,
    ) -> Conversation[Answer]:
        """Repeat a request whose response cannot be parsed, if the server has been replaced.

        Args:
            dialect: The dialect that was known before the request.
            operation_id: The operation.
            request: The request, as in the stored spec.
            answer: The response, as the dialect translated it.
            error: The error to raise if the server has not been replaced.
        """
        # Another call may have detected a new server while this response was on its way.
        stale = dialect or self.dialect
        self.forget(stale)
        if stale is None or self._is_given or operation_id not in OPERATIONS:
            raise error
        new = yield from self.detect(request)
        if new.translations == stale.translations:
            raise error
        if request.method == "GET":
            return (yield from self._exchange(new, operation_id, request))
        if operation_id in stale.translations:
            # What came is lost in translation.
            raise error
        return (
            yield from self._replay(stale, new, operation_id, request, Foreign(request, answer))
        )

    def again(
        self, dialect: Dialect, operation_id: str, request: Request, answer: Answer
    ) -> Conversation[Answer]:
        """Goes on after an answer to a direct request that a server of another version gave.

        Args:
            dialect: The one that the request was made in.
            operation_id: What is called.
            request: A request of the stored spec.
            answer: The answer.
        """
        return self._again(dialect, operation_id, request, Foreign(request, answer))

    def _again(
        self, dialect: Dialect, operation_id: str, request: Request, foreign: Foreign
    ) -> Conversation[Answer]:
        new = dialect
        if not self._is_given:
            self.forget(dialect)
            new = yield from self.detect(request)
        if new.translations == dialect.translations:
            if foreign.answer.status_code >= 400 or not foreign.answer.content:
                # A gateway's own, perhaps; an answer without a body is told when it is parsed.
                return foreign.answer
            raise self._unlike(dialect, foreign)
        return (yield from self._replay(dialect, new, operation_id, request, foreign))

    def _replay(
        self, dialect: Dialect, new: Dialect, operation_id: str, request: Request, foreign: Foreign
    ) -> Conversation[Answer]:
        exchange = new.exchange(operation_id, request)
        try:
            if foreign.request.method == "GET":
                # So nothing has happened yet.
                return (yield from exchange)
            if next(exchange) == foreign.request:
                return (yield from _resumed(exchange, foreign.answer))
        except Foreign as other:
            raise self._unlike(new, other) from None
        finally:
            exchange.close()
        raise self._unlike(dialect, foreign)

    def forget(self, dialect: Dialect | None = None) -> None:
        """Has the next request find out anew what the server speaks.

        Args:
            dialect: What it was taken for; by default whatever it is taken for now.
        """
        with self._lock:
            if not self._is_given and (dialect is None or self.dialect is dialect):
                self.dialect = None

    def detect(self, request: Request) -> Conversation[Dialect]:
        """Finds out what the server speaks, once for all that ask at a time.

        Args:
            request: What is to be sent then.
        """
        while True:
            with self._lock:
                if self.dialect is not None:
                    return self.dialect
                flight = self._flight
                leads = flight is None
                if flight is None:
                    # Importing it takes as long as all of the dialects.
                    from concurrent.futures import Future

                    flight = self._flight = Future()
            if leads:
                return (yield from self._lead(flight, request))
            try:
                found = yield Await(flight, _HEALTH)
            except StepflowError as error:
                found = error
            if isinstance(found, StepflowError):
                raise self._of_request(found, request)
            if isinstance(found, Dialect):
                return found

    def _lead(self, flight: _Flight, request: Request) -> Conversation[Dialect]:
        found: Dialect | StepflowError | None = None
        try:
            answer: Answer = yield _HEALTH
            told = told_by(answer)
            # A server that is starting, or behind a proxy that has no way to it, may tell later.
            if told is not None or 200 <= answer.status_code < 300 or answer.status_code == 404:
                self.dialect = told or UNKNOWN
            found = dialect = told or UNKNOWN
        except StepflowError as error:
            found = error
            raise self._of_request(error, request) from error.__cause__
        finally:
            # Whoever waits must not wait for ever, whatever ended this one.
            with self._lock:
                self._flight = None
            flight.set_result(found)
        self._warn(dialect)
        return dialect

    def _warn(self, dialect: Dialect) -> None:
        if dialect.is_newer and not self._warned:
            self._warned = True
            newest = ".".join(str(number) for number in NEWEST)
            warnings.warn(
                f"the server is {dialect.version}, which this stepflow-api does not know, so it is"
                f" treated as {newest}; look for a newer stepflow-api",
                stacklevel=2,
            )

    def _of_request(self, error: StepflowError, request: Request) -> StepflowError:
        """Gives the error for a request that was not sent, since the server could not be asked."""
        if not isinstance(error, TransportError):
            return error
        kind, message = type(error), error.message
        if request.method != "GET" and kind is not ConnectionFailed:
            kind = ConnectionFailed
            cause = message.partition(";")[0]
            message = f"not sent, since GET /health did not tell the server's version: {cause}"
        return kind(message, method=request.method, url=self._url(request))

    def _unlike(self, dialect: Dialect, foreign: Foreign) -> InvalidAnswer:
        answer = foreign.answer
        acted = foreign.request.method != "GET" and not 400 <= answer.status_code < 500
        return InvalidAnswer(
            f"{answer.status_code}, but the server does not answer as {dialect.version} does"
            f"{', and may have acted on the request' if acted else ''}; was it replaced, or does a"
            " proxy answer GET /health? Give the client the server_version= that is behind it",
            method=foreign.request.method,
            url=answer.url,
            status_code=answer.status_code,
            content=answer.content,
        )


def check(operation_id: str, request: Request) -> None:
    """Refuses what does harm on servers of all versions.

    Raises:
        InvalidRequest: It does.
    """
    if operation_id != "createRun" or b'"maxConcurrency":0' not in (request.content or b""):
        return
    body = document(request.content)
    if is_object(body) and body.get("maxConcurrency") == 0:
        raise InvalidRequest(
            "createRun: maxConcurrency is 0, for which servers break the connection and leave the"
            " run unfinished for good; give 1 or more, or leave it out"
        )


def _resumed(exchange: Exchange, answer: Answer) -> Exchange:
    """Goes on with an exchange whose first request has its answer already."""
    try:
        wanted = exchange.send(answer)
        while True:
            try:
                came = yield wanted
            except StepflowError as error:
                wanted = exchange.throw(error)
            else:
                wanted = exchange.send(came)
    except StopIteration as stop:
        done: Answer = stop.value
        return done
