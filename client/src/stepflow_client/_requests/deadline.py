"""Deadlines that callers set."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import TIMEOUT_MAX

from stepflow_client.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time that a caller has set.

    Attributes:
        seconds: Timeout of the caller; None for no deadline.
        at: When it is, by the monotonic clock.
    """

    seconds: float | None
    at: float

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """Return the deadline of a call that begins now.

        Raises:
            InvalidInput: It is not a number of seconds.
        """
        # Written so that NaN is refused as well.
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is not None and not (is_number and seconds >= 0):
            raise InvalidInput(
                f"timeout is {seconds!r}; pass seconds, 0 or more, or None to wait to the end"
            )
        # More than the system can wait is no deadline.
        if seconds is None or seconds > TIMEOUT_MAX:
            return NO_DEADLINE
        return cls(seconds, time.monotonic() + seconds)

    def remaining(self) -> float | None:
        """Return the seconds that are left: 0 if it has passed, None without a deadline."""
        return None if self.seconds is None else max(0.0, self.at - time.monotonic())

    def bound(self, seconds: float) -> float:
        """Return the seconds, or those that are left if these are fewer."""
        remaining = self.remaining()
        return seconds if remaining is None else min(seconds, remaining)

    @property
    def has_passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining() == 0


NO_DEADLINE = Deadline(None, 0.0)
