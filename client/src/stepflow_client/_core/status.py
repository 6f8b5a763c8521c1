"""The status of a run, and waits for its end that survive lost connections."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from stepflow_api.errors import ServerError
from stepflow_api.lowlevel import Sleep, Steps
from stepflow_api.models import ExecutionStatus, RunSummary
from stepflow_api.types import Response
from stepflow_client._constants import (
    FIRST_PROGRESS_SECONDS,
    LONG_POLL_GRACE,
    LONG_POLL_SECONDS,
    PROGRESS_SECONDS,
)
from stepflow_client._core.json_array import read_elements
from stepflow_client._core.results import Progress, Source, is_finished
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import NO_DEADLINE, Deadline
from stepflow_client._requests.retry import RetryOn
from stepflow_client._requests.sending import Sender
from stepflow_client.errors import RunCancelled


def get_status(
    sender: Sender,
    run_id: UUID,
    deadline: Deadline = NO_DEADLINE,
    retry_on: RetryOn = RetryOn.SAFE,
    wait_seconds: int | None = None,
) -> Steps[RunSummary]:
    """Return a run's status, for which the server waits up to `wait_seconds` for the run's end.

    `retry_on` says after which failures the request is sent again.
    """
    call = endpoints.run_details(run_id, wait_seconds)
    answer: Response[list[bytes]] = yield from sender.send(
        call,
        retry_on=retry_on,
        deadline=deadline,
        timeout=None if wait_seconds is None else wait_seconds + LONG_POLL_GRACE,
        run_id=run_id,
    )
    members: dict[str, Any] = {}
    try:
        for _ in read_elements(answer.parsed or (), "itemDetails", members):
            pass
        return RunSummary.model_validate(members)
    except ValueError as error:
        source = Source(sender.url + call.request.path, answer.status_code)
        raise source.invalid(error) from error


def poll(
    sender: Sender, run_id: UUID, deadline: Deadline, retry_on: RetryOn = RetryOn.WAITING
) -> Steps[RunSummary]:
    """Return a run's status, by a response that is short for any run."""
    # The response to a GET of the run names every item.
    call = endpoints.list_runs({"root_run_id": run_id, "roots_only": True}, 1, 0)
    answer = yield from sender.send(call, retry_on=retry_on, deadline=deadline, run_id=run_id)
    run = next((run for run in answer.runs if run.run_id == run_id), None)
    if run is None:
        run = yield from get_status(sender, run_id, deadline, retry_on)
    return run


def wait(sender: Sender, run_id: UUID, deadline: Deadline) -> Steps[RunSummary]:
    """Wait until a run has finished, and return its status.

    Raises:
        RunCancelled: The run was cancelled.
        Timeout: The deadline passed before.
    """
    while True:
        seconds = math.ceil(deadline.bound(LONG_POLL_SECONDS))
        failed = False
        try:
            run = yield from get_status(sender, run_id, deadline, RetryOn.LONG_POLL, seconds)
        except ServerError:
            # A server that is asked to wait for an unknown run answers 500; without a wait, it
            # answers what is wrong.
            run = yield from get_status(sender, run_id, deadline, RetryOn.WAITING)
            failed = True
        if is_finished(run):
            return _not_cancelled(run)
        if deadline.has_passed:
            raise sender.timeout(deadline, run_id)
        if failed:
            yield Sleep(deadline.bound(PROGRESS_SECONDS))
        elif run.items.total > 1:
            # A response to a wait contains every item, so a batch is polled without waiting.
            return (yield from watch(sender, run_id, deadline))


def watch(
    sender: Sender,
    run_id: UUID,
    deadline: Deadline,
    on_progress: Callable[[Progress], object] | None = None,
) -> Steps[RunSummary]:
    """Poll a run until it has finished, and return its status.

    `on_progress` is called first, and then whenever the progress has changed.

    Raises:
        RunCancelled: The run was cancelled.
        Timeout: The deadline passed before.
    """
    reported = None
    pause = FIRST_PROGRESS_SECONDS
    while True:
        run = yield from poll(sender, run_id, deadline)
        progress = Progress.of(run.items)
        if on_progress is not None and progress != reported:
            on_progress(progress)
            reported = progress
        if is_finished(run):
            return _not_cancelled(run)
        if deadline.has_passed:
            raise sender.timeout(deadline, run_id)
        yield Sleep(deadline.bound(pause))
        pause = min(2 * pause, PROGRESS_SECONDS)


def wait_for_steps(sender: Sender, run: RunSummary, deadline: Deadline) -> Steps[RunSummary]:
    """Wait until no step of a run that was cancelled is running, and return the run's status.

    Raises:
        Timeout: The deadline passed before.
    """
    # The run counts as cancelled at once, and as completed if its last step completes after all.
    while run.items.running or not is_finished(run):
        if deadline.has_passed:
            raise sender.timeout(deadline, run.run_id)
        yield Sleep(deadline.bound(PROGRESS_SECONDS))
        run = yield from get_status(sender, run.run_id, deadline, RetryOn.WAITING)
    return run


def _not_cancelled(run: RunSummary) -> RunSummary:
    if run.status is ExecutionStatus.CANCELLED:
        raise RunCancelled(
            f"run {run.run_id} was cancelled, so it has no result; run the flow again", run.run_id
        )
    return run
