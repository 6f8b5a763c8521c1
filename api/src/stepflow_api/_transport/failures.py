"""Errors of the network as those of this package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stepflow_api._constants import BODY_LIMIT
from stepflow_api._messages import Request
from stepflow_api._transport.body import Unreadable
from stepflow_api._transport.httpx_libraries import library_errors
from stepflow_api._transport.network_errors import HTTPError, kinds
from stepflow_api._transport.timeouts import OVERDUE
from stepflow_api.errors import (
    ConnectionFailed,
    ConnectionLost,
    InvalidRequest,
    RequestTimeout,
    StepflowError,
    TransportError,
    one_line,
)

if TYPE_CHECKING:
    from stepflow_api._httpx_types import HttpxProxy

_UNSENDABLE = {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError", "UnicodeError"}

# What a server sends that does not trust the client's certificate, or misses one.
_CLIENT_CERTIFICATE = re.compile("ALERT_(.*CERTIFICATE|UNKNOWN_CA)")


def http_failures() -> tuple[type[Exception], ...]:
    """Return the exception classes of requests without a response."""
    return HTTPError, OSError, UnicodeError, Unreadable, *library_errors()


def failure(
    request: Request, url: str, error: Exception, proxy: HttpxProxy | None = None
) -> StepflowError:
    """Return the error to raise for one of `http_failures()`."""
    if kinds(error) & _UNSENDABLE:
        return InvalidRequest(f"{request.method} {url} cannot be sent: {_unsendable(error)}")
    kind, problem = _no_answer(request, error, proxy)
    return kind(problem, method=request.method, url=url)


def cause_to_show(error: Exception) -> Exception | None:
    """Return the cause to chain, None if its text may contain a secret.

    The frames that it was raised in are dropped: their variables hold what was to be sent.
    """
    has_secret = "LocalProtocolError" in kinds(error)
    one: BaseException | None = error
    while one is not None:
        one.__traceback__ = None
        if has_secret:
            # Python keeps it as the context, which some tools show.
            one.args = ()
        one = one.__cause__ or one.__context__
    return None if has_secret else error


def _unsendable(error: Exception) -> str:
    cause = one_line(str(error))
    if "LocalProtocolError" in kinds(error) and "header" in cause:
        # The cause quotes the value, which may be a secret of the http_client.
        return "a header field has a character that none can hold"
    return cause


def _no_answer(
    request: Request, error: Exception, proxy: HttpxProxy | None
) -> tuple[type[TransportError], str]:
    cause = one_line(str(error)) or type(error).__name__
    kind = kinds(error)
    if "PoolTimeout" in kind:
        return ConnectionFailed, (
            "all connections are in use, and none came free in time; raise the pool timeout, or"
            " make an http_client with higher limits"
        )
    if "ConnectTimeout" in kind:
        return ConnectionFailed, (
            "no connection within the connect timeout; is the server reachable?"
        )
    if "ConnectError" in kind and "CERTIFICATE_VERIFY_FAILED" in cause:
        return ConnectionFailed, (
            f"no connection, since its certificate is not trusted ({cause}); name the file with"
            " its CA by verify= or in SSL_CERT_FILE"
        )
    if "ConnectError" in kind and proxy is None and "WRONG_VERSION_NUMBER" in cause:
        return ConnectionFailed, (
            f"no connection, since the server does not speak TLS ({cause}); is its URL http://, not"
            " https://?"
        )
    if kind & {"ConnectError", "ReadError", "WriteError"} and _CLIENT_CERTIFICATE.search(cause):
        # With TLS 1.3 it comes after the request was sent, which the server did not read.
        return ConnectionFailed, (
            f"no connection, since the server wants a certificate of the client ({cause}); pass"
            " verify= an ssl.SSLContext with one (load_cert_chain)"
        )
    if kind & {"ConnectError", "ProxyError"}:
        if proxy is None:
            return ConnectionFailed, f"no connection ({cause}); is the server running there?"
        # netloc has no user and password.
        where = f"{proxy.url.scheme}://{proxy.url.netloc.decode()}"
        return ConnectionFailed, (
            f"no connection through the proxy {where} ({cause}); check the proxy, or list the"
            " server in NO_PROXY to connect without it"
        )
    if "TimeoutException" in kind and cause == OVERDUE:
        return RequestTimeout, (
            "no complete response within the timeout; the server may still be working on it"
            " (raise Client(timeout=...))"
        )
    if "TimeoutException" in kind:
        part = "write" if "WriteTimeout" in kind else "read"
        return RequestTimeout, (
            f"nothing moved within the {part} timeout; the server may still be working on it"
            " (raise Client(timeout=...))"
        )
    if isinstance(error, Unreadable):
        return TransportError, cause
    if kind & {"DecodingError", "TooManyRedirects"}:
        return TransportError, f"the answer cannot be read ({cause}); is this a Stepflow server?"
    problem = f"the connection was cut ({cause}); the server may have acted on the request"
    size = len(request.content or b"")
    if size > BODY_LIMIT:
        problem += (
            f". The body has {size} bytes, and servers up to 0.11 cut bodies over about"
            f" {BODY_LIMIT} off: send less at a time"
        )
    return ConnectionLost, problem
