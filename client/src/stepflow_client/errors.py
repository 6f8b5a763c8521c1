"""The errors of this package: those of `stepflow_api.errors`, and the ones marked here.

    StepflowError
    ├── InvalidRequest
    │   └── InvalidInput *         an invalid flow, input or option
    ├── UnsupportedByServer        a server of this version does not support it
    ├── FlowInvalid *              the server rejects the flow and reports why
    ├── RunError *                 a run that finished without the requested result
    │   ├── FlowFailed *
    │   └── RunCancelled *
    ├── Timeout *                  the caller's deadline passed (also a TimeoutError)
    ├── TransportError
    │   ├── ConnectionFailed, ConnectionLost, RequestTimeout
    │   ├── Unreachable *          no attempt had a response
    │   └── RunOutcomeUnknown *    the response to creating a run was lost: it may be running
    ├── InvalidAnswer              a successful response that is not a Stepflow server's
    └── StatusError                a response with an error status
        └── NotFound
            └── Unsupported *      the server does not have the operation

All of them can be pickled. None shows a header or a password.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from stepflow_api.errors import (
    BadRequest,
    Conflict,
    ConnectionFailed,
    ConnectionLost,
    Forbidden,
    InvalidAnswer,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    ServerError,
    StatusError,
    StepflowError,
    TooManyRequests,
    TransportError,
    Unauthorized,
    UnexpectedStatus,
    UnprocessableContent,
    UnsupportedByServer,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from stepflow_api.models import Diagnostics, FlowResultFailed

__all__ = [
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "ConnectionLost",
    "FlowFailed",
    "FlowInvalid",
    "Forbidden",
    "InvalidAnswer",
    "InvalidInput",
    "InvalidRequest",
    "NotFound",
    "PayloadTooLarge",
    "RequestTimeout",
    "RunCancelled",
    "RunError",
    "RunOutcomeUnknown",
    "ServerError",
    "StatusError",
    "StepflowError",
    "Timeout",
    "TooManyRequests",
    "TransportError",
    "Unauthorized",
    "UnexpectedStatus",
    "UnprocessableContent",
    "Unreachable",
    "Unsupported",
    "UnsupportedByServer",
    "UnsupportedMediaType",
]


class InvalidInput(InvalidRequest):
    """An invalid flow, input or option; nothing was sent."""


class FlowInvalid(StepflowError):
    """The server rejects the flow.

    Attributes:
        diagnostics: All findings of the server, fatal or not.
    """

    def __init__(self, message: str, diagnostics: Diagnostics) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


class RunError(StepflowError):
    """A run that finished without the requested result.

    Attributes:
        run_id: Id of the run.
    """

    def __init__(self, message: str, run_id: UUID) -> None:
        super().__init__(message)
        self.run_id = run_id


class FlowFailed(RunError):
    """The flow failed.

    Attributes:
        run_id: Id of the run.
        result: The failed result; None if the run failed without one.
    """

    def __init__(self, message: str, run_id: UUID, result: FlowResultFailed | None) -> None:
        super().__init__(message, run_id)
        self.result = result


class RunCancelled(RunError):
    """The run was cancelled."""


class Timeout(StepflowError, TimeoutError):
    """The caller's deadline passed; the run was not cancelled.

    Attributes:
        run_id: Id of the run; None if none was created yet.
        seconds: The timeout.
    """

    def __init__(self, message: str, *, run_id: UUID | None, seconds: float) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.seconds = seconds


class Unreachable(TransportError):
    """No attempt had a response.

    Attributes:
        method: HTTP method.
        url: The URL, without a password.
        attempts: Number of attempts.
        run_id: Id of the run, if any; its status is unknown.
    """

    def __init__(
        self, message: str, *, method: str, url: str, attempts: int, run_id: UUID | None
    ) -> None:
        super().__init__(message, method=method, url=url)
        self.attempts = attempts
        self.run_id = run_id


class RunOutcomeUnknown(TransportError):
    """The response to creating a run was lost: the run may exist, or not.

    Attributes:
        method: HTTP method.
        url: The URL, without a password.
        flow_id: Id of the flow.
        since: When the request was sent, by this machine's clock: look for newer runs.
    """

    def __init__(
        self, message: str, *, method: str, url: str, flow_id: str, since: datetime
    ) -> None:
        super().__init__(message, method=method, url=url)
        self.flow_id = flow_id
        self.since = since


class Unsupported(NotFound):
    """The server does not have the operation: it is too old, or not a Stepflow server."""
