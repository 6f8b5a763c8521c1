"""Sends one request until it has an answer, or until it must not or need not be sent again."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from stepflow_api.errors import (
    ConnectionFailed,
    NotFound,
    StatusError,
    StepflowError,
    TransportError,
)
from stepflow_api.lowlevel import Call, Request, Sleep, Steps, Timeouts
from stepflow_client._constants import CONNECT_TIMEOUT, LATE_SECONDS, RECONNECT_SECONDS
from stepflow_client._requests.deadline import NO_DEADLINE, Deadline
from stepflow_client._requests.retry import Resend, RetryPolicy
from stepflow_client.errors import Timeout, Unreachable, Unsupported

T = TypeVar("T")

_log = logging.getLogger("stepflow_client")


@dataclass(slots=True)
class Tries:
    """What happened to one request.

    Attributes:
        failures: Tries that failed.
        maybe_acted: Whether the server may have acted on one that failed.
    """

    failures: int = 0
    maybe_acted: bool = False


class Sender:
    """Sends requests under one policy.

    Args:
        url: Where to, with the API's prefix.
        policy: How often and how fast.
        timeout: Maximum time for one request, in seconds; more for a large body.
    """

    def __init__(self, url: str, policy: RetryPolicy, timeout: float) -> None:
        self.url = url
        self._policy = policy
        self._timeout = timeout

    def send(
        self,
        call: Call[T],
        *,
        resend: Resend = Resend.SAFE,
        deadline: Deadline = NO_DEADLINE,
        timeout: float | None = None,
        run_id: UUID | None = None,
        tries: Tries | None = None,
    ) -> Steps[Any]:
        """Sends a request.

        Args:
            call: The request.
            resend: Which failures allow to send it again.
            deadline: The caller's.
            timeout: As of the sender, in place of it.
            run_id: The run that is waited for, if any.
            tries: Takes what happens.

        Returns:
            What success gives: the call's type, or a `Response` for a `Fetch`.
        """
        tries = tries or Tries()
        request = call.request
        first_failure = 0.0
        while True:
            timeouts = _timeouts(timeout or self._timeout, deadline)
            try:
                with _Logged(call.request):
                    return (yield replace(call, request=request, timeout=timeouts))
            except StepflowError as error:
                tries.failures += 1
                first_failure = first_failure or time.monotonic()
                tries.maybe_acted |= _maybe_acted(error)
                if not resend.allows(error):
                    raise _explained(error) from error.__cause__
                if deadline.has_passed:
                    raise self.timeout(deadline, run_id, error) from error
                if self._gives_up(resend, tries, first_failure):
                    raise self._final(error, tries, run_id) from error
                delay = deadline.bound(self._policy.delay(tries.failures, error))
                _log.info(
                    "%s %s: %s; sending it again in %.2f s (failure %d)",
                    call.request.method,
                    call.request.path,
                    _name(error),
                    delay,
                    tries.failures,
                )
            yield Sleep(delay)
            request = replace(request, resend_count=tries.failures)

    def delay(self, failures: int, error: StepflowError) -> float:
        """Gives the seconds to wait after so many failures."""
        return self._policy.delay(failures, error)

    def timeout(
        self, deadline: Deadline, run_id: UUID | None, error: StepflowError | None = None
    ) -> Timeout:
        """Makes the error for a deadline that has passed."""
        seconds = deadline.seconds or 0
        last = f"; the last try: {error}" if error else ""
        if run_id is None:
            message = (
                f"no answer from {self.url} within timeout={seconds:g} s; raise the timeout"
                f" argument{last}"
            )
        else:
            message = (
                f"run {run_id} was not seen to end within timeout={seconds:g} s; it was not"
                f" cancelled: raise the timeout argument, or wait again with"
                f" handle({str(run_id)!r}){last}"
            )
        return Timeout(message, run_id=run_id, seconds=seconds)

    def _gives_up(self, resend: Resend, tries: Tries, first_failure: float) -> bool:
        if resend in (Resend.WAITING, Resend.LONG_POLL):
            return time.monotonic() - first_failure >= RECONNECT_SECONDS
        return tries.failures > self._policy.max_retries

    def _final(self, error: StepflowError, tries: Tries, run_id: UUID | None) -> StepflowError:
        if not isinstance(error, TransportError):
            return error
        times = "once" if tries.failures == 1 else f"{tries.failures} times"
        waiting = f"; what became of run {run_id} is unknown" if run_id else ""
        return Unreachable(
            f"tried {times}: {error.message}{waiting}",
            method=error.method,
            url=error.url,
            attempts=tries.failures,
            run_id=run_id,
        )


class _Logged:
    """One line for one request, without its headers, its query and the bodies."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._start = time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if not _log.isEnabledFor(logging.DEBUG):
            return
        outcome = "done"
        if isinstance(error, StepflowError):
            outcome = _name(error)
        elif kind is not None:
            # The driver closes the steps of a call that is cancelled or interrupted.
            outcome = "cancelled"
        milliseconds = (time.monotonic() - self._start) * 1000
        request = self._request
        _log.debug("%s %s: %s after %.1f ms", request.method, request.path, outcome, milliseconds)


def _timeouts(seconds: float, deadline: Deadline) -> Timeouts:
    """Return the timeouts of a request that is sent now.

    Args:
        seconds: Maximum time for it, prolonged for a large body.
        deadline: The caller's, which nothing prolongs.
    """
    wait = deadline.bound(seconds) or LATE_SECONDS
    remaining = deadline.remaining()
    until = None if remaining is None else time.monotonic() + (remaining or LATE_SECONDS)
    return Timeouts(min(wait, CONNECT_TIMEOUT), wait, wait, wait, seconds, until)


def _maybe_acted(error: StepflowError) -> bool:
    if isinstance(error, StatusError):
        # A proxy in between may have passed the request on.
        return error.status_code in (502, 504)
    return isinstance(error, TransportError) and not isinstance(error, ConnectionFailed)


def _explained(error: StepflowError) -> StepflowError:
    """Gives the error, or one that tells better what a 404 without the server's words means."""
    if not isinstance(error, NotFound) or error.parsed is not None:
        return error
    return Unsupported(
        "the server has no such operation; it is too old for this, or no Stepflow server: check"
        " the URL, and server_version()",
        method=error.method,
        url=error.url,
        status_code=error.status_code,
        content=error.content,
        headers=error.headers,
    )


def _name(error: StepflowError) -> str:
    # A server's words may quote what was sent, so they stay out of the log.
    status = f" {error.status_code}" if isinstance(error, StatusError) else ""
    return type(error).__name__ + status
