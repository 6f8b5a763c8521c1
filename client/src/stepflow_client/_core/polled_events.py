"""The events of a run on a server without events, made from its status and its steps."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from stepflow_api.errors import UnsupportedByServer
from stepflow_api.lowlevel import Sleep, Steps
from stepflow_api.models import RunSummary, StepRunResponse, StepStatus
from stepflow_client._constants import FIRST_PROGRESS_SECONDS, PROGRESS_SECONDS
from stepflow_client._core.results import is_finished
from stepflow_client._core.status import poll
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.sending import Sender
from stepflow_client.events import RunCompleted, RunCreated, RunEvent, StepCompleted, StepStarted

_STARTED = (StepStatus.RUNNING, StepStatus.COMPLETED)
_FINISHED = (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED)


class PolledEvents:
    """Derives events from the changes between polls, numbered from 0 in the order of detection.

    Without `follow`, it polls once.
    """

    def __init__(
        self,
        sender: Sender,
        run_id: UUID,
        since: int,
        deadline: Deadline,
        follow: bool = True,
    ) -> None:
        self._sender = sender
        self._run_id = run_id
        self._since = since
        self._deadline = deadline
        self._follow = follow
        self._new: list[RunEvent] = []
        self._count = 0
        self._started: set[tuple[int, int]] = set()
        self._finished: set[tuple[int, int]] = set()
        self._finished_items: set[int] = set()
        self._pause = FIRST_PROGRESS_SECONDS
        self._is_finished = False
        self._has_polled = False

    def next_events(self) -> Steps[list[RunEvent]]:
        """Wait for the next events; an empty list at the end."""
        while not self._is_finished:
            if self._has_polled:
                if not self._follow:
                    break
                if self._deadline.has_passed:
                    raise self._sender.timeout(self._deadline, self._run_id)
                yield Sleep(self._deadline.bound(self._pause))
                self._pause = min(2 * self._pause, PROGRESS_SECONDS)
            run = yield from poll(self._sender, self._run_id, self._deadline)
            yield from self._observe(run)
            self._has_polled = True
            new, self._new = self._new, []
            if new:
                self._pause = FIRST_PROGRESS_SECONDS
            if events := [event for event in new if event.sequence_number >= self._since]:
                return events
        return []

    def _observe(self, run: RunSummary) -> Steps[None]:
        if not self._has_polled:
            self._add(
                RunCreated(
                    kind="RunCreated",
                    sequence_number=self._count,
                    timestamp=run.created_at,
                    run_id=run.run_id,
                    flow_id=run.flow_id,
                    item_count=run.items.total,
                )
            )
        total = run.items.total
        for item in range(total):
            if item not in self._finished_items:
                call = endpoints.run_steps(self._run_id, item)
                try:
                    answer = yield from self._sender.send(call, deadline=self._deadline)
                except UnsupportedByServer:
                    # 0.9 has the steps of a run of one item only.
                    self._finished_items.update(range(total))
                    break
                self._observe_item(item, list(answer.steps.values()))
        if is_finished(run):
            self._is_finished = True
            self._add(
                RunCompleted(
                    kind="RunCompleted",
                    sequence_number=self._count,
                    timestamp=run.completed_at or _now(),
                    run_id=run.run_id,
                    status=run.status,
                )
            )

    def _observe_item(self, item: int, steps: list[StepRunResponse]) -> None:
        for index, step in enumerate(steps):
            place = (item, index)
            if step.status in _STARTED and place not in self._started:
                self._started.add(place)
                self._add(StepStarted.model_validate(self._document("StepStarted", place, step)))
            if step.status in _FINISHED and place not in self._finished:
                self._finished.add(place)
                document = self._document("StepCompleted", place, step)
                self._add(StepCompleted.model_validate({**document, "status": step.status}))
        if steps and all(step.status in _FINISHED for step in steps):
            self._finished_items.add(item)

    def _document(self, kind: str, place: tuple[int, int], step: StepRunResponse) -> dict[str, Any]:
        item, index = place
        return {
            "kind": kind,
            "sequenceNumber": self._count,
            "timestamp": _now(),
            "runId": self._run_id,
            "itemIndex": item,
            "stepIndex": index,
            "stepId": step.step_id,
        }

    def _add(self, event: RunEvent) -> None:
        self._new.append(event)
        self._count += 1


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
