"""Timeouts of a call: of each wait, and of all of it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from threading import TIMEOUT_MAX
from typing import Any

from stepflow_api._constants import (
    CONNECT_TIMEOUT,
    POOL_TIMEOUT,
    READ_TIMEOUT,
    SLOWEST,
    WRITE_TIMEOUT,
)
from stepflow_api.types import UNSET

#: What an error says if the whole exchange, and not one wait, took too long.
OVERDUE = "overdue"


class Timeouts:
    """The timeouts of one call, in seconds; None for none.

    A connection that moves a byte now and then never exceeds the timeout of a wait, so the call
    has one of its own. It may be prolonged by the bytes that are moved: a large body may take long,
    and a server that sends a byte per minute may not.

    Args:
        connect: For a connection to come about, TLS included.
        read: Without a byte of the response.
        write: Without progress while the request is sent.
        pool: For one of the connections to come free.
        total: For each exchange of the call, prolonged by the bytes that it moves.
        deadline: When the call must end, by the monotonic clock; nothing prolongs it.

    Attributes:
        connect: As given.
        read: As given.
        write: As given.
        pool: As given.
        at: When the exchange is overdue, by the monotonic clock.
    """

    __slots__ = ("_deadline", "_total", "at", "connect", "pool", "read", "write")

    def __init__(
        self,
        connect: float | None,
        read: float | None,
        write: float | None,
        pool: float | None,
        total: float | None,
        deadline: float | None = None,
    ) -> None:
        self.connect = connect
        self.read = read
        self.write = write
        self.pool = pool
        self._total = total
        self._deadline = deadline
        self.at = deadline
        self.begin()

    @classmethod
    def for_total(cls, seconds: float | None) -> Timeouts:
        """Return timeouts of a call that begins now, and may take so many seconds in all."""
        seconds = _seconds(seconds)
        deadline = None if seconds is None else time.monotonic() + seconds
        return cls(seconds, seconds, seconds, seconds, None, deadline)

    def begin(self) -> None:
        """Start an exchange."""
        if self._total is not None:
            at = time.monotonic() + self._total
            self.at = at if self._deadline is None or at < self._deadline else self._deadline

    def moved(self, size: int) -> None:
        """Prolong the timeout after bytes were sent or received."""
        if self._total is not None and self.at is not None:
            at = self.at + size / SLOWEST
            self.at = at if self._deadline is None or at < self._deadline else self._deadline

    def bound(self, seconds: float | None, shares: int = 1) -> float | None:
        """Return the timeout of the next wait.

        Args:
            seconds: Its own timeout.
            shares: Number of waits, this one included, that share the time left.

        Raises:
            TimeoutError: The exchange is overdue.
        """
        if self.at is None:
            return seconds
        left = (self.at - time.monotonic()) / shares
        if left <= 0:
            raise TimeoutError(OVERDUE)
        return left if seconds is None or left < seconds else seconds

    def reason(self, error: BaseException) -> str:
        """Return the text for the error after a wait that ended in a `TimeoutError`."""
        return OVERDUE if self.is_overdue() else str(error)

    def error(self, error: Exception, *, is_sent: bool = True) -> Exception:
        """Return the error for a failed exchange of httpx: a timeout if it is overdue.

        Args:
            error: What was raised.
            is_sent: Whether the head of the request was sent, so that the server may have acted.
        """
        from stepflow_api._transport.network_errors import ConnectTimeout, ReadTimeout, kinds

        # What a connection raises that was shut down, and a cancelled block.
        is_cut = kinds(error) & {"NetworkError", "RemoteProtocolError", "TimeoutError"}
        if not is_cut or not self.is_overdue():
            return error
        return ReadTimeout(OVERDUE) if is_sent else ConnectTimeout(OVERDUE)

    def is_overdue(self) -> bool:
        """Return whether the time for everything is over."""
        # Event loops end a wait early by up to the clock's resolution: 16 ms on Windows before
        # Python 3.13.
        early = time.get_clock_info("monotonic").resolution
        return self.at is not None and time.monotonic() + early >= self.at


@asynccontextmanager
async def limited(timeouts: Timeouts) -> AsyncGenerator[Callable[[], None]]:
    """Cancel the block when the exchange is overdue.

    Yields:
        A function to call after the time for everything has been prolonged.

    Raises:
        TimeoutError: The exchange is overdue.
    """
    # Importing it takes long, and here it is imported.
    import asyncio

    async with asyncio.timeout(timeouts.bound(None)) as limit:

        def prolong() -> None:
            # If it is overdue, the block is cancelled where it waits next: an error raised here
            # would leave the generators of a body to the event loop, which ends them later.
            if timeouts.at is not None:
                left = timeouts.at - time.monotonic()
                limit.reschedule(asyncio.get_running_loop().time() + left)

        yield prolong


def timeouts(timeout: Any) -> Timeouts:
    """Return the timeouts of a call that begins now.

    Args:
        timeout: Seconds for the whole call, a `Timeout` of httpx or httpx2 for each wait, None for
            none, `UNSET` for the defaults, or the timeouts of a call that has begun.
    """
    if timeout is UNSET:
        total = CONNECT_TIMEOUT + READ_TIMEOUT + WRITE_TIMEOUT
        return Timeouts(CONNECT_TIMEOUT, READ_TIMEOUT, WRITE_TIMEOUT, POOL_TIMEOUT, total)
    if isinstance(timeout, Timeouts):
        return timeout
    if timeout is None or isinstance(timeout, int | float):
        return Timeouts.for_total(timeout)
    waits = (timeout.connect, timeout.read, timeout.write, timeout.pool)
    connect, read, write, pool = map(_seconds, waits)
    bounded = [wait for wait in (connect, read, write, pool) if wait is not None]
    return Timeouts(connect, read, write, pool, sum(bounded) if len(bounded) == 4 else None)


def _seconds(timeout: float | None) -> float | None:
    # More than the system can wait, such as infinity, is no timeout.
    return None if timeout is None or timeout >= TIMEOUT_MAX else timeout
