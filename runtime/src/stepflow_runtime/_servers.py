"""Protocol of one server and of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from stepflow_runtime.errors import ServerCrashed


class Servers(Protocol):
    """One server, or several, for as long as they are kept running; see `Supervisor`."""

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can reach them."""
        ...

    @property
    def port(self) -> int:
        """The first one's port."""
        ...

    @property
    def ports(self) -> Sequence[int]:
        """The port of each."""
        ...

    @property
    def was_stopped(self) -> bool:
        """Whether they were stopped."""
        ...

    @property
    def has_started(self) -> bool:
        """Whether the first start has succeeded, or they were stopped."""
        ...

    @property
    def state(self) -> str:
        """Description of the servers once they have started, for `repr`."""
        ...

    @property
    def crash(self) -> ServerCrashed | None:
        """Their error, if none is restarted."""
        ...

    def wait_until_started(self) -> None:
        """Wait until the first start has succeeded, or they were stopped."""

    def start(self, meanwhile: Callable[[], object]) -> None:
        """Start them and wait until they are ready; call `meanwhile` while the first starts."""

    def check(self) -> None:
        """Raise `RuntimeFailure` if no server will answer a call any more."""

    def stop(self, grace: float | None = None) -> None:
        """Stop them; does nothing the second time."""

    def abandon(self) -> None:
        """Kill them, from wherever the garbage collector runs."""
