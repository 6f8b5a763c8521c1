"""Reads what is known of a run: its timeline, its flow, and inputs, outputs and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stepflow_api.errors import UnsupportedByServer
from stepflow_api.lowlevel import Steps
from stepflow_api.models import Flow, FlowResult, StepRunResponse
from stepflow_client._core.core import Core
from stepflow_client._core.timelines import read_details, read_timeline
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client.errors import NotFound
from stepflow_client.timeline import Timeline


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is known of a run.

    Attributes:
        timeline: Its timeline, whose items are those of the record.
        flow: Its flow; None if the server has lost it.
        inputs: The inputs of items, by index; servers from 0.12 on, and 0.9, do not report them.
        results: The results of items that have finished, by index.
        steps: The steps of items, by index and id; 0.10 and 0.11 do not report their results.
    """

    timeline: Timeline
    flow: Flow | None
    inputs: Mapping[int, Any]
    results: Mapping[int, FlowResult]
    steps: Mapping[int, Mapping[str, StepRunResponse]]


def read_record(
    core: Core, run_id: UUID, limit: int, deadline: Deadline, item: int | None = None
) -> Steps[RunRecord]:
    """Return what is known of a run as it is now.

    Args:
        core: The operations of the client.
        run_id: Id of the run.
        limit: Maximum number of items.
        deadline: The caller's.
        item: Index of the only item to read, in place of the failed and the slowest.
    """
    timeline = yield from read_timeline(core.sender, run_id, limit, deadline, item)
    try:
        flow = yield from core.flows.get(timeline.run.flow_id, deadline)
    except NotFound:
        flow = None
    chosen = {one.index for one in timeline.items}
    results: dict[int, FlowResult] = {}
    for one in (yield from core.runs.items(run_id, deadline)):
        if one.item_index in chosen and one.result is not None:
            results[one.item_index] = one.result
    inputs: dict[int, Any] = {}
    if not timeline.has_step_times:
        for detail in (yield from read_details(core.sender, run_id, deadline)):
            if detail.item_index in chosen:
                inputs[detail.item_index] = detail.input
    steps: dict[int, Mapping[str, StepRunResponse]] = {}
    for index in sorted(chosen):
        call = endpoints.run_steps(run_id, index if timeline.run.items.total > 1 else None)
        try:
            answer = yield from core.sender.send(call, deadline=deadline)
        except UnsupportedByServer:
            break
        steps[index] = answer.steps
    return RunRecord(timeline, flow, inputs, results, steps)
