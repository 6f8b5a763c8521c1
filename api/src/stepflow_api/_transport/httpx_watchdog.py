"""Deadlines for synchronous exchanges through httpx, whose timeouts bound each wait alone.

A thread that waits for data can only be woken by its socket, so another thread shuts that down. It
runs while there are exchanges, and a few seconds longer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from stepflow_api._fork import reset_after_fork
from stepflow_api._transport.httpx_fork import is_pool, reachable
from stepflow_api._transport.timeouts import Timeouts

if TYPE_CHECKING:
    import httpx

# Key of a request's extensions, which httpx hands on to the connection's request.
_MARK = "stepflow_api.exchange"

# Seconds between two attempts to end an exchange that is still connecting.
_AGAIN = 0.05

# Maximum time that the thread sleeps, and so outlives the last exchange, in seconds.
_SLEEP = 5.0


class _Exchange(NamedTuple):
    http: httpx.Client
    request: httpx.Request
    timeouts: Timeouts


class _Watchdog:
    def __init__(self) -> None:
        self._begin()
        reset_after_fork(self, _Watchdog._begin)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._changed = threading.Condition(threading.Lock())
        self._exchanges: dict[int, _Exchange] = {}
        self._is_running = False
        self._wakes_at = 0.0

    @contextmanager
    def watch(self, exchange: _Exchange) -> Generator[None]:
        key = id(exchange)
        at = exchange.timeouts.at
        with self._changed:
            if at is not None:
                self._exchanges[key] = exchange
                self._ensure(at)
        try:
            yield
        finally:
            with self._changed:
                self._exchanges.pop(key, None)

    def _ensure(self, at: float) -> None:
        """Ensure that the thread runs and wakes up in time."""
        if self._is_running:
            if at < self._wakes_at:
                self._changed.notify()
            return
        thread = threading.Thread(target=self._run, name="stepflow-api timeouts", daemon=True)
        # Python starts no threads while it exits.
        with contextlib.suppress(RuntimeError):
            thread.start()
            self._is_running = True

    def _run(self) -> None:
        with self._changed:
            while self._exchanges:
                now = time.monotonic()
                self._wakes_at = now + _SLEEP
                for exchange in self._exchanges.values():
                    at = exchange.timeouts.at or now
                    if at <= now:
                        _shut_down(exchange)
                        at = now + _AGAIN
                    self._wakes_at = min(self._wakes_at, at)
                self._changed.wait(self._wakes_at - now)
            self._is_running = False


_watchdog = _Watchdog()


@contextmanager
def watched(http: httpx.Client, request: httpx.Request, timeouts: Timeouts) -> Generator[None]:
    """Shut down the connection of a request when it is overdue, while the block runs.

    Connections of transports that are not httpx's own cannot be shut down.
    """
    request.extensions.setdefault(_MARK, object())
    with _watchdog.watch(_Exchange(http, request, timeouts)):
        yield


def _shut_down(exchange: _Exchange) -> None:
    mark = exchange.request.extensions[_MARK]
    for pool in reachable(exchange.http):
        if not is_pool(pool):
            continue
        # So that the connection is not used for another request meanwhile.
        with getattr(pool, "_optional_thread_lock", contextlib.nullcontext()):
            for entry in list(getattr(pool, "_requests", ())):
                if entry.request.extensions.get(_MARK) is mark:
                    for part in reachable(entry.connection):
                        _shut_down_socket(part)


def _shut_down_socket(part: Any) -> None:
    if not hasattr(part, "get_extra_info"):
        return
    connected = part.get_extra_info("socket")
    if isinstance(connected, socket.socket):
        with contextlib.suppress(OSError):
            # That of a TLS socket also forgets its TLS state, which the other thread uses.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)
