"""Support for `os.fork`.

A forked child inherits its parent's sockets, and locks held by threads that do not exist in it. On
an inherited connection, parent and child could receive each other's responses.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from _typeshed import HasFileno

T = TypeVar("T")

_resets: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()


def reset_after_fork(owner: T, reset: Callable[[T], object]) -> None:
    """Call `reset(owner)` in each child that is forked while `owner` exists.

    Args:
        owner: The object that the child must not share; referenced weakly.
        reset: Resets it without waiting for a lock and without sending anything.
    """
    _resets[owner] = reset


def disconnect(connection: HasFileno) -> None:
    """Replace a connection's file descriptor in this process by that of a closed connection.

    Closing it instead would free the number while its owner still uses it, and the owner would
    remove the parent's connection from an epoll set that both processes share.
    """
    descriptor = connection.fileno()
    if descriptor < 0:
        return
    # Imported here, so that programs that only use models do not load it.
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
