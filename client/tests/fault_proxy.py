"""A TCP proxy between client and server that fails on purpose.

Each connection asks `plan` what to do with each request on it, in order. It knows just enough of
HTTP to find where requests and answers end: both sides send a `Content-Length` or no body, and a
stream of events ends with its connection.
"""

from __future__ import annotations

import contextlib
import enum
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self


class Fault(enum.Enum):
    """What to do with a request."""

    NONE = enum.auto()
    REFUSED = enum.auto()
    """Nobody listens; `FaultProxy.refuse` does it, before a request can be seen."""
    RESET_BEFORE = enum.auto()
    """Reset once the request has begun to come; the server does not see it."""
    RESET_DURING = enum.auto()
    """Pass a half of the request on, then reset both sides."""
    RESET_AFTER = enum.auto()
    """Pass the request on, wait for the answer's begin, and reset without passing it back."""
    CUT_WAITING = enum.auto()
    """Pass the request on, then reset the client's side at once; the server works on."""
    CUT_ANSWER = enum.auto()
    """Pass a half of the answer back, then reset."""
    END_ANSWER = enum.auto()
    """Pass a half of the answer back, then close in good order."""
    HALF_OPEN = enum.auto()
    """Take the request, pass it on, and never send anything back."""
    SLOW = enum.auto()
    """Pass the answer back byte by byte."""
    CUT_STREAM = enum.auto()
    """Pass `stream_bytes` of a stream back, then reset."""
    STALL_STREAM = enum.auto()
    """Pass `stream_bytes` of a stream back, then nothing more; neither side learns of it."""
    BUSY = enum.auto()
    """Answer 503 in the server's place."""
    BAD_GATEWAY = enum.auto()
    """Pass the request on, and answer 502 in the server's place."""


#: Faults at which the server may have acted on the request, while its answer is lost.
LOSING = [
    Fault.RESET_AFTER,
    Fault.CUT_WAITING,
    Fault.CUT_ANSWER,
    Fault.END_ANSWER,
    Fault.HALF_OPEN,
    Fault.BAD_GATEWAY,
]

#: Faults that only an answer of many parts can have; others pass whole.
OF_STREAMS = (Fault.CUT_STREAM, Fault.STALL_STREAM)


@dataclass(frozen=True)
class Seen:
    """A request that came to the proxy.

    Attributes:
        method: HTTP method.
        target: Path and query.
        number: How many requests came before it.
    """

    method: str
    target: str
    number: int

    @property
    def creates_run(self) -> bool:
        """Whether it is the one request that must not come twice."""
        return self.method == "POST" and self.target.endswith("/runs")

    @property
    def streams(self) -> bool:
        """Whether a stream of events answers it."""
        return self.target.partition("?")[0].endswith("/events")

    @property
    def waits(self) -> bool:
        """Whether it waits for a run."""
        return "wait=true" in self.target


Plan = Callable[[Seen], Fault]


def once(fault: Fault, which: Callable[[Seen], bool] = lambda seen: True) -> Plan:
    """Plan a fault for the first request that is meant."""
    done: list[Seen] = []

    def plan(seen: Seen) -> Fault:
        if done or not which(seen):
            return Fault.NONE
        done.append(seen)
        return fault

    return plan


_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)


class FaultProxy:
    """The proxy; a context manager.

    Args:
        port: The server's port on this machine, or a function that returns it for a client.
        plan: What to do with each request.
    """

    def __init__(self, port: int | Callable[[], int], plan: Plan = lambda seen: Fault.NONE) -> None:
        self.plan = plan
        self.seen: list[Seen] = []
        self.stream_bytes = 0
        self.open_streams = 0
        self.waiting = threading.Event()
        self._server = port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._upstream: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        """Connections that clients hold open."""
        with self._lock:
            return len(self._open)

    def refuse(self) -> None:
        """Refuses connections from now on; those that are open stay."""
        # Closing alone leaves a thread in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def admit(self) -> None:
        """Accept connections again after `refuse`; does nothing otherwise."""
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=256)
            self._start(self._accept, self._listener)

    def cut_all(self) -> None:
        """Resets every connection that is open."""
        with self._lock:
            for connection in self._open:
                _reset(connection)

    def __enter__(self) -> Self:
        self._start(self._accept, self._listener)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.refuse()
        self.cut_all()
        with self._lock:
            for server in self._upstream:
                _reset(server)
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        server: socket.socket | None = None
        try:
            port = self._server if isinstance(self._server, int) else self._server()
            server = socket.create_connection(("127.0.0.1", port))
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._upstream.add(server)
            while self._exchange(client, server):
                pass
        except OSError:
            _reset(client)
        finally:
            with self._lock:
                self._open.discard(client)
            # A thread that still reads would keep the connection open beyond its close.
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RD)
            client.close()
            if server is not None:
                with self._lock:
                    self._upstream.discard(server)
                server.close()

    def _exchange(self, client: socket.socket, server: socket.socket) -> bool:
        """Passes one request on and its answer back; False when the connection is done."""
        first = client.recv(65536)
        if not first:
            return False
        head = first
        while b"\r\n" not in head:
            head += client.recv(65536)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        with self._lock:
            seen = Seen(method, target, len(self.seen))
            self.seen.append(seen)
        fault = self.plan(seen)
        if fault is Fault.RESET_BEFORE:
            _reset(client)
            return False
        request = b"".join(_message(head, client))
        if fault is Fault.BUSY:
            client.sendall(_BUSY)
            return True
        if fault is Fault.RESET_DURING:
            server.sendall(request[: len(request) // 2])
            _reset(server)
            _reset(client)
            return False
        server.sendall(request)
        if fault is Fault.CUT_WAITING:
            _reset(client)
            client.close()
            # A server whose client goes away drops what it does; here a proxy hides that.
            server.recv(65536)
            return False
        if fault is Fault.HALF_OPEN:
            # What the server says is never passed on, and neither side learns of it.
            while client.recv(65536):
                pass
            return False
        if seen.streams:
            self._pass_stream(client, server, fault)
            return False
        if seen.waits:
            self.waiting.set()
        answer = _answer(client, server)
        if answer is None:
            return False
        if fault is Fault.RESET_AFTER:
            _reset(client)
            return False
        if fault is Fault.BAD_GATEWAY:
            client.sendall(_BAD_GATEWAY)
            return True
        if fault in (Fault.CUT_ANSWER, Fault.END_ANSWER):
            client.sendall(answer[: len(answer) * 2 // 3])
            if fault is Fault.CUT_ANSWER:
                _reset(client)
            else:
                client.shutdown(socket.SHUT_RDWR)
            return False
        if fault is Fault.SLOW:
            for at in range(len(answer)):
                client.sendall(answer[at : at + 1])
            return True
        client.sendall(answer)
        return True

    def _pass_stream(self, client: socket.socket, server: socket.socket, fault: Fault) -> None:
        """Passes a stream back until either side ends it."""
        limit = self.stream_bytes if fault in (Fault.CUT_STREAM, Fault.STALL_STREAM) else None
        passed = 0
        with self._lock:
            self.open_streams += 1
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                # A client sends nothing meanwhile: whatever comes is its end.
                if client in ready:
                    return
                piece = server.recv(65536)
                if not piece:
                    if fault is not Fault.STALL_STREAM:
                        return
                    select.select([client], [], [])
                    return
                left = len(piece) if limit is None else max(0, limit - passed)
                client.sendall(piece[:left])
                passed += len(piece)
                if fault is Fault.CUT_STREAM and left < len(piece):
                    _reset(client)
                    return
        finally:
            with self._lock:
                self.open_streams -= 1


def _answer(client: socket.socket, server: socket.socket) -> bytes | None:
    """Return the server's response; None if the client disconnects before it."""
    # The client sends nothing while it waits: whatever comes is its end.
    ready, _, _ = select.select([client, server], [], [])
    if server not in ready:
        return None
    first = server.recv(65536)
    return b"".join(_message(first, server)) if first else None


def _message(head: bytes, source: socket.socket) -> Iterator[bytes]:
    """Return a complete HTTP message whose beginning has been read."""
    while b"\r\n\r\n" not in head:
        more = source.recv(65536)
        if not more:
            raise ConnectionResetError
        head += more
    yield head
    fields, _, body = head.partition(b"\r\n\r\n")
    left = -len(body)
    for line in fields.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            left += int(line.partition(b":")[2])
    while left > 0:
        more = source.recv(65536)
        if not more:
            raise ConnectionResetError
        left -= len(more)
        yield more


def _reset(connection: socket.socket) -> None:
    """Ends a connection with RST, as a crash or a firewall does."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # Wakes its reader; the RST goes out when it is closed.
        connection.shutdown(socket.SHUT_RD)
