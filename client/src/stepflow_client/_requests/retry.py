"""When a request is sent again, and after how long.

Libraries for retries wrap a function that does the I/O. Here the core, which does none, decides and
its driver sleeps, so that the rules exist once for sync and async; they fit on this page.
"""

from __future__ import annotations

import email.utils
import enum
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stepflow_api.errors import (
    ConnectionFailed,
    ConnectionLost,
    RequestTimeout,
    StatusError,
    StepflowError,
)
from stepflow_client._constants import FIRST_DELAY, LAST_DELAY, MAX_RETRIES, RETRY_AFTER_LIMIT
from stepflow_client.errors import InvalidInput


class Resend(enum.Enum):
    """Which failures allow to send a request again."""

    SAFE = frozenset({429, 502, 503, 504})
    """Sending it twice does no harm: every failure that may pass."""

    UNSEEN = frozenset({429, 503})
    """Sending it twice would act twice: where the server has not seen or has refused it."""

    WAITING = frozenset({429, *range(500, 600)})
    """A known run is asked for: whatever the server goes through, it may pass."""

    LONG_POLL = frozenset({429, *range(501, 600)})
    """The same where the server is asked to wait: 500 may then say that there is no such run."""

    def allows(self, error: StepflowError) -> bool:
        """Whether the request may be sent again after this error."""
        if isinstance(error, StatusError):
            return error.status_code in self.value
        if isinstance(error, ConnectionLost | RequestTimeout):
            return self is not Resend.UNSEEN
        return isinstance(error, ConnectionFailed)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast requests are sent again: exponential backoff with full jitter.

    Attributes:
        max_retries: Tries after the first. Waiting for a known run is not counted: it goes on until
            the caller's deadline.
        first_delay: Upper bound in seconds of the first delay; it doubles from try to try.
        last_delay: Upper bound in seconds of every delay.
        retry_after_limit: Upper bound in seconds of what a `Retry-After` can ask for.
    """

    max_retries: int = MAX_RETRIES
    first_delay: float = FIRST_DELAY
    last_delay: float = LAST_DELAY
    retry_after_limit: float = RETRY_AFTER_LIMIT
    _random: Callable[[], float] = field(default=random.random, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("max_retries", "first_delay", "last_delay", "retry_after_limit"):
            value = getattr(self, name)
            if not value >= 0:
                raise InvalidInput(f"RetryPolicy: {name} is {value!r}; give 0 or more")

    def delay(self, failures: int, error: StepflowError) -> float:
        """Gives the seconds to wait before the next try.

        Args:
            failures: How many tries have failed, at least 1.
            error: How the last one failed.
        """
        bound = min(self.last_delay, self.first_delay * 2.0 ** min(failures - 1, 64))
        asked = _retry_after(error)
        return bound * self._random() if asked is None else min(asked, self.retry_after_limit)


def _retry_after(error: StepflowError) -> float | None:
    """Gives the seconds of a `Retry-After` header: a number, or an HTTP date."""
    text = error.headers.get("retry-after", "") if isinstance(error, StatusError) else ""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        # A date beyond what this machine can represent raises OverflowError.
        return None
