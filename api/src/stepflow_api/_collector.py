"""Pauses of the garbage collector while the models of a long response are created.

It would take half of the time, since it visits all new models again and again and finds nothing.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

from stepflow_api._fork import reset_after_fork


class Collector:
    """Pauses of Python's garbage collector by any number of threads."""

    def __init__(self) -> None:
        self._was_enabled = False
        self._begin()
        reset_after_fork(self, Collector._reset_in_child)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._pauses = 0

    def _reset_in_child(self) -> None:
        # The threads that paused the collector do not exist in the child.
        if self._pauses and self._was_enabled:
            gc.enable()
        self._begin()

    @contextmanager
    def paused(self) -> Generator[None, None, None]:
        """Sleep the collector, if it is enabled, until the last of all pauses ends."""
        with self._lock:
            if not self._pauses:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                if not self._pauses and self._was_enabled:
                    gc.enable()


COLLECTOR = Collector()
