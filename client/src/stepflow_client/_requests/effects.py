"""What the core asks its driver to do, and how long it may take.

The core never does I/O. Its methods are generators that yield one effect, such as a `Call` or a
`Sleep`, at a time and are sent what came of it; `_drivers` runs them, with or without blocking.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from stepflow_api._operation import Operation, Request
from stepflow_api._timeouts import Timeouts
from stepflow_client.errors import InvalidInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """Send a request; the result is what success gives.

    Attributes:
        operation: What is called.
        request: What is sent.
        timeouts: Those of the request; set when it is sent.
    """

    operation: Operation[T, Any]
    request: Request
    timeouts: Timeouts | None = None


@dataclass(frozen=True, slots=True)
class Fetch(Call[T]):
    """Send a request; the result is a `Response` with the body in pieces."""


@dataclass(frozen=True, slots=True)
class Open(Call[T]):
    """Send a request; the result is a stream of events, to be closed."""


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for the next events of a stream; the result is what its `read` returns.

    Attributes:
        stream: The stream.
        seconds: Maximum time to wait.
    """

    stream: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """Close a stream; the result is None."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so many seconds; the result is None."""

    seconds: float


Effect: TypeAlias = Call[Any] | Read | Close | Sleep
Steps: TypeAlias = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time that a caller has set.

    Attributes:
        seconds: What the caller gave; None for no deadline.
        at: When it is, by the monotonic clock.
    """

    seconds: float | None
    at: float

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """Makes a deadline from now on.

        Raises:
            InvalidInput: It is no number of seconds.
        """
        # Written so that NaN is refused as well.
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is not None and not (is_number and seconds >= 0):
            raise InvalidInput(
                f"timeout is {seconds!r}; give seconds, 0 or more, or None to wait to the end"
            )
        return cls(seconds, time.monotonic() + (seconds or 0))

    def remaining(self) -> float | None:
        """Seconds that are left, 0 when it has passed; None without a deadline."""
        return None if self.seconds is None else max(0.0, self.at - time.monotonic())

    def bound(self, seconds: float) -> float:
        """Gives the seconds, or those that are left where these are fewer."""
        remaining = self.remaining()
        return seconds if remaining is None else min(seconds, remaining)

    @property
    def has_passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining() == 0


NO_DEADLINE = Deadline(None, 0.0)
