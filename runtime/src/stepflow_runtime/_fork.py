"""File descriptors that keep something alive, and must not do so in a forked child."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

_held: set[Held] = set()
# Reentrant, since a signal handler may fork while its thread is in here.
_lock = threading.RLock()


class Held:
    """A file descriptor that a forked child closes at once.

    Args:
        open: Opens it. No thread forks meanwhile.
    """

    def __init__(self, open: Callable[[], int]) -> None:
        with _lock:
            self.descriptor = open()
            _held.add(self)

    def close(self) -> None:
        """Closes it. Does nothing the second time, or after a fork."""
        # Not by its number, which may be another file's by then.
        with _lock:
            if self in _held:
                _held.remove(self)
                os.close(self.descriptor)


def _in_child() -> None:
    for held in _held:
        with contextlib.suppress(OSError):
            os.close(held.descriptor)
    _held.clear()
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_in_child)
