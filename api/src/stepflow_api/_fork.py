"""Makes clients safe to use after `os.fork`.

A forked child inherits its parent's sockets, and the locks of threads that it does not have.
Requests on an inherited connection mix with the parent's: each may receive the other's response.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_resets: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()


class Open(Protocol):
    """Anything with a file descriptor."""

    def fileno(self) -> int:
        """Return the descriptor; negative once closed."""
        ...


def reset_after_fork(owner: T, reset: Callable[[T], object]) -> None:
    """Call `reset(owner)` in each child that is forked while `owner` exists.

    Args:
        owner: What the child must not share; referenced weakly.
        reset: Restores it without waiting for a lock and without sending anything.
    """
    _resets[owner] = reset


def disconnect(connection: Open) -> None:
    """Replace a connection's descriptor in this process by one that is at its end.

    Unlike closing it, this leaves the descriptor with its owner, which closes it in its own time,
    and keeps that from removing the parent's connection from an epoll set that both share.
    """
    descriptor = connection.fileno()
    if descriptor < 0:
        return
    # Imported long before, for the connection; here, so that models and endpoints do without.
    import socket

    ours, other = socket.socketpair()
    other.close()
    with ours:
        os.dup2(ours.fileno(), descriptor, inheritable=False)


def _reset_all() -> None:
    for owner, reset in list(_resets.items()):
        reset(owner)


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
