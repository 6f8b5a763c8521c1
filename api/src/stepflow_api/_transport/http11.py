"""HTTP/1.1 without I/O: requests to bytes, and bytes to responses.

The sync and the async connections share it; httptools parses the responses.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpResponseParser,
)

from stepflow_api._constants import DEFAULT_PORTS, USER_AGENT, USUAL_ACCEPT
from stepflow_api._headers import FIELD_NAME, FIELD_VALUE, Fields, Headers
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.body import ACCEPTED, Body, check_fields
from stepflow_api._transport.network_errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    import ssl

    from stepflow_api._transport.tls import TLS

_log = logging.getLogger("stepflow_api")

READ_SIZE = 256 * 1024
"""Bytes to ask the system for at a time."""

# Bytes without an end of a head or a part of a body; servers and proxies themselves allow less.
_HEAD_LIMIT = 100 * 1024

_REQUEST_LINE = re.compile(rb"[A-Z]+ [!-~]+ HTTP/1\.1\r\n")


class Address:
    """Address of the server, with the header fields of every request.

    Args:
        base_url: The server's URL with the API's prefix.
        headers: Header fields for every request; read when the first one is sent.
        limit: Maximum size of a response body in bytes; None for no limit.
        tls: The client's TLS settings.
    """

    def __init__(self, base_url: str, headers: Fields, limit: int | None, tls: TLS) -> None:
        url = urlsplit(base_url)
        assert url.hostname is not None
        self.host = url.hostname
        self.port = url.port or DEFAULT_PORTS[url.scheme]
        self.is_ip = ":" in self.host or self.host.replace(".", "").isdigit()
        self.limit = limit
        self.base_url = base_url
        self._prefix = url.path
        self._netloc = url.netloc.encode("ascii")
        self._headers = headers
        self._usual: Fields | None = None
        self._usual_bytes: Hidden[bytes] | None = None
        self._tls = tls if url.scheme == "https" else None

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what all TLS connections share; None where there is no TLS."""
        return None if self._tls is None else self._tls.context()

    def head(self, request: Request) -> Hidden[bytes]:
        """Return the head of a request.

        Raises:
            LocalProtocolError: It cannot be sent.
        """
        target = f"{self._prefix}{request.target()}"
        line = f"{request.method} {target} HTTP/1.1\r\n".encode("ascii")
        if _REQUEST_LINE.fullmatch(line) is None:
            raise LocalProtocolError("illegal characters in the target")
        if self._usual is None or self._usual_bytes is None:
            self._usual = self._usual_fields()
            self._usual_bytes = _field_lines(self._usual)
        if not request.headers and request.method == "GET":
            return Hidden(line + self._usual_bytes.value)
        return Hidden(line + _field_lines(self._fields_of(request, self._usual)).value)

    def _fields_of(self, request: Request, usual: Fields) -> Fields:
        fields = Hidden(usual.value.copy())
        for field in map(_encoded, request.headers.items()):
            fields.value[field.value[0].lower()] = field.value
        if request.content is not None or request.method in ("POST", "PUT", "PATCH"):
            length = b"%d" % len(request.content or b"")
            fields.value[b"content-length"] = b"Content-Length", length
        return fields

    def _usual_fields(self) -> Fields:
        usual = [
            (b"Host", self._netloc),
            (b"Accept", USUAL_ACCEPT.encode("ascii")),
            (b"Accept-Encoding", ACCEPTED.encode("ascii")),
            (b"Connection", b"keep-alive"),
            (b"User-Agent", USER_AGENT.encode("ascii")),
        ]
        return Hidden(
            {**{name.lower(): (name, value) for name, value in usual}, **self._headers.value}
        )


def _encoded(field: tuple[str, str]) -> Hidden[tuple[bytes, bytes]]:
    """Return a header field as bytes.

    Raises:
        LocalProtocolError: It cannot be sent.
    """
    encoded = Hidden((field[0].encode("ascii"), field[1].encode("ascii")))
    if FIELD_NAME.fullmatch(encoded.value[0]) and FIELD_VALUE.fullmatch(encoded.value[1]):
        return encoded
    raise LocalProtocolError("illegal header field")


def _field_lines(fields: Fields) -> Hidden[bytes]:
    """Return header fields as they are sent, and the empty line after them."""
    lines = Hidden([b"%b: %b\r\n" % field for field in fields.value.values()])
    return Hidden(b"".join((*lines.value, b"\r\n")))


class HTTP11Connection:
    """Protocol state of a connection, which has one request at a time.

    Args:
        limit: Maximum size of a response body in bytes; None for no limit.

    Attributes:
        is_idle: Whether the next request may be sent here.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._message: _Message | None = None
        self.is_idle = True

    def send_request(self, url: str, head: Hidden[bytes], content: bytes | None) -> Hidden[bytes]:
        """Begin a request, and return the bytes to send."""
        self.is_idle = False
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("sending %s", head.value.partition(b" HTTP/1.1\r\n")[0].decode("ascii"))
        self._message = _Message(url, self._limit)
        return Hidden(head.value + content) if content else head

    def receive_data(self, data: bytes) -> Answer | None:
        """Parse what was received.

        Args:
            data: The bytes; empty at the end of the connection.

        Returns:
            The response, once it is complete.

        Raises:
            RemoteProtocolError: It is not HTTP/1.1, or its end is missing.
            Unreadable: It is too large, or cannot be decompressed.
        """
        message = self._message
        assert message is not None
        if data:
            message.feed(data)
        else:
            message.end()
        if not message.is_complete:
            return None
        self._message = None
        _log.debug("received %d", message.status_code)
        # What is received without a request must not become the next response.
        self.is_idle = message.keeps_alive
        pieces = message.body.decoded(message.headers.get("content-encoding"))
        return Answer(message.url, message.status_code, message.headers, pieces)


class _Message:
    """Response that is being received; the parser calls the `on_*` methods.

    Attributes:
        is_complete: Whether it is complete; the other attributes are valid from then on.
        keeps_alive: Whether the connection stays open, and nothing followed the response.
        status_code: HTTP status.
        headers: Header fields.
        body: The body as it was sent.
        url: URL of the request.
    """

    def __init__(self, url: str, limit: int | None) -> None:
        self.url = url
        self.is_complete = False
        self.keeps_alive = False
        self.status_code = 0
        self.headers: Headers
        self.body = Body(limit)
        self._fields: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        # How many of them are this response's; None while it is incomplete.
        self._count: int | None = None
        self.on_body = self._parts.append
        self._has_head = False
        self._is_checked = False
        self._has_more = False
        # Bytes since the beginning or the last part of the body.
        self._pending = 0
        # None at the end, since the parser refers to this object.
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse some bytes.

        Raises:
            RemoteProtocolError: They are not HTTP/1.1.
            Unreadable: The response is too large.
        """
        parser = self._parser
        assert parser is not None
        self._pending += len(data)
        problem: Exception | None = None
        try:
            parser.feed_data(data)
        except HttpParserCallbackError as error:
            # Such as KeyboardInterrupt, which the parser wraps.
            raise error.__context__ or error from None
        except (HttpParserError, HttpParserUpgrade) as error:
            # An error after a complete response does not concern this request.
            problem = None if self.is_complete else error
        if self._has_head:
            self._check_head()
        for part in self._parts[: self._count]:
            self._pending = 0
            self.body.add(part)
        self._parts.clear()
        if isinstance(problem, HttpParserUpgrade):
            raise _invalid("the server speaks another protocol") from problem
        if problem is not None:
            is_http = parser.get_status_code() > 0
            reason = problem if is_http else f"it has {data[:40]!r}"
            raise _invalid(str(reason)) from problem
        if self._pending > _HEAD_LIMIT:
            raise _invalid("the head is too large")
        if self.is_complete:
            tokens = self.headers.get("connection").lower().replace(" ", "").split(",")
            is_last = "close" in tokens or parser.get_http_version() != "1.1"
            self.keeps_alive = not is_last and not self._has_more
            self._parser = None

    def end(self) -> None:
        """Complete a response that ends with its connection.

        Raises:
            RemoteProtocolError: The connection ended too early.
        """
        if not self._has_head:
            raise RemoteProtocolError("Server disconnected without sending a response.")
        length = self.headers.get("content-length")
        if length or self.headers.get("transfer-encoding"):
            read = f"received {self.body.size} bytes, expected {int(length)}" if length else ""
            raise RemoteProtocolError(
                "peer closed connection without sending complete message body"
                f" ({read or 'incomplete chunked read'})",
            )
        self.is_complete = True
        self._parser = None

    def _check_head(self) -> None:
        """Reject a head that cannot be read, once."""
        if self._is_checked:
            return
        self._is_checked = True
        check_fields(len(self._fields))
        self.headers = Headers(self._fields)
        encoding = self.headers.get("transfer-encoding").lower()
        if encoding not in ("", "chunked"):
            raise _invalid(f"Transfer-Encoding is {encoding[:100]!r}")
        if self.status_code < 200:
            raise _invalid(f"the status is {self.status_code}")

    def on_message_begin(self) -> None:
        self._has_more = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers, and fields of a second response, are ignored.
        if not self._has_head:
            self._fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if not self.is_complete and self._parser is not None:
            self.status_code = self._parser.get_status_code()
            self._has_head = True

    def on_message_complete(self) -> None:
        if 100 <= self.status_code < 200:
            # Informational: the response itself follows.
            self._fields.clear()
            self._has_head = False
        elif not self.is_complete:
            self.is_complete = True
            self._count = len(self._parts)


def _invalid(reason: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"invalid HTTP response: {reason}")
