"""A stand-in for the I/O completion ports of Windows, for asyncio's event loop there."""

from __future__ import annotations

import asyncio
import errno
import select
import socket
from asyncio.proactor_events import BaseProactorEventLoop
from collections.abc import Callable
from typing import Any


class Completions:
    """What `asyncio.windows_events.IocpProactor` does, here by the readiness of sockets.

    As there, a future is done when its operation is complete: all of the data sent, some received.
    """

    def __init__(self) -> None:
        self._loop: Any = None
        self._pending: list[tuple[int, int, Callable[[], Any], asyncio.Future[Any]]] = []

    def set_loop(self, loop: Any) -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        self._pending = [one for one in self._pending if not one[3].done()]
        events: dict[int, int] = {}
        for descriptor, event, *_ in self._pending:
            events[descriptor] = events.get(descriptor, 0) | event
        poll = select.poll()
        for descriptor, wanted in events.items():
            poll.register(descriptor, wanted)
        ready = dict(poll.poll(None if timeout is None else timeout * 1000))
        for descriptor, event, step, future in self._pending:
            if ready.get(descriptor, 0) & ~(select.POLLIN | select.POLLOUT) | (
                ready.get(descriptor, 0) & event
            ):
                self._attempt(step, future)
        return []

    def recv(self, connected: socket.socket, size: int, flags: int = 0) -> asyncio.Future[Any]:
        return self._start(connected, select.POLLIN, lambda: connected.recv(size, flags))

    def recv_into(self, connected: socket.socket, buffer: bytearray) -> asyncio.Future[Any]:
        return self._start(connected, select.POLLIN, lambda: connected.recv_into(buffer))

    def send(self, connected: socket.socket, data: bytes, flags: int = 0) -> asyncio.Future[Any]:
        left = memoryview(data)

        def step() -> int:
            nonlocal left
            while left:
                left = left[connected.send(left, flags) :]
            return len(data)

        return self._start(connected, select.POLLOUT, step)

    def connect(self, connected: socket.socket, address: Any) -> asyncio.Future[Any]:
        error = connected.connect_ex(address)
        assert error in (0, errno.EINPROGRESS), error

        def step() -> None:
            if error := connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "refused")

        future: asyncio.Future[Any] = self._loop.create_future()
        self._pending.append((connected.fileno(), select.POLLOUT, step, future))
        return future

    def close(self) -> None:
        self._pending.clear()

    def _start(
        self, connected: socket.socket, event: int, step: Callable[[], Any]
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._attempt(step, future):
            self._pending.append((connected.fileno(), event, step, future))
        return future

    @staticmethod
    def _attempt(step: Callable[[], Any], future: asyncio.Future[Any]) -> bool:
        if future.done():
            return True
        try:
            future.set_result(step())
        except BlockingIOError:
            return False
        except OSError as error:
            future.set_exception(error)
        return True


def proactor_loop() -> asyncio.AbstractEventLoop:
    """Return asyncio's event loop of Windows, over these completions."""
    return BaseProactorEventLoop(Completions())
