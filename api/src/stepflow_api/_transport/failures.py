"""Errors of the network as those of this package."""

from __future__ import annotations

import re

import httpx

from stepflow_api._constants import BODY_LIMIT
from stepflow_api._operation import Request
from stepflow_api._transport.body import Unreadable
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

#: What is raised for a request that has no answer.
HTTP_FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    UnicodeError,
    Unreadable,
)

# What a server sends that does not trust the client's certificate, or misses one.
_CLIENT_CERTIFICATE = re.compile("ALERT_(.*CERTIFICATE|UNKNOWN_CA)")

_UNSENDABLE = (
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
    UnicodeError,
)


def failure(
    request: Request, url: str, error: Exception, proxy: httpx.Proxy | None = None
) -> StepflowError:
    """Return the error to raise for one of `HTTP_FAILURES`.

    Args:
        request: The request.
        url: Its URL.
        error: The exception of httpx.
        proxy: The proxy of the request, if any.
    """
    if isinstance(error, _UNSENDABLE):
        return InvalidRequest(f"{request.method} {url} cannot be sent: {_unsendable(error)}")
    kind, problem = _no_answer(request, error, proxy)
    return kind(problem, method=request.method, url=url)


def cause_to_show(error: Exception) -> Exception | None:
    """Return the cause to chain, None if its text may contain a secret.

    The frames that it was raised in are dropped: their variables hold what was to be sent.
    """
    has_secret = isinstance(error, httpx.LocalProtocolError)
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
    if isinstance(error, httpx.LocalProtocolError) and "header" in cause:
        # The cause quotes the value, which may be a secret of the http_client.
        return "a header field has a character that none can hold"
    return cause


def _no_answer(
    request: Request, error: Exception, proxy: httpx.Proxy | None
) -> tuple[type[TransportError], str]:
    cause = one_line(str(error)) or type(error).__name__
    match error:
        case httpx.PoolTimeout():
            return ConnectionFailed, (
                "all connections are in use, and none came free in time; raise the pool timeout, or"
                " make an http_client with higher limits"
            )
        case httpx.ConnectTimeout():
            return ConnectionFailed, (
                "no connection within the connect timeout; is the server reachable?"
            )
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in cause:
            return ConnectionFailed, (
                f"no connection, since its certificate is not trusted ({cause}); name the file with"
                " its CA by verify= or in SSL_CERT_FILE"
            )
        case httpx.NetworkError() if _CLIENT_CERTIFICATE.search(cause):
            # With TLS 1.3 it comes after the request was sent, which the server did not read.
            return ConnectionFailed, (
                f"no connection, since the server wants a certificate of the client ({cause}); pass"
                " verify= an ssl.SSLContext with one (load_cert_chain)"
            )
        case httpx.ConnectError() | httpx.ProxyError() if proxy is not None:
            # netloc has no user and password.
            where = f"{proxy.url.scheme}://{proxy.url.netloc.decode()}"
            return ConnectionFailed, (
                f"no connection through the proxy {where} ({cause}); check the proxy, or list the"
                " server in NO_PROXY to connect without it"
            )
        case httpx.ConnectError() | httpx.ProxyError():
            return ConnectionFailed, f"no connection ({cause}); is the server running there?"
        case httpx.TimeoutException() if cause == OVERDUE:
            return RequestTimeout, (
                "no complete response within the timeout; the server may still be working on it"
                " (raise Client(timeout=...))"
            )
        case httpx.TimeoutException():
            part = "write" if isinstance(error, httpx.WriteTimeout) else "read"
            return RequestTimeout, (
                f"nothing moved within the {part} timeout; the server may still be working on it"
                " (raise Client(timeout=...))"
            )
        case Unreadable():
            return TransportError, cause
        case httpx.DecodingError() | httpx.TooManyRedirects():
            return (
                TransportError,
                f"the answer cannot be read ({cause}); is this a Stepflow server?",
            )
        case _:
            pass
    problem = f"the connection was cut ({cause}); the server may have acted on the request"
    size = len(request.content or b"")
    if size > BODY_LIMIT:
        problem += (
            f". The body has {size} bytes, and servers up to 0.11 cut bodies over about"
            f" {BODY_LIMIT} off: send less at a time"
        )
    return ConnectionLost, problem
