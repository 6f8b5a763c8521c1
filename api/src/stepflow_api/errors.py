"""The errors that this package raises.

    StepflowError
    ├── InvalidRequest             rejected before it was sent (also a ValueError)
    ├── UnsupportedByServer        a server of this version cannot do it
    ├── TransportError             no complete response arrived
    │   ├── ConnectionFailed       no connection: the server has not seen the request
    │   ├── ConnectionLost         cut while sending or waiting: the server may have acted on it
    │   └── RequestTimeout         nothing arrived in time: the server may have acted on it
    ├── InvalidAnswer              a success whose body is not what the spec documents
    └── StatusError                a response with an error status
        ├── BadRequest             400
        ├── Unauthorized           401
        ├── Forbidden              403
        ├── NotFound               404
        ├── Conflict               409
        ├── PayloadTooLarge        413
        ├── UnsupportedMediaType   415
        ├── UnprocessableContent   422
        ├── TooManyRequests        429
        ├── ServerError            500 to 599
        └── UnexpectedStatus       any other, or one that the spec does not document

All of them can be pickled. None shows a header or a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from stepflow_api._constants import TEXT_LIMIT

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = [
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "ConnectionLost",
    "Forbidden",
    "InvalidAnswer",
    "InvalidRequest",
    "NotFound",
    "PayloadTooLarge",
    "RequestTimeout",
    "ServerError",
    "StatusError",
    "StepflowError",
    "TooManyRequests",
    "TransportError",
    "Unauthorized",
    "UnexpectedStatus",
    "UnprocessableContent",
    "UnsupportedByServer",
    "UnsupportedMediaType",
]


# Not printable for Python, but part of ordinary text: Unicode spaces, and joiners for Persian,
# Indic scripts and emojis.
_ALSO_SHOWN = "\u00a0\u2002\u2003\u2009\u200a\u202f\u3000\u200c\u200d"

# Longer than the text that is shown, since repeated spaces count as one.
_SCANNED = 20 * TEXT_LIMIT

# Maximum number of problems of one body that are described: pydantic needs lines and time for each.
_PROBLEMS = 100


class StepflowError(Exception):
    """Base class of all errors of this package.

    A message may quote a server or a flow, so `str()` escapes everything in it that a terminal
    could interpret.
    """

    def __str__(self) -> str:
        return printable(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are rebuilt from `args`, which is the text alone; the rest is their state.
        return _rebuild, (type(self), self.args, {**self.__dict__})


def _rebuild(
    cls: type[StepflowError], args: tuple[Any, ...], state: dict[str, Any]
) -> StepflowError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidRequest(StepflowError, ValueError):
    """The request was refused before it was sent: an argument cannot be what the server needs."""


class UnsupportedByServer(StepflowError):
    """The server is too old for the request, which was not sent.

    Attributes:
        feature: What it does not support.
        server_version: Its version.
        since: The first version that can.
    """

    def __init__(self, feature: str, *, server_version: str, since: str) -> None:
        super().__init__(
            f"{feature} needs a server of version {since} or newer, and this one is"
            f" {server_version}; upgrade the server"
        )
        self.feature = feature
        self.server_version = server_version
        self.since = since


class _RequestError(StepflowError):
    """An error that belongs to one request.

    Attributes:
        method: HTTP method.
        url: The URL, without a password.
        message: What went wrong, and what to do next.
    """

    def __init__(self, message: str, *, method: str, url: str) -> None:
        super().__init__(f"{method} {url}: {message}")
        self.message = message
        self.method = method
        self.url = url


class TransportError(_RequestError):
    """No complete response arrived.

    Attributes:
        method: HTTP method.
        url: The URL, without a password.
        message: What went wrong, and what to do next.
    """


class ConnectionFailed(TransportError):
    """The connection failed, so the server has not seen the request."""


class ConnectionLost(TransportError):
    """The connection was cut while sending or waiting; the server may have acted on the request."""


class RequestTimeout(TransportError):
    """Nothing arrived in time; the server may have acted on the request."""


class _AnswerError(_RequestError):
    """An error with an answer.

    Attributes:
        status_code: HTTP status.
        content: The body's bytes.
    """

    def __init__(
        self, message: str, *, method: str, url: str, status_code: int, content: bytes
    ) -> None:
        super().__init__(message, method=method, url=url)
        self.status_code = status_code
        self.content = content

    @property
    def text(self) -> str:
        """The body as text, undecodable bytes replaced."""
        return self.content.decode("utf-8", "replace")


class InvalidAnswer(_AnswerError):
    """The server reports success, but the body is not what the spec documents."""


class StatusError(_AnswerError):
    """The server answered with an error status.

    Attributes:
        method: HTTP method.
        url: The URL, without a password.
        status_code: HTTP status.
        message: Status, and what the server said.
        content: The body's bytes.
        parsed: The body as the documented model for this status; None if it is not one.
        headers: Header fields of the answer; names are case-insensitive.
        status: The status of the class; None if it has several.
    """

    status: ClassVar[int | None] = None

    def __init__(
        self,
        message: str,
        *,
        method: str,
        url: str,
        status_code: int,
        content: bytes = b"",
        parsed: Any = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(
            ": ".join(part for part in (_status(status_code), message) if part),
            method=method,
            url=url,
            status_code=status_code,
            content=content,
        )
        self.parsed = parsed
        self.headers = headers or {}


class BadRequest(StatusError):
    """400: the server cannot make sense of the request."""

    status = 400


class Unauthorized(StatusError):
    """401: credentials are missing or wrong."""

    status = 401


class Forbidden(StatusError):
    """403: these credentials do not allow it."""

    status = 403


class NotFound(StatusError):
    """404: the server knows no such flow, run, blob or path."""

    status = 404


class Conflict(StatusError):
    """409: the run's state does not allow it, such as cancelling a finished one."""

    status = 409


class PayloadTooLarge(StatusError):
    """413: the request body is larger than the server takes (about 2 MiB up to 0.11)."""

    status = 413


class UnsupportedMediaType(StatusError):
    """415: the server does not take this content type."""

    status = 415


class UnprocessableContent(StatusError):
    """422: the body is JSON, but of the wrong shape."""

    status = 422


class TooManyRequests(StatusError):
    """429: too many requests; see the `retry-after` header."""

    status = 429


class ServerError(StatusError):
    """500 to 599: the server failed."""


class UnexpectedStatus(StatusError):
    """A status without a class of its own, or one that the spec does not document."""


_BY_STATUS = {
    cls.status: cls
    for cls in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        PayloadTooLarge,
        UnsupportedMediaType,
        UnprocessableContent,
        TooManyRequests,
    )
}


def status_error_class(status_code: int) -> type[StatusError]:
    """Return the class for an answer with this status."""
    if 500 <= status_code < 600:
        return ServerError
    return _BY_STATUS.get(status_code, UnexpectedStatus)


def printable(text: str, keep: str = "") -> str:
    r"""Return text without control characters, for a terminal or a log.

    Everything that is not printable is escaped as in a Python string (`\x1b`): control characters
    of ASCII and of U+0080 to U+009F, line breaks, and the format characters that change the
    direction of text or hide a part of it.

    Args:
        text: Text from a server, a flow or a file.
        keep: Characters that stay as they are, such as line breaks.
    """
    if text.isprintable():
        return text
    keep += _ALSO_SHOWN
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


def one_line(text: str) -> str:
    """Return text on one line, without control characters and cut to a readable length."""
    # Only the beginning is shown, so the rest of a large body is not processed.
    start = text[:_SCANNED]
    line = " ".join("".join(c if c.isprintable() else " " for c in start).split())
    length = len(line) + len(text) - len(start)
    return line if length <= TEXT_LIMIT else f"{line[:TEXT_LIMIT]}… ({length} characters)"


def body_problem(error: ValueError) -> str:
    """Return the first problem of a response body and its place, on one line."""
    from pydantic_core import ValidationError

    if not isinstance(error, ValidationError):
        return one_line(str(error))
    if body_cause(error) is None:
        return f"it has {error.error_count()} errors"
    return first_problem(error)


def first_problem(error: ValidationError) -> str:
    """Return the first problem of a document and its place, on one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    # The label of an open union's known members is empty, since it says nothing.
    place = ".".join(str(part) for part in first["loc"] if part != "")
    return one_line(f"{place}: {first['msg']}" if place else first["msg"])


def body_cause(error: ValueError) -> ValueError | None:
    """Return the error to chain; None if it is too long to be printed."""
    count = getattr(error, "error_count", None)
    return None if count is not None and count() > _PROBLEMS else error


def _status(status_code: int) -> str:
    # Imported here, so that only programs that meet an error load it.
    from http import HTTPStatus

    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)
