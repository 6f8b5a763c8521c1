"""HTTP/1.1 without I/O: a request to bytes, bytes to its answer.

It is what the sync and the async connections have in common; h11 speaks the protocol.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import h11

from stepflow_api._body import ACCEPTED, Body, check_fields
from stepflow_api._constants import USER_AGENT
from stepflow_api._headers import Fields, Headers
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Request

if TYPE_CHECKING:
    import ssl

    import httpx

_log = logging.getLogger("stepflow_api")

READ_SIZE = 256 * 1024
"""Bytes to ask the system for at a time."""

# Of the head of an answer; servers and proxies themselves allow less.
_HEAD_LIMIT = 100 * 1024

_PORTS = {"http": 80, "https": 443}


class Address:
    """Where requests go, and what all of them carry.

    Args:
        base_url: The server's URL with the API's prefix.
        headers: Header fields for every request; read when the first one is sent.
        limit: Maximum size of a response body in bytes; None for no limit.
    """

    def __init__(self, base_url: str, headers: Fields, limit: int | None) -> None:
        url = urlsplit(base_url)
        assert url.hostname is not None
        self.host = url.hostname
        self.port = url.port or _PORTS[url.scheme]
        self.is_ip = ":" in self.host or self.host.replace(".", "").isdigit()
        self.limit = limit
        self._prefix = url.path
        self._netloc = url.netloc.encode("ascii")
        self._headers = headers
        self._fields: dict[bytes, tuple[bytes, bytes]] | None = None
        self._needs_tls = url.scheme == "https"
        self._ssl: ssl.SSLContext | None = None

    def ssl_context(self) -> ssl.SSLContext | None:
        """Gives what all TLS connections share; None where there is no TLS."""
        if self._needs_tls and self._ssl is None:
            import httpx

            # Making it takes longer than all else that a client does.
            self._ssl = httpx.create_ssl_context()
            self._ssl.set_alpn_protocols(["http/1.1"])
        return self._ssl

    def head(self, request: Request) -> Hidden[h11.Request]:
        """Gives the head of a request.

        Raises:
            httpx.LocalProtocolError: It cannot be sent.
        """
        query = f"?{urlencode(request.query)}" if request.query else ""
        try:
            return Hidden(
                h11.Request(
                    method=request.method,
                    target=f"{self._prefix}{request.path}{query}",
                    headers=list(self._request_fields(request)),
                )
            )
        except h11.LocalProtocolError as error:
            raise broken("LocalProtocolError", error) from error

    def _request_fields(self, request: Request) -> Iterable[tuple[bytes, bytes]]:
        usual = self._fields = self._fields or self._usual_fields()
        if not request.headers and request.method == "GET":
            return usual.values()
        fields = usual.copy()
        for name, value in request.headers.items():
            field = name.encode("ascii")
            fields[field.lower()] = field, value.encode("ascii")
        if request.content is not None or request.method in ("POST", "PUT", "PATCH"):
            length = b"%d" % len(request.content or b"")
            fields[b"content-length"] = b"Content-Length", length
        return fields.values()

    def _usual_fields(self) -> dict[bytes, tuple[bytes, bytes]]:
        usual = [
            (b"Host", self._netloc),
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", ACCEPTED.encode("ascii")),
            (b"Connection", b"keep-alive"),
            (b"User-Agent", USER_AGENT.encode("ascii")),
        ]
        return {**{name.lower(): (name, value) for name, value in usual}, **self._headers.value}


class Received:
    """A whole answer.

    Args:
        status_code: HTTP status.
        headers: Header fields.
        body: The body as it came.

    Attributes:
        status_code: HTTP status.
        headers: Header fields.
        pieces: The body, decompressed.

    Raises:
        Unreadable: The body cannot be decompressed, or is too large then.
    """

    __slots__ = ("headers", "pieces", "status_code")

    def __init__(self, status_code: int, headers: Headers, body: Body) -> None:
        self.status_code = status_code
        self.headers = headers
        self.pieces = body.decoded(headers.get("content-encoding"))


class Wire:
    """What a connection says and hears, one request at a time.

    Args:
        limit: Maximum size of a response body in bytes; None for no limit.

    Attributes:
        is_idle: Whether the next request may be sent here.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
        self._response: h11.Response | None = None
        self._body = Body(limit)
        self.is_idle = True

    def say(self, head: Hidden[h11.Request], content: bytes | None) -> Hidden[bytes]:
        """Begins a request and gives what to send."""
        self.is_idle = False
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("sending %s %s", head.value.method.decode(), head.value.target.decode())
        state = self._state
        said = Hidden(state.send(head.value) or b"")
        if content:
            said.value += state.send(h11.Data(data=content)) or b""
        state.send(h11.EndOfMessage())
        return said

    def hear(self, data: bytes) -> Received | None:
        """Takes what came; nothing at the end of the connection.

        Returns:
            The answer, once it is whole.

        Raises:
            httpx.RemoteProtocolError: It is no HTTP, or its end is missing.
            Unreadable: It is too large, or cannot be decompressed.
        """
        state = self._state
        try:
            if not data and state.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError("Server disconnected without sending a response.")
            state.receive_data(data)
            while True:
                event = state.next_event()
                if event is h11.NEED_DATA:
                    return None
                if isinstance(event, h11.Data):
                    self._body.add(bytes(event.data))
                elif isinstance(event, h11.Response):
                    check_fields(len(event.headers))
                    self._response = event
                elif isinstance(event, h11.EndOfMessage):
                    return self._end()
                elif not isinstance(event, h11.InformationalResponse):
                    raise h11.RemoteProtocolError("it speaks another protocol")
        except h11.RemoteProtocolError as error:
            raise broken("RemoteProtocolError", error) from error

    def _end(self) -> Received:
        response, body = self._response, self._body
        assert response is not None
        self._response, self._body = None, Body(self._limit)
        _log.debug("received %d", response.status_code)
        state = self._state
        if state.our_state is h11.DONE and state.their_state is h11.DONE:
            state.start_next_cycle()
            # What comes unasked must not be taken for the next answer.
            self.is_idle = state.trailing_data == (b"", False)
        return Received(response.status_code, Headers(response.headers), body)


def broken(kind: str, error: object) -> httpx.RequestError:
    """Gives httpx's error for what happened to a connection.

    Args:
        kind: Its name.
        error: What happened.
    """
    import httpx

    cls: type[httpx.RequestError] = getattr(httpx, kind)
    return cls(str(error))
