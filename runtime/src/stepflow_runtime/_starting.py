"""Starts a server, and warns of who can reach it."""

from __future__ import annotations

import concurrent.futures
import logging
import threading

from stepflow_runtime._ports import other_interfaces
from stepflow_runtime._supervisor import Supervisor

_log = logging.getLogger("stepflow_runtime")
_warned = threading.Lock()


def start_for(supervisor: Supervisor, future: concurrent.futures.Future[None]) -> None:
    """Start a server like `start`, for those who wait for a future."""
    try:
        start(supervisor)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(None)


def start(supervisor: Supervisor) -> None:
    """Start a server, and warn once in a process of who can reach it."""
    names: list[str] = []

    def look_who_can_reach() -> None:
        # Once in a process: the lock is never released.
        if not _warned.locked():
            names.extend(other_interfaces())

    supervisor.start(look_who_can_reach)
    if names and _warned.acquire(blocking=False):
        _log.warning(
            "the Stepflow server listens on port %d of every network interface (%s): anyone who can"
            " reach it can run flows with the components of its config; restrict access with a"
            " firewall",
            supervisor.port,
            ", ".join(names),
        )
