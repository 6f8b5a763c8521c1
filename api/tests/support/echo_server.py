"""A server in a separate process that responds to each request for a blob with the blob's id.

A response that reaches another process than the one that asked shows itself. It keeps connections
open, takes a moment for each response, and holds those that a test wants to see in flight.
"""

from __future__ import annotations

import json
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

CERTIFICATE = Path(__file__).with_name("tls.pem")

HELD = "held"
"""The beginning of the ids of blobs whose responses wait for `EchoServer.release`."""

_HEALTH = {"status": "healthy", "timestamp": "2026-01-01T00:00:00Z", "version": "0.11.1"}
_SLOWEST = 0.004


class EchoServer:
    """The server; a context manager.

    Args:
        tls: Whether it speaks TLS.
        hold_health: Whether its first response to `/health` waits for `release`.

    Attributes:
        url: The server's address.
    """

    def __init__(self, *, tls: bool = False, hold_health: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "tls" if tls else "", "hold" if hold_health else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._line()}"

    def wait_until_held(self) -> None:
        """Wait until one more response is held."""
        assert self._line() == "held"

    def release(self) -> None:
        """Release all held responses, and hold none from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write("release\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()


class _Served:
    def __init__(self, *, tls: bool, hold_health: bool) -> None:
        self._holds_health = hold_health
        self._released = threading.Event()
        self._tls: ssl.SSLContext | None = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(CERTIFICATE)

    def run(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            print(listener.getsockname()[1], flush=True)
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            while sys.stdin.readline():
                self._released.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        received = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in received:
                    part = connection.recv(65536)
                    if not part:
                        return
                    received += part
                head, _, received = received.partition(b"\r\n\r\n")
                self._respond(connection, head.split(b" ")[1].decode())

    def _respond(self, connection: socket.socket, target: str) -> None:
        if target.endswith("/events"):
            self._stream(connection)
            return
        if target.endswith("/health"):
            document: object = _HEALTH
            if self._holds_health:
                self._holds_health = False
                self._hold()
        else:
            found = re.search(r"/blobs/([^ ?]+)", target)
            assert found is not None
            name = found[1]
            document = {"data": name, "blobId": name, "blobType": "data"}
            if name.startswith(HELD):
                self._hold()
            time.sleep(random.random() * _SLOWEST)
        body = json.dumps(document, separators=(",", ":")).encode()
        fields = b"Content-Type: application/json\r\nContent-Length: %d" % len(body)
        connection.sendall(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (fields, body))

    def _stream(self, connection: socket.socket) -> None:
        fields = b"Content-Type: text/event-stream\r\nConnection: close"
        connection.sendall(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % fields)
        for number in range(2):
            data = {"sequenceNumber": number, "timestamp": "t", "event": {"Odd": {}}}
            connection.sendall(b"data: %b\n\n" % json.dumps(data).encode())
            if not number:
                self._hold()
        connection.shutdown(socket.SHUT_RDWR)

    def _hold(self) -> None:
        print("held", flush=True)
        self._released.wait()


if __name__ == "__main__":
    _Served(tls=sys.argv[1] == "tls", hold_health=sys.argv[2] == "hold").run()
