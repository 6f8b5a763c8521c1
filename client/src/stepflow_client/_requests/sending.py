"""Send one request, with retries, under the caller's deadline."""

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
from stepflow_client._requests.retry import RetryOn, RetryPolicy
from stepflow_client.errors import Timeout, Unreachable, Unsupported

T = TypeVar("T")

_log = logging.getLogger("stepflow_client")

# Of a run's end; others ask for something that the server has at once.
_WAITS = (RetryOn.WAITING, RetryOn.LONG_POLL)


@dataclass(slots=True)
class Attempts:
    """Failed attempts to send one request.

    Attributes:
        failures: Number of failed attempts.
        may_have_reached_server: Whether the server may have acted on one of them.
    """

    failures: int = 0
    may_have_reached_server: bool = False


class Sender:
    """Sends requests under one retry policy.

    Args:
        url: The server's URL with the API's prefix.
        policy: The retry policy.
        timeout: Maximum time for one attempt, in seconds; more for a large body.
    """

    def __init__(self, url: str, policy: RetryPolicy, timeout: float) -> None:
        self.url = url
        self._policy = policy
        self._timeout = timeout

    def send(
        self,
        call: Call[T],
        *,
        retry_on: RetryOn = RetryOn.SAFE,
        deadline: Deadline = NO_DEADLINE,
        timeout: float | None = None,
        run_id: UUID | None = None,
        attempts: Attempts | None = None,
    ) -> Steps[Any]:
        """Send a request.

        Args:
            call: The request.
            retry_on: Failures that are retried.
            deadline: The caller's deadline.
            timeout: Maximum time for one attempt, in seconds; the sender's by default.
            run_id: The run that the caller waits for, if any; for errors.
            attempts: Records failed attempts.

        Returns:
            The result of a success: the operation's type, or a `Response` for a `Fetch`.

        Raises:
            StepflowError: The last error, if it is not retried or a retry is not allowed.
            Timeout: The deadline has passed.
            Unreachable: No attempt reached the server.
        """
        attempts = attempts or Attempts()
        request = call.request
        first_failure = 0.0
        while True:
            timeouts = _timeouts(timeout or self._timeout, deadline)
            try:
                with _Logged(call.request):
                    return (yield replace(call, request=request, timeout=timeouts))
            except StepflowError as error:
                attempts.failures += 1
                first_failure = first_failure or time.monotonic()
                attempts.may_have_reached_server |= _may_have_reached_server(error)
                if not retry_on.allows(error):
                    raise _explained(error) from error.__cause__
                if deadline.has_passed:
                    waited_for = run_id if retry_on in _WAITS else None
                    raise self.timeout(deadline, waited_for, error) from error
                if self._gives_up(retry_on, attempts, first_failure):
                    raise self._final(error, attempts, run_id) from error
                delay = deadline.bound(self._policy.delay(attempts.failures, error))
                _log.info(
                    "%s %s: %s; sending it again in %.2f s (failure %d)",
                    call.request.method,
                    call.request.path,
                    _name(error),
                    delay,
                    attempts.failures,
                )
            yield Sleep(delay)
            request = replace(request, resend_count=attempts.failures)

    def delay(self, failures: int, error: StepflowError) -> float:
        """Return the seconds to wait after this number of failures."""
        return self._policy.delay(failures, error)

    def timeout(
        self, deadline: Deadline, run_id: UUID | None, error: StepflowError | None = None
    ) -> Timeout:
        """Return the error for a deadline that has passed."""
        seconds = deadline.seconds or 0
        last = f"; the last attempt: {error}" if error else ""
        if run_id is None:
            message = (
                f"no response from {self.url} within timeout={seconds:g} s; raise the timeout"
                f" argument{last}"
            )
        else:
            message = (
                f"run {run_id} was not seen to end within timeout={seconds:g} s; it was not"
                f" cancelled: raise the timeout argument, or wait again with"
                f" handle({str(run_id)!r}){last}"
            )
        return Timeout(message, run_id=run_id, seconds=seconds)

    def _gives_up(self, retry_on: RetryOn, attempts: Attempts, first_failure: float) -> bool:
        if retry_on in _WAITS:
            return time.monotonic() - first_failure >= RECONNECT_SECONDS
        return attempts.failures > self._policy.max_retries

    def _final(
        self, error: StepflowError, attempts: Attempts, run_id: UUID | None
    ) -> StepflowError:
        if not isinstance(error, TransportError):
            return error
        times = "once" if attempts.failures == 1 else f"{attempts.failures} times"
        waiting = f"; what became of run {run_id} is unknown" if run_id else ""
        return Unreachable(
            f"tried {times}: {error.message}{waiting}",
            method=error.method,
            url=error.url,
            attempts=attempts.failures,
            run_id=run_id,
        )


class _Logged:
    """Logs a request on one line, without headers, query and bodies."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._start = time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not _log.isEnabledFor(logging.DEBUG):
            return
        outcome = "done" if error is None else _name(error)
        milliseconds = (time.monotonic() - self._start) * 1000
        request = self._request
        _log.debug("%s %s: %s after %.1f ms", request.method, request.path, outcome, milliseconds)


def _timeouts(seconds: float, deadline: Deadline) -> Timeouts:
    """Return the timeouts of a request that is sent now.

    A large body prolongs `seconds`, the maximum time for it, but not the caller's deadline.
    """
    wait = deadline.bound(seconds) or LATE_SECONDS
    remaining = deadline.remaining()
    until = None if remaining is None else time.monotonic() + (remaining or LATE_SECONDS)
    return Timeouts(min(wait, CONNECT_TIMEOUT), wait, wait, wait, seconds, until)


def _may_have_reached_server(error: StepflowError) -> bool:
    if isinstance(error, StatusError):
        # A proxy in between may have passed the request on.
        return error.status_code in (502, 504)
    return isinstance(error, TransportError) and not isinstance(error, ConnectionFailed)


def _explained(error: StepflowError) -> StepflowError:
    """Return the error, or a clearer one for a 404 without a message of the server."""
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


def _name(error: BaseException) -> str:
    # A server's words may quote what was sent, so they stay out of the log.
    status = f" {error.status_code}" if isinstance(error, StatusError) else ""
    return type(error).__name__ + status
