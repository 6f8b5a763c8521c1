"""Servers from 0.12 on as a worker sees them, with the responses that a test chooses."""

from __future__ import annotations

import contextlib
import http.server
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

from stepflow_runtime._components import protobuf

#: A status, header fields, and a body.
Response = tuple[int, dict[str, str], bytes]
#: The methods that were called, with the bodies of the requests.
Seen = list[tuple[str, bytes]]


def grpc(message: bytes = b"", **headers: str) -> Response:
    """Return a response with a message, or without one if it has a `grpc_status`."""
    body = b"" if "grpc_status" in headers else b"\0" + len(message).to_bytes(4) + message
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return 200, {"Content-Type": "application/grpc", **fields}, body


def nothing() -> Response:
    """Return a response without any message."""
    return 200, {"Content-Type": "application/grpc"}, b""


def task(component: str, input: Any, *more: bytes, call: tuple[bytes, ...] = ()) -> bytes:
    """Return the assignment of a task, with more fields of it, and of its call."""
    request = protobuf.text(1, component) + protobuf.message(2, protobuf.encode_value(input))
    request += b"".join(call)
    return protobuf.text(1, "task-1") + protobuf.message(2, request) + b"".join(more)


@contextlib.contextmanager
def gateway(respond: Callable[[str, int], Response]) -> Iterator[tuple[str, Seen]]:
    """Serve workers, and yield the URL and the requests that were seen.

    Args:
        respond: Returns the response to a method, and to how many earlier calls of it. If it raises
            `ConnectionError`, the connection is reset.
    """
    seen: Seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            method = self.path.rpartition("/")[2]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            before = calls(seen, method)
            seen.append((method, body))
            try:
                status, headers, content = respond(method, before)
            except ConnectionError:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                socket.close(self.connection.detach())
                raise
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            # As a server that was restarted: the worker learns it with its next request.
            self.close_connection = headers.get("X-Then") == "close"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            # The worker is gone, or the connection was reset.
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()


def calls(seen: Seen, method: str) -> int:
    """Count the calls of a method."""
    return sum(one == method for one, _ in seen)
