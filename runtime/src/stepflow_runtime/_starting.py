"""Start of servers, with a warning if other machines can reach it."""

from __future__ import annotations

import logging
import threading

from stepflow_runtime._loopback import is_supported
from stepflow_runtime._ports import other_interfaces
from stepflow_runtime._servers import Servers

_log = logging.getLogger("stepflow_runtime")
_warned = threading.Lock()


def start(servers: Servers) -> None:
    """Start servers, and warn once per process if other machines can reach it."""
    names: list[str] = []

    def find_interfaces() -> None:
        # The lock is never released, so the warning is logged once per process.
        if not servers.is_on_loopback and not _warned.locked():
            names.extend(other_interfaces())

    servers.start(find_interfaces)
    if names and _warned.acquire(blocking=False):
        _log.warning(
            "the Stepflow server listens on port %d of every network interface (%s): anyone who can"
            " reach it can run flows with the components of its config; restrict access with %s",
            servers.port,
            ", ".join(names),
            'listen="loopback" or a firewall' if is_supported() else "a firewall",
        )
