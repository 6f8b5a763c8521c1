"""Reserves a port for a restarted server, and checks who can reach it."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Generator
from pathlib import Path

_INTERFACES = Path("/sys/class/net")
_IFF_UP = 0x1


@contextlib.contextmanager
def reserved(port: int) -> Generator[None, None, None]:
    """Reserve a port while no server listens on it.

    A client that tries to connect could even be given this very port, and would reach itself. A
    server can still listen, since both sockets allow the address's reuse; that holds on Linux
    alone, and elsewhere nothing is done.

    Args:
        port: The port; left alone if another process has it.
    """
    if sys.platform != "linux":
        yield
        return
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            keeper.bind(("0.0.0.0", port))
        yield


class ReservedPort:
    """A free port that no other process gets until it is released.

    A server can listen on it meanwhile; elsewhere than on Linux, it is released at once.

    Raises:
        OSError: There is no free port.
    """

    def __init__(self) -> None:
        self._keeper = socket.socket()
        try:
            self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._keeper.bind(("0.0.0.0", 0))
            self.number: int = self._keeper.getsockname()[1]
        except BaseException:
            self.release()
            raise
        if sys.platform != "linux":
            self.release()

    def release(self) -> None:
        """Release it; does nothing the second time."""
        self._keeper.close()


def other_interfaces() -> list[str]:
    """Return the names of the network interfaces besides loopback that are up."""
    names = [name for _, name in socket.if_nameindex() if not name.startswith("lo")]
    return [name for name in names if _is_up(name)]


def _is_up(name: str) -> bool:
    try:
        return bool(int((_INTERFACES / name / "flags").read_text(), 16) & _IFF_UP)
    except (OSError, ValueError):
        # Where the system does not say so, it may be.
        return True
