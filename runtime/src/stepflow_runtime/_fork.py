"""File descriptors that keep something alive, and that a forked child closes."""

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
        open: Opens it; no thread forks in the meantime.
    """

    def __init__(self, open: Callable[[], int]) -> None:
        with _lock:
            self.descriptor = open()
            _held.add(self)

    def close(self) -> None:
        """Close it; does nothing the second time, or after a fork."""
        # Its number may belong to another file by then.
        with _lock:
            if self in _held:
                _held.remove(self)
                os.close(self.descriptor)


def held_pipe(*, blocking: bool = True) -> tuple[Held, Held]:
    """Open a pipe, which a forked child closes at once; return the read end and the write end.

    With `blocking`, a read waits for data.
    """
    reading = -1

    def open_both() -> int:
        nonlocal reading
        reading, writing = os.pipe()
        os.set_blocking(reading, blocking)
        return writing

    writing = Held(open_both)
    return Held(lambda: reading), writing


def _in_child() -> None:
    for held in _held:
        with contextlib.suppress(OSError):
            os.close(held.descriptor)
    _held.clear()
    _lock.release()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_in_child
    )
