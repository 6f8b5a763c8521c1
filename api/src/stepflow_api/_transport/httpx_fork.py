"""Connections of httpx clients and transports: found, and reset in a forked child.

httpx has no function for this, so its objects and those of httpcore are found by following
references, which also works for transports that wrap others, across releases of both, and for
httpx2 and httpcore2.
"""

from __future__ import annotations

import copy
import socket
from collections.abc import Iterator
from http.cookiejar import CookieJar
from threading import RLock
from typing import Any

from stepflow_api._fork import disconnect
from stepflow_api._transport.httpx_libraries import PACKAGES

_REENTRANT = type(RLock())


def reset_http(*owners: Any) -> None:
    """Drop the inherited connections of httpx clients and transports, and replace their locks.

    Responses that are being read fail; transports of other libraries are left as they are.
    """
    waiting = list(owners)
    seen: dict[int, Any] = {}
    while waiting:
        owner = waiting.pop()
        if id(owner) in seen:
            continue
        seen[id(owner)] = owner
        if hasattr(owner, "get_extra_info"):
            _disconnect(owner)
        state: dict[str, Any] = getattr(owner, "__dict__", {})
        for name, value in list(state.items()):
            waiting += _parts(value)
            if is_pool(value):
                state[name] = _emptied(value)
            elif isinstance(value, _REENTRANT) or _is_lock(value):
                state[name] = _new_lock(value)


def reachable(owner: Any) -> Iterator[Any]:
    """Iterate over an object of httpx and the objects of httpx and httpcore that it refers to."""
    waiting = [owner]
    seen: dict[int, Any] = {}
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        yield one
        state: dict[str, Any] = getattr(one, "__dict__", {})
        for value in list(state.values()):
            waiting += _parts(value)


def is_pool(value: Any) -> bool:
    """Return whether an object is a connection pool of httpcore."""
    return _is_part(value) and hasattr(value, "connections")


def _parts(value: Any) -> Iterator[Any]:
    parts: list[Any] = [value]
    if type(value) is dict:
        parts = [*value.values()]
    elif type(value) in (list, tuple):
        parts = [*value]
    for part in parts:
        if isinstance(part, CookieJar) or _is_part(part):
            yield part


def _disconnect(stream: Any) -> None:
    inherited = stream.get_extra_info("socket")
    if isinstance(inherited, socket.socket):
        inherited.close()
    elif inherited is not None:
        disconnect(inherited)


def _emptied(pool: Any) -> Any:
    """Return an empty pool with the same settings; responses being read keep the old one."""
    new: Any = copy.copy(pool)
    state: dict[str, Any] = new.__dict__
    for name, value in state.items():
        if type(value) is list:
            # Lists of httpcore's objects are connections and requests; other lists are settings.
            items: list[Any] = [*value]
            state[name] = [item for item in items if not _is_part(item)]
        elif _is_lock(value):
            state[name] = _new_lock(value)
    return new


def _new_lock(lock: Any) -> Any:
    return RLock() if isinstance(lock, _REENTRANT) else type(lock)()


def _is_lock(value: Any) -> bool:
    return _is_part(value) and type(value).__name__.endswith("Lock")


def _is_part(value: Any) -> bool:
    return any(cls.__module__.partition(".")[0] in PACKAGES for cls in type(value).__mro__)
