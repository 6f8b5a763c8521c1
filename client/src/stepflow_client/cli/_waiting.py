"""Waiting for a run on a command line; errors say how to continue."""

from __future__ import annotations

import time
from types import TracebackType

from stepflow_client.errors import Timeout, Unreachable
from stepflow_client.sync_handle import SyncRunHandle


class Interrupted(Exception):
    """Ctrl-C during a wait for a run; the message names the run and how to wait again."""


class Waiting:
    """Context manager around a wait, which rewords errors for a command line.

    Args:
        handle: The run.
        timeout: Value of `--timeout`, in seconds.
        start: Start of that time by the monotonic clock.

    Attributes:
        handle: The run.
        start: Start of the time for it.
    """

    def __init__(self, handle: SyncRunHandle, timeout: float | None, start: float) -> None:
        self.handle = handle
        self._timeout = timeout
        self.start = start

    def remaining(self) -> float | None:
        """Return the remaining seconds; None for no limit."""
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
                f"run {run_id} did not finish within --timeout {self._timeout:g} s; {wait}",
                run_id=run_id,
                seconds=exc.seconds,
            ) from exc
        if isinstance(exc, Unreachable):
            raise Unreachable(
                f"the server stopped responding during the wait for run {run_id}, whose status is"
                f" unknown; {wait}",
                method=exc.method,
                url=exc.url,
                attempts=exc.attempts,
                run_id=run_id,
            ) from exc
