"""A server that shows faults and requests which the real one cannot."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

Handler = Callable[[socket.socket], None]

CERTIFICATE = Path(__file__).with_name("tls.pem")
"""That of a server with TLS, which nobody trusts by default."""


class OddServer:
    """Server that accepts one request after another, each on a connection of its own.

    Args:
        handle: What to do with a connection once its request is read.
        reads_bodies: Whether a request's body is read as well.
        tls: Whether it speaks TLS, or the context that it does so with.

    Attributes:
        url: The server's address.
        requests: Head of each request, and its body.
    """

    def __init__(
        self, handle: Handler, *, reads_bodies: bool = True, tls: bool | ssl.SSLContext = False
    ) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self._handle = handle
        self._reads_bodies = reads_bodies
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._tls = tls if isinstance(tls, ssl.SSLContext) else None
        if tls is True:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(CERTIFICATE)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def headers(self, index: int = -1) -> dict[str, str]:
        """Return the header fields of a request by lower-case name."""
        lines = self.requests[index][0].split("\r\n")[1:]
        pairs = [line.split(": ", 1) for line in lines]
        names = [name.lower() for name, _ in pairs]
        assert len(set(names)) == len(names), f"a field comes twice: {names}"
        return {name.lower(): value for name, value in pairs}

    def target(self, index: int = -1) -> str:
        """Return the path and query of a request, as it was sent."""
        return self.requests[index][0].split(" ")[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        # Closing alone would not wake the thread that waits for a connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(30)
            if self._tls is not None:
                try:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                except OSError:
                    # A client that does not trust it.
                    connection.close()
                    continue
            # A client may close a connection at any time; the next one is served all the same.
            with connection, contextlib.suppress(ConnectionError):
                if self._read(connection):
                    self._handle(connection)

    def _read(self, connection: socket.socket) -> bool:
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                return False
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        self.requests.append((head.decode("latin-1"), b""))
        length = int(self.headers().get("content-length", "0"))
        while self._reads_bodies and len(body) < length:
            body += connection.recv(65536)
        self.requests[-1] = (head.decode("latin-1"), body)
        return True


def answer(
    body: bytes | str = b"",
    *,
    status: str = "200 OK",
    content_type: str | None = "application/json",
    length: int | None = None,
    **headers: str,
) -> Handler:
    """Returns a handler that sends this response, and closes the connection.

    Args:
        body: The answer's body.
        status: Status and phrase.
        content_type: Media type; None for no such field.
        length: The body's length, where it is to be a wrong one.
        **headers: Further fields; an underscore stands for a hyphen.
    """
    content = body.encode() if isinstance(body, str) else body
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        fields["content-type"] = content_type
    fields["content-length"] = str(len(content) if length is None else length)
    lines = [f"HTTP/1.1 {status}", *(f"{k}: {v}" for k, v in fields.items()), "connection: close"]
    text = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    return lambda connection: connection.sendall(text)


def raw(text: bytes) -> Handler:
    """Makes a handler that sends these bytes, and closes the connection."""
    return lambda connection: connection.sendall(text)


def hang_up(connection: socket.socket) -> None:
    """Closes the connection without an answer."""


def reset(connection: socket.socket) -> None:
    """Breaks the connection, as a crash of the machine does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
