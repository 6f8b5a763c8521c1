"""Connections of the SDK's own for the tasks of an event loop.

Importing asyncio takes long, so this is imported where a loop runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from itertools import zip_longest
from typing import Any

from stepflow_api._constants import CONNECTIONS, KEEP_ALIVE
from stepflow_api._fork import disconnect, reset_after_fork
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.http11 import Address, HTTP11Connection
from stepflow_api._transport.network_errors import (
    ConnectError,
    ConnectTimeout,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    WriteTimeout,
)
from stepflow_api._transport.sync_connections import is_readable, probe_when_idle
from stepflow_api._transport.timeouts import Timeouts

# Seconds that an address has to itself before the next one of a name is tried as well (RFC 8305).
_NEXT_ADDRESS = 0.25


class AsyncConnections:
    """Connections for the tasks of one event loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[_Connection] = []
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether a connection waits for the next request."""
        return any(connection.is_open for connection in self._idle)

    async def send(self, request: Request, timeouts: Timeouts) -> Answer:
        """Send a request as `Connections.send` does, without blocking.

        Raises:
            HTTPError: No complete response arrived, or no connection was free in time.
        """
        url, head = request.url(self._address.base_url), self._address.head(request)
        await self._wait(timeouts)
        connection = None
        try:
            connection = self._acquire() or await _Connection.open(self._address, timeouts)
            return await connection.exchange(
                connection.protocol.send_request(url, head, request.content), timeouts
            )
        finally:
            self._free.release()
            if connection is not None:
                self._release(connection)

    async def aclose(self) -> None:
        """Close all connections; those in use, after their responses."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        # The loop closes sockets in its next round, which may otherwise not come.
        await asyncio.sleep(0)

    def abandon(self) -> None:
        """Close all connections from any thread, if their loop still runs."""
        for connection in self._idle:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(connection.close)

    async def _wait(self, timeouts: Timeouts) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(timeouts.bound(timeouts.pool)):
                await self._free.acquire()
        except TimeoutError as error:
            raise PoolTimeout(error) from None
        timeouts.begin()

    def _acquire(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable():
                return connection
            connection.close()
        return None

    def _release(self, connection: _Connection) -> None:
        if not self._closed and connection.protocol.is_idle:
            self._idle.append(connection)
        else:
            connection.close()


class _Connection(asyncio.Protocol):
    """A connection; the loop calls what `asyncio.Protocol` has."""

    def __init__(self, limit: int | None) -> None:
        self.protocol = HTTP11Connection(limit)
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._socket: Any = None
        self._received: list[bytes] = []
        self._end_reason: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._idle_since = 0.0

    @classmethod
    async def open(cls, address: Address, timeouts: Timeouts) -> _Connection:
        try:
            async with asyncio.timeout(timeouts.bound(timeouts.connect)):
                hosts = await _resolve(address)
                if len(hosts) == 1:
                    return await cls._connect(hosts[0], address)
                return await cls._connect_to_first(hosts, address)
        except TimeoutError as error:
            raise ConnectTimeout(error) from error
        except OSError as error:
            raise ConnectError(_reason(error)) from error

    @classmethod
    async def _connect(cls, host: str, address: Address) -> _Connection:
        context = address.ssl_context()
        name = None if context is None else address.host
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: cls(address.limit), host, address.port, ssl=context, server_hostname=name
        )
        return connection

    @classmethod
    async def _connect_to_first(cls, hosts: list[str], address: Address) -> _Connection:
        """Connect to the first address that accepts, trying each a moment after the previous one.

        asyncio's own implementation (`happy_eyeballs_delay`) leaves a connected socket open if the
        call is cancelled at the moment the connection is made.
        """
        tasks: list[asyncio.Task[_Connection]] = []
        winner: asyncio.Task[_Connection] | None = None
        try:
            for host in hosts:
                tasks.append(asyncio.create_task(cls._connect(host, address)))
                is_last = len(tasks) == len(hosts)
                while waiting := [task for task in tasks if not task.done()]:
                    delay = None if is_last else _NEXT_ADDRESS
                    done, _ = await asyncio.wait(
                        waiting, timeout=delay, return_when=asyncio.FIRST_COMPLETED
                    )
                    winner = next((task for task in done if task.exception() is None), None)
                    if winner is not None:
                        return winner.result()
                    if not is_last:
                        break
            return tasks[0].result()
        finally:
            for task in tasks:
                if task.cancel() or task.cancelled() or task is winner:
                    continue
                if task.exception() is None:
                    task.result().close()

    async def exchange(self, message: Hidden[bytes], timeouts: Timeouts) -> Answer:
        transport = self._transport
        # At once, and the answer is waited for meanwhile: a server that refuses a body may answer,
        # and close, before it has all of it, and the loop reads nothing once writing fails.
        transport.write(message.value)
        timeouts.moved(len(message.value) - transport.get_write_buffer_size())
        received = None
        while received is None:
            if not self._received and self._end_reason is None:
                await self._wait(timeouts)
                continue
            if not self._received and not isinstance(self._end_reason, EOFError):
                raise ReadError(self._end_reason) from self._end_reason
            data = self._received.pop(0) if self._received else b""
            timeouts.moved(len(data))
            received = self.protocol.receive_data(data)
        if transport.get_write_buffer_size():
            self.protocol.is_idle = False
        self._idle_since = time.monotonic()
        return received

    async def _wait(self, timeouts: Timeouts) -> None:
        """Wait until the event loop calls this connection."""
        unsent = self._transport.get_write_buffer_size()
        waiter = timer = None
        try:
            seconds = timeouts.bound(timeouts.write if unsent else timeouts.read)
            waiter = self._waiter = self._loop.create_future()
            if seconds is not None:
                timer = self._loop.call_later(seconds, _expire, waiter)
            await waiter
        except TimeoutError as error:
            if not unsent:
                raise ReadTimeout(timeouts.reason(error)) from error
            if waiter is None or self._transport.get_write_buffer_size() >= unsent:
                raise WriteTimeout(timeouts.reason(error)) from error
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
            if unsent:
                timeouts.moved(unsent - self._transport.get_write_buffer_size())

    @property
    def is_open(self) -> bool:
        return self._end_reason is None

    def is_reusable(self) -> bool:
        is_old = time.monotonic() - self._idle_since >= KEEP_ALIVE
        if is_old or self._end_reason is not None or self._received:
            return False
        # The loop may not have looked since the last answer.
        return not is_readable(self._socket)

    def close(self) -> None:
        self._transport.abort()

    def _disconnect(self) -> None:
        # Without the parent's event loop, whose selector both processes share.
        disconnect(self._socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.set_write_buffer_limits(0)
        self._socket = transport.get_extra_info("socket")
        probe_when_idle(self._socket)
        reset_after_fork(self, _Connection._disconnect)

    def data_received(self, data: bytes) -> None:
        if self.protocol.is_idle:
            # Nobody reads what comes unasked, so it would pile up.
            self._end(EOFError())
            self.close()
            return
        self._received.append(data)
        self._wake()

    def eof_received(self) -> None:
        self._end(EOFError())

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or EOFError())

    def resume_writing(self) -> None:
        self._wake()

    def _end(self, reason: Exception) -> None:
        self._end_reason = self._end_reason or reason
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def _resolve(address: Address) -> list[str]:
    """Return the IP addresses of a host, alternating between address families."""
    host = address.host
    if address.is_ip:
        return [host]
    found = await asyncio.get_running_loop().getaddrinfo(
        host, address.port, type=socket.SOCK_STREAM
    )
    families: dict[int, list[str]] = {}
    for family, _, _, _, place in found:
        families.setdefault(family, []).append(str(place[0]))
    return [one for turn in zip_longest(*families.values()) for one in turn if one is not None]


def _reason(error: OSError) -> OSError:
    # What asyncio raises names the address in the place of the reason.
    if error.errno is None or not str(error.strerror).startswith("Connect call failed"):
        return error
    return OSError(error.errno, os.strerror(error.errno))


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
