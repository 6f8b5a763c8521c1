"""Reads the timeline of a run: from its events, or from its details on servers without events."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter

from stepflow_api.lowlevel import Steps
from stepflow_api.models import ExecutionStatus, HealthResponse, ItemDetails, RunSummary, StepStatus
from stepflow_api.types import Response
from stepflow_client._core.events import RunEvents
from stepflow_client._core.json_array import read_blocks
from stepflow_client._core.results import Items, Source, is_finished
from stepflow_client._core.status import poll
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.retry import RetryOn
from stepflow_client._requests.sending import Sender
from stepflow_client.errors import InvalidInput, Unsupported
from stepflow_client.events import (
    ItemCompleted,
    RunEvent,
    StepCompleted,
    StepsNeeded,
    StepStarted,
)
from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep, select_items

# Built on first use.
_DETAILS = TypeAdapter(list[ItemDetails], config=ConfigDict(defer_build=True))


def read_timeline(sender: Sender, run_id: UUID, limit: int, deadline: Deadline) -> Steps[Timeline]:
    """Return the timeline of a run as it is now, with at most `limit` items.

    Raises:
        InvalidInput: The limit is not a number of items.
    """
    if type(limit) is not int or limit < 1:
        raise InvalidInput(f"items is {limit!r}; pass the maximum number of items, 1 or more")
    run = yield from poll(sender, run_id, deadline, RetryOn.SAFE)
    try:
        journal = yield from _read_journal(sender, run, deadline)
    except Unsupported:
        return (yield from _without_events(sender, run, limit, deadline))
    if not is_finished(run):
        # It may have finished since.
        run = yield from poll(sender, run_id, deadline, RetryOn.SAFE)
    return (yield from _with_events(sender, run, journal, limit, deadline))


@dataclass(slots=True)
class _Times:
    """Times and status of a step or an item, from its events."""

    started_at: datetime | None = None
    completed_at: datetime | None = None
    status: StepStatus = StepStatus.BLOCKED
    attempts: int = 0
    steps: dict[str, _Times] = field(default_factory=lambda: {})


class _Journal:
    """Collects the events of a run, repeated ones too."""

    def __init__(self, run_id: UUID) -> None:
        self._run_id = run_id
        self.items: dict[int, _Times] = {}

    def add(self, event: RunEvent) -> None:
        """Add an event."""
        # A sub-run's events are in the journal of the run that created it.
        if getattr(event, "run_id", None) != self._run_id:
            return
        match event:
            case StepsNeeded():
                for step_id in event.step_ids:
                    self._step(event.item_index, step_id)
            case StepStarted(step_id=str(step_id)):
                step = self._step(event.item_index, step_id)
                step.started_at = step.started_at or event.timestamp
                step.attempts = max(step.attempts, event.attempt or 1)
                # Another attempt; or the event of a server that was restarted.
                step.completed_at = None
                step.status = StepStatus.RUNNING
                item = self.items[event.item_index]
                item.started_at = item.started_at or event.timestamp
            case StepCompleted(step_id=str(step_id)):
                step = self._step(event.item_index, step_id)
                step.completed_at = event.timestamp
                step.status = event.status
                self.items[event.item_index].completed_at = event.timestamp
            case ItemCompleted():
                self._item(event.item_index).completed_at = event.timestamp
            case _:
                pass

    def _item(self, index: int) -> _Times:
        return self.items.setdefault(index, _Times())

    def _step(self, item_index: int, step_id: str) -> _Times:
        return self._item(item_index).steps.setdefault(step_id, _Times())


def _read_journal(sender: Sender, run: RunSummary, deadline: Deadline) -> Steps[_Journal]:
    until: datetime | None = None
    if not is_finished(run):
        # By the server's clock: later events of a busy run would never end.
        health: HealthResponse = yield from sender.send(endpoints.health(), deadline=deadline)
        until = datetime.fromisoformat(health.timestamp)
    journal = _Journal(run.run_id)
    events = RunEvents(sender, run.run_id, 0, deadline, follow=False, polls=False)
    try:
        while found := (yield from events.next_events()):
            for event in found:
                journal.add(event)
            if until is not None and found[-1].timestamp > until:
                break
    finally:
        yield from events.close()
    return journal


def _with_events(
    sender: Sender,
    run: RunSummary,
    journal: _Journal,
    limit: int,
    deadline: Deadline,
) -> Steps[Timeline]:
    statuses: dict[int, ExecutionStatus] = {0: run.status}
    if run.items.total != 1:
        statuses = {item.index: item.status for item in (yield from _items(sender, run, deadline))}
    known = [
        (index, status, journal.items.get(index, _Times())) for index, status in statuses.items()
    ]
    chosen, omitted_failed = select_items(
        [(index, status is ExecutionStatus.FAILED, _length(one)) for index, status, one in known],
        limit,
    )
    by_index = {index: (status, one) for index, status, one in known}
    items = [_item(index, *by_index[index]) for index in chosen]
    return Timeline(run, tuple(items), len(known) - len(items), omitted_failed, True)


def _length(one: _Times) -> float:
    if one.started_at is None:
        return 0.0
    # What is still running takes longest.
    end = one.completed_at
    return math.inf if end is None else (end - one.started_at).total_seconds()


def _item(index: int, status: ExecutionStatus, times: _Times) -> TimelineItem:
    steps = [
        TimelineStep(step_id, one.status, one.started_at, one.completed_at, one.attempts)
        for step_id, one in times.steps.items()
    ]
    # Those that have not started come last.
    steps.sort(key=lambda step: step.started_at.timestamp() if step.started_at else math.inf)
    end = times.completed_at if status is not ExecutionStatus.RUNNING else None
    return TimelineItem(index, status, times.started_at, end, tuple(steps))


def _items(sender: Sender, run: RunSummary, deadline: Deadline) -> Steps[list[TimelineItem]]:
    """Return all items without steps, from GET /runs/{run_id}/items."""
    call = endpoints.run_items(run.run_id)
    answer: Response[list[bytes]] = yield from sender.send(call, deadline=deadline)
    source = Source(sender.url + call.request.path, answer.status_code)
    items = Items(run.run_id, answer.parsed or (), source)
    return [
        TimelineItem(item.item_index, item.status, None, item.completed_at, ()) for item in items
    ]


def _without_events(
    sender: Sender, run: RunSummary, limit: int, deadline: Deadline
) -> Steps[Timeline]:
    # 0.9 has no details; and while a run is running, they have no steps.
    if run.items.total == 1:
        details = yield from _items(sender, run, deadline)
    else:
        found = yield from read_details(sender, run.run_id, deadline)
        details = [_item_of(one) for one in found] or (yield from _items(sender, run, deadline))
    start = run.created_at
    chosen, omitted_failed = select_items(
        [
            (
                item.index,
                item.status is ExecutionStatus.FAILED,
                # None of them has a start; those that finished last have taken or waited longest.
                (item.completed_at - start).total_seconds() if item.completed_at else math.inf,
            )
            for item in details
        ],
        limit,
    )
    by_index = {item.index: item for item in details}
    items = [by_index[index] for index in chosen]
    if run.items.total == 1:
        items = [(yield from _with_steps(sender, run.run_id, items[0], deadline))]
    return Timeline(run, tuple(items), len(details) - len(items), omitted_failed, False)


def _with_steps(
    sender: Sender, run_id: UUID, item: TimelineItem, deadline: Deadline
) -> Steps[TimelineItem]:
    answer = yield from sender.send(endpoints.run_steps(run_id, None), deadline=deadline)
    steps = [TimelineStep(step.step_id, step.status) for step in answer.steps.values()]
    return TimelineItem(item.index, item.status, None, item.completed_at, tuple(steps))


def read_details(sender: Sender, run_id: UUID, deadline: Deadline) -> Steps[list[ItemDetails]]:
    """Return the items of a run with inputs and statuses of steps; none on 0.9, or from 0.12 on."""
    call = endpoints.run_details(run_id, None)
    answer: Response[list[bytes]] = yield from sender.send(call, deadline=deadline)
    others: dict[str, Any] = {}
    try:
        blocks = read_blocks(
            answer.parsed or (),
            "itemDetails",
            others,
            _DETAILS.validate_json,
            ItemDetails.model_validate,
        )
        return [one for block in blocks for one in block]
    except ValueError as error:
        source = Source(sender.url + call.request.path, answer.status_code)
        raise source.invalid(error) from error


def _item_of(one: ItemDetails) -> TimelineItem:
    steps = tuple(TimelineStep(step.step_id, step.status) for step in one.steps)
    return TimelineItem(one.item_index, one.status, None, one.completed_at, steps)
