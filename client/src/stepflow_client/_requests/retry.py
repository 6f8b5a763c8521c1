"""When a request is retried, and after how long.

Libraries for retries wrap a function that does the I/O. Here the core, which does none, decides and
its driver sleeps, so that the rules exist once for sync and async.
"""

from __future__ import annotations

import email.utils
import enum
import random
import time
from dataclasses import dataclass
from datetime import UTC

from stepflow_api.errors import (
    ConnectionFailed,
    ConnectionLost,
    RequestTimeout,
    StatusError,
    StepflowError,
)
from stepflow_client._constants import (
    FIRST_DELAY,
    LAST_DELAY,
    LONGEST_DELAY,
    MAX_RETRIES,
    RETRY_AFTER_LIMIT,
)
from stepflow_client.errors import InvalidInput


class RetryOn(enum.Enum):
    """Which failures of a request are retried."""

    SAFE = frozenset({429, 502, 503, 504})
    """The request may be repeated: every failure that may be temporary."""

    NOT_PROCESSED = frozenset({429, 503})
    """The request must not act twice: only if it did not reach the server or was rejected."""

    WAITING = frozenset({429, *range(500, 600)})
    """The request is for a known run: every failure of the server may be temporary."""

    LONG_POLL = frozenset({429, *range(501, 600)})
    """The same with a wait on the server: 500 may then mean that there is no such run."""

    def allows(self, error: StepflowError) -> bool:
        """Whether the request is retried after this error."""
        if isinstance(error, StatusError):
            return error.status_code in self.value
        if isinstance(error, ConnectionLost | RequestTimeout):
            return self is not RetryOn.NOT_PROCESSED
        return isinstance(error, ConnectionFailed)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast requests are retried: exponential backoff with full jitter.

    Attributes:
        max_retries: Maximum number of attempts after the first. It does not apply to waiting for a
            known run, which continues until the caller's deadline.
        first_delay: Maximum first delay, in seconds; it doubles with each attempt.
        last_delay: Maximum delay, in seconds.
        retry_after_limit: Maximum delay that a `Retry-After` can request, in seconds.
    """

    max_retries: int = MAX_RETRIES
    first_delay: float = FIRST_DELAY
    last_delay: float = LAST_DELAY
    retry_after_limit: float = RETRY_AFTER_LIMIT

    def __post_init__(self) -> None:
        for name in ("max_retries", "first_delay", "last_delay", "retry_after_limit"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and value >= 0):
                raise InvalidInput(f"RetryPolicy: {name} is {value!r}; pass 0 or more")

    def delay(self, failures: int, error: StepflowError) -> float:
        """Return the seconds to wait after a number of failed attempts; the last had this error."""
        bound = min(self.last_delay, self.first_delay * 2.0 ** min(failures - 1, 64))
        requested = _retry_after(error)
        if requested is None:
            delay = bound * random.random()
        else:
            delay = min(requested, self.retry_after_limit)
        return min(delay, LONGEST_DELAY)


def _retry_after(error: StepflowError) -> float | None:
    """Return the seconds of a `Retry-After` header, which is a number or an HTTP date."""
    text = error.headers.get("retry-after", "") if isinstance(error, StatusError) else ""
    if text.isdecimal():
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # HTTP's oldest form names no time zone, and means GMT.
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - time.time())
