"""Errors of connections, by the names that httpx and httpx2 have for them.

The SDK's own connections raise these, so that they need neither library. `failures` distinguishes
errors by the names of their classes, whichever library raised them.
"""

from __future__ import annotations


class HTTPError(Exception):
    """A request failed without a response."""

    def __init__(self, reason: object) -> None:
        super().__init__(str(reason))


class ConnectError(HTTPError):
    """The connection failed."""


class ReadError(HTTPError):
    """The connection was lost."""


class LocalProtocolError(HTTPError):
    """The request cannot be sent."""


class RemoteProtocolError(HTTPError):
    """The answer is not HTTP/1.1, or not complete."""


class TooManyRedirects(HTTPError):
    """There are too many redirects."""


class TimeoutException(HTTPError):
    """A wait, or the whole exchange, took too long."""


class ConnectTimeout(TimeoutException):
    """The connection was not established in time."""


class ReadTimeout(TimeoutException):
    """The answer did not arrive in time."""


class WriteTimeout(TimeoutException):
    """The request could not be sent in time."""


class PoolTimeout(TimeoutException):
    """No connection was free in time."""


def kinds(error: BaseException) -> set[str]:
    """Return the names of an error's classes, which are the same in httpx and httpx2 as here."""
    return {cls.__name__ for cls in type(error).__mro__}
