"""The events of a run on a server that tells none: what can be seen of it from time to time."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from stepflow_api.errors import UnsupportedByServer
from stepflow_api.models import RunSummary, StepRunResponse, StepStatus
from stepflow_client._constants import FIRST_PROGRESS_SECONDS, PROGRESS_SECONDS
from stepflow_client._core.results import has_ended
from stepflow_client._requests.effects import Deadline, Sleep, Steps
from stepflow_client.events import RunCompleted, RunCreated, RunEvent, StepCompleted, StepStarted

if TYPE_CHECKING:
    from stepflow_client._core.runs import RunCore
    from stepflow_client._requests.sending import Sender

_STARTED = (StepStatus.RUNNING, StepStatus.COMPLETED)
_ENDED = (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED)


class PolledEvents:
    """Makes events of what is seen of a run, numbered from 0 in the order in which it is seen.

    Args:
        core: Asks for the run.
        sender: Makes the error for a deadline.
        run_id: Id of the run.
        since: The first number to give.
        deadline: The caller's.
    """

    def __init__(
        self, core: RunCore, sender: Sender, run_id: UUID, since: int, deadline: Deadline
    ) -> None:
        self._core = core
        self._sender = sender
        self._run_id = run_id
        self._since = since
        self._deadline = deadline
        self._seen: list[RunEvent] = []
        self._count = 0
        self._started: set[tuple[int, int]] = set()
        self._ended: set[tuple[int, int]] = set()
        self._complete: set[int] = set()
        self._pause = FIRST_PROGRESS_SECONDS
        self._is_done = False
        self._has_looked = False

    def more(self) -> Steps[list[RunEvent]]:
        """Waits for the next events; there are none at the end."""
        while not self._is_done:
            if self._has_looked:
                if self._deadline.has_passed:
                    raise self._sender.timeout(self._deadline, self._run_id)
                yield Sleep(self._deadline.bound(self._pause))
                self._pause = min(2 * self._pause, PROGRESS_SECONDS)
            run = yield from self._core.look(self._run_id, self._deadline)
            yield from self._look(run)
            self._has_looked = True
            seen, self._seen = self._seen, []
            if seen:
                self._pause = FIRST_PROGRESS_SECONDS
            if events := [event for event in seen if event.sequence_number >= self._since]:
                return events
        return []

    def _look(self, run: RunSummary) -> Steps[None]:
        if not self._has_looked:
            self._see(
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
            if item not in self._complete:
                try:
                    steps = yield from self._core.steps(
                        self._run_id, item if total > 1 else None, self._deadline
                    )
                except UnsupportedByServer:
                    # 0.9 has the steps of a run of one item alone.
                    self._complete.update(range(total))
                    break
                self._look_at_item(item, list(steps.values()))
        if has_ended(run):
            self._is_done = True
            self._see(
                RunCompleted(
                    kind="RunCompleted",
                    sequence_number=self._count,
                    timestamp=run.completed_at or _now(),
                    run_id=run.run_id,
                    status=run.status,
                )
            )

    def _look_at_item(self, item: int, steps: list[StepRunResponse]) -> None:
        for index, step in enumerate(steps):
            place = (item, index)
            if step.status in _STARTED and place not in self._started:
                self._started.add(place)
                self._see(StepStarted.model_validate(self._of_step("StepStarted", place, step)))
            if step.status in _ENDED and place not in self._ended:
                self._ended.add(place)
                document = self._of_step("StepCompleted", place, step)
                self._see(StepCompleted.model_validate({**document, "status": step.status}))
        if steps and all(step.status in _ENDED for step in steps):
            self._complete.add(item)

    def _of_step(self, kind: str, place: tuple[int, int], step: StepRunResponse) -> dict[str, Any]:
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

    def _see(self, event: RunEvent) -> None:
        self._seen.append(event)
        self._count += 1


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
