"""Waiting for a run by a person, who is told how to go on with it."""

from __future__ import annotations

import time
from types import TracebackType

from stepflow_client.errors import Timeout, Unreachable
from stepflow_client.sync_handle import SyncRunHandle


class Interrupted(Exception):
    """Ctrl-C while a run was waited for; the message says which, and how to go on."""


class Waiting:
    """Waits for a run; a context manager that tells what leaves it in the command's own words.

    Args:
        handle: The run.
        timeout: What `--timeout` gives, in seconds.
        start: From when that counts, by the monotonic clock.

    Attributes:
        handle: The run.
        start: From when its time counts.
    """

    def __init__(self, handle: SyncRunHandle, timeout: float | None, start: float) -> None:
        self.handle = handle
        self._timeout = timeout
        self.start = start

    def left(self) -> float | None:
        """Gives the seconds that are left; None where there is no end."""
        if self._timeout is None:
            return None
        return max(0.0, self._timeout - (time.monotonic() - self.start))

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        run_id = self.handle.id
        wait = f"wait again: stepflow-client wait {run_id}"
        if isinstance(exc, KeyboardInterrupt):
            raise Interrupted(
                f"interrupted while waiting for run {run_id}, which was not cancelled; {wait}"
            ) from None
        if isinstance(exc, Timeout):
            raise Timeout(
                f"run {run_id} was not seen to end within --timeout {self._timeout:g} s; {wait}",
                run_id=run_id,
                seconds=exc.seconds,
            ) from exc
        if isinstance(exc, Unreachable):
            raise Unreachable(
                f"the server stopped responding while run {run_id} was waited for, so what became"
                f" of the run is unknown; {wait}",
                method=exc.method,
                url=exc.url,
                attempts=exc.attempts,
                run_id=run_id,
            ) from exc
