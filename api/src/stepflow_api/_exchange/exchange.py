"""The one road of all requests: detects the server's version, and translates for it.

Everything above speaks the API of the stored spec; each request is translated here on its way out,
and each response on its way in. The server's version is asked for once, with the first request, and
again when a response shows that the server was replaced.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from stepflow_api._exchange.dialects.base import (
    Dialect,
    UnrecognisedResponse,
    json_object,
)
from stepflow_api._exchange.dialects.versions import NEWEST, UNKNOWN, dialect_of, reported_dialect
from stepflow_api._exchange.effects import OpenStream, Steps, Wait
from stepflow_api._fork import reset_after_fork
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.transport import Transport
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

    from stepflow_api._exchange.tokens import TokenSource
    from stepflow_api._operation import Operation

_HEALTH = Request("GET", "/health", template="/health", expected_statuses=(404,))

T = TypeVar("T")

#: One caller's detection for all that wait: a dialect, an error, or None if it gave up.
_Detection: TypeAlias = "Future[Dialect | StepflowError | None]"


class Exchange:
    """Requests to one server and their responses, in the terms of the stored spec.

    Args:
        transport: Moves requests and responses.
        server_version: The server's version; None to detect it.

    Attributes:
        dialect: That of the server; None until it is known.
        token: Source of the token of each request; None if the headers have it or none is sent.

    Raises:
        InvalidRequest: The version is not one.
        UnsupportedByServer: The version is too old.
    """

    def __init__(self, transport: Transport, server_version: str | None) -> None:
        self.transport = transport
        self.dialect = None if server_version is None else dialect_of(server_version)
        self.token: TokenSource | None = None
        self._is_given = server_version is not None
        self._warned = False
        self._begin()
        reset_after_fork(self, Exchange._begin)
        if self.dialect is not None:
            self._warn(self.dialect)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._detection: _Detection | None = None

    def steps(
        self,
        operation: Operation[Any, Any],
        sending: Request | OpenStream,
        parse: Callable[[Any], T],
    ) -> Steps[T]:
        """Send a request in the server's dialect, and parse the response.

        Args:
            operation: The operation.
            sending: The effect that sends the request, as in the stored spec.
            parse: Returns the result, from the response as in the stored spec.

        Raises:
            InvalidRequest: The request does harm on servers of all versions.
            InvalidAnswer: The response is not that of a server of the version.
            UnsupportedByServer: The server does not support the request.
        """
        known = self.dialect
        if operation.id == "getRunEvents" and isinstance(sending, OpenStream):
            # Most programs read no events.
            from stepflow_api._exchange.dialects.events import opening

            sending = opening(sending)
        if isinstance(sending, OpenStream) or operation.id not in OPERATIONS:
            # There is no dialect for a stream, nor for another API.
            answer: Any = yield sending
            try:
                return parse(answer)
            except InvalidAnswer:
                self.forget(known)
                raise
        name, request = operation.id, sending
        if name == "createRun":
            _check_concurrency(request)
        dialect = known
        if dialect is None:
            # The response to a health check reports the version itself.
            is_health = name == "healthCheck"
            dialect = UNKNOWN if is_health else (yield from self._detect(request))
        try:
            answer = yield from dialect.exchange(name, request)
        except UnsupportedByServer:
            # Nothing that acts has been sent; perhaps the server has been upgraded since.
            if known is None or self._is_given:
                raise
            new = yield from self._detect_again(dialect, request)
            answer = yield from self._repeat(dialect, new, name, request, None)
        except UnrecognisedResponse as response:
            answer = yield from self._recover(dialect, name, request, response)
        try:
            return parse(answer)
        except InvalidAnswer as error:
            answer = yield from self._reread(known, name, request, answer, error)
        return parse(answer)

    def _recover(
        self, dialect: Dialect, name: str, request: Request, response: UnrecognisedResponse
    ) -> Steps[Answer]:
        """Return the response to a request, after one that another server may have sent."""
        new = yield from self._detect_again(dialect, request)
        if new.translations == dialect.translations:
            if response.answer.status_code >= 400 or not response.answer.content:
                # Perhaps a gateway's own; one without a body is refused when it is parsed.
                return response.answer
            raise self._mismatch(dialect, response)
        return (yield from self._repeat(dialect, new, name, request, response))

    def _reread(
        self,
        known: Dialect | None,
        name: str,
        request: Request,
        answer: Answer,
        error: InvalidAnswer,
    ) -> Steps[Answer]:
        """Return the response to a request, after one that cannot be parsed.

        Raises `error` if the server has not been replaced.
        """
        # Another call may have detected a new server while this response was on its way.
        stale = known or self.dialect
        if stale is None:
            raise error
        new = yield from self._detect_again(stale, request)
        # Of a response that was translated, the original is lost.
        is_lost = request.method != "GET" and name in stale.translations
        if is_lost or new.translations == stale.translations:
            raise error
        response = UnrecognisedResponse(request, answer)
        return (yield from self._repeat(stale, new, name, request, response))

    def _repeat(
        self,
        stale: Dialect,
        new: Dialect,
        name: str,
        request: Request,
        response: UnrecognisedResponse | None,
    ) -> Steps[Answer]:
        """Go through an exchange in a new dialect, without acting on the server twice.

        `response` is that to a request which was sent in the dialect before, if any.
        """
        if response is not None and response.request.method == "GET":
            # So nothing has happened yet.
            response = None
        try:
            return (yield from new.exchange(name, request, response))
        except UnrecognisedResponse as other:
            raise self._mismatch(stale if other is response else new, other) from None

    def forget(self, dialect: Dialect | None = None) -> None:
        """Let the next request detect the server's version again.

        Args:
            dialect: What the server was taken for; by default the current dialect.
        """
        with self._lock:
            if not self._is_given and (dialect is None or self.dialect is dialect):
                self.dialect = None

    def _detect_again(self, stale: Dialect, request: Request) -> Steps[Dialect]:
        if self._is_given:
            return stale
        self.forget(stale)
        return (yield from self._detect(request))

    def _detect(self, request: Request) -> Steps[Dialect]:
        """Detect the server's dialect, once for all concurrent callers."""
        while True:
            with self._lock:
                if self.dialect is not None:
                    return self.dialect
                detection = self._detection
                leads = detection is None
                if detection is None:
                    # Importing it takes as long as all of the dialects.
                    from concurrent.futures import Future

                    detection = self._detection = Future()
            if leads:
                return (yield from self._lead(detection, request))
            try:
                found = yield Wait(detection, _HEALTH)
            except StepflowError as error:
                found = error
            if isinstance(found, StepflowError):
                raise self._not_sent(found, request)
            if isinstance(found, Dialect):
                return found

    def _lead(self, detection: _Detection, request: Request) -> Steps[Dialect]:
        found: Dialect | StepflowError | None = None
        try:
            answer: Answer = yield _HEALTH
            reported = reported_dialect(answer)
            # A server that is starting, or that a proxy cannot reach, may report it later.
            if reported is not None or 200 <= answer.status_code < 300 or answer.status_code == 404:
                self.dialect = reported or UNKNOWN
            found = dialect = reported or UNKNOWN
        except StepflowError as error:
            found = error
            raise self._not_sent(error, request) from error.__cause__
        finally:
            # However this ends, the other callers must not wait for ever.
            with self._lock:
                self._detection = None
            detection.set_result(found)
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

    def _not_sent(self, error: StepflowError, request: Request) -> StepflowError:
        """Return the error for a request that was not sent, since detection failed."""
        if not isinstance(error, TransportError):
            return error
        kind, message = type(error), error.message
        if request.method != "GET" and kind is not ConnectionFailed:
            kind = ConnectionFailed
            cause = message.partition(";")[0]
            message = f"not sent, since GET /health did not tell the server's version: {cause}"
        return kind(message, method=request.method, url=self.transport.url(request))

    def _mismatch(self, dialect: Dialect, response: UnrecognisedResponse) -> InvalidAnswer:
        answer = response.answer
        acted = response.request.method != "GET" and not 400 <= answer.status_code < 500
        return InvalidAnswer(
            f"{answer.status_code}, but the server does not answer as {dialect.version} does"
            f"{', and may have acted on the request' if acted else ''}; was it replaced, or does a"
            " proxy answer GET /health? Pass server_version= of the server behind it",
            method=response.request.method,
            url=answer.url,
            status_code=answer.status_code,
            content=answer.content,
        )


def _check_concurrency(request: Request) -> None:
    if b'"maxConcurrency":0' not in (request.content or b""):
        return
    if json_object(request.content).get("maxConcurrency") == 0:
        raise InvalidRequest(
            "createRun: maxConcurrency is 0, and servers would never finish the run; pass 1 or"
            " more, or omit it"
        )
