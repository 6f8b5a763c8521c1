"""Connections of the SDK's own for sync calls, used unless an httpx client or transport is passed.

They take a fraction of the time of httpx, which looks for transports, redirects and cookies, goes
through its pool, and sends head and body one by one; importing httpx takes longer than the first
request. A connection has one request at a time.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time

from stepflow_api._constants import KEEP_ALIVE, PROBES, WRITE_SIZE
from stepflow_api._fork import reset_after_fork
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.http11 import READ_SIZE, Address, HTTP11Connection
from stepflow_api._transport.network_errors import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    WriteTimeout,
)
from stepflow_api._transport.timeouts import Timeouts


class SyncConnections:
    """SyncConnections for any number of threads.

    Args:
        address: Where to.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._closed = False
        self._begin()
        reset_after_fork(self, SyncConnections._begin)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []

    @property
    def is_open(self) -> bool:
        """Whether a connection waits for the next request."""
        return bool(self._idle)

    def send(self, request: Request, timeouts: Timeouts) -> Answer:
        """Send a request.

        Raises:
            HTTPError: No complete response arrived.
        """
        url, head = request.url(self._address.base_url), self._address.head(request)
        connection = self._acquire() or _Connection.open(self._address, timeouts)
        try:
            return connection.exchange(
                connection.protocol.send_request(url, head, request.content), timeouts
            )
        finally:
            self._release(connection)

    def close(self) -> None:
        """Close all connections; those in use, after their responses."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _acquire(self) -> _Connection | None:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or connection.is_reusable():
                return connection
            connection.close()

    def _release(self, connection: _Connection) -> None:
        with self._lock:
            if not self._closed and connection.protocol.is_idle:
                self._idle.append(connection)
                return
        connection.close()


class _Connection:
    def __init__(self, connected: socket.socket, limit: int | None) -> None:
        self.protocol = HTTP11Connection(limit)
        self._socket = connected
        self._idle_since = 0.0
        # Closes without a TLS close message, which would end the parent's connection.
        reset_after_fork(connected, socket.socket.close)

    @classmethod
    def open(cls, address: Address, timeouts: Timeouts) -> _Connection:
        context = address.ssl_context()
        try:
            connected = _connect(address, timeouts)
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                probe_when_idle(connected)
                if context is not None:
                    connected.settimeout(timeouts.bound(timeouts.connect))
                    connected = context.wrap_socket(connected, server_hostname=address.host)
            except BaseException:
                connected.close()
                raise
        except TimeoutError as error:
            raise ConnectTimeout(error) from error
        except OSError as error:
            raise ConnectError(error) from error
        return cls(connected, address.limit)

    def exchange(self, message: Hidden[bytes], timeouts: Timeouts) -> Answer:
        connected = self._socket
        is_cut = False
        sent = 0
        try:
            while sent < len(message.value):
                connected.settimeout(timeouts.bound(timeouts.write))
                # Not sendall, for which the timeout is one for all.
                count = connected.send(memoryview(message.value)[sent : sent + WRITE_SIZE])
                timeouts.moved(count)
                sent += count
        except TimeoutError as error:
            raise WriteTimeout(timeouts.reason(error)) from error
        except OSError:
            # A server that refuses a body may answer, and close, before it has all of it.
            is_cut = True
        received = None
        while received is None:
            try:
                connected.settimeout(timeouts.bound(timeouts.read))
                data = connected.recv(READ_SIZE)
            except TimeoutError as error:
                raise ReadTimeout(timeouts.reason(error)) from error
            except OSError as error:
                raise ReadError(error) from error
            timeouts.moved(len(data))
            received = self.protocol.receive_data(data)
        if is_cut:
            self.protocol.is_idle = False
        self._idle_since = time.monotonic()
        return received

    def is_reusable(self) -> bool:
        if time.monotonic() - self._idle_since >= KEEP_ALIVE:
            return False
        # What comes while nothing was asked is the end of the connection, or no answer of ours.
        return not is_readable(self._socket)

    def close(self) -> None:
        self._socket.close()


def _connect(address: Address, timeouts: Timeouts) -> socket.socket:
    """Connect to the first IP address of a host that accepts."""
    hosts = [address.host]
    if not address.is_ip:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        hosts = list(dict.fromkeys(str(place[0]) for *_, place in found))
    while True:
        host = hosts.pop(0)
        # The first address must not use up all of the time.
        seconds = timeouts.bound(timeouts.connect, shares=len(hosts) + 1)
        try:
            return socket.create_connection((host, address.port), seconds)
        except OSError:
            if not hosts:
                raise


def probe_when_idle(connected: socket.socket) -> None:
    """Turn on TCP keepalive, which keeps NAT entries alive and detects a lost peer."""
    # A system may lack an option that Python has, and macOS refuses all once the peer has closed.
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for names, value in PROBES.items():
            number = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
            if number is not None:
                connected.setsockopt(socket.IPPROTO_TCP, number, value)


def is_readable(connected: socket.socket) -> bool:
    """Return whether something has come that nobody has read, or the end of the connection."""
    # Windows has no poll, and select takes no socket with a number above 1,023.
    if not hasattr(select, "poll"):
        return bool(select.select([connected], [], [], 0)[0])
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
