"""Reads the flow, statuses, inputs, outputs and errors of a run."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from stepflow_api.errors import UnsupportedByServer
from stepflow_api.lowlevel import Steps
from stepflow_api.models import ExecutionStatus, Flow, FlowResult, RunSummary, StepRunResponse
from stepflow_client._core.core import Core
from stepflow_client._core.timelines import read_details
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client.errors import NotFound


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The data of a run.

    Attributes:
        run: Its status, times and numbers of items.
        flow: Its flow; None if the server has lost it.
        statuses: The statuses of items, by index.
        inputs: The inputs of items, by index; servers from 0.12 on, and 0.9, do not report them.
        results: The results of items that have finished, by index.
        steps: The steps of items, by index and id; 0.10 and 0.11 do not report their results.
    """

    run: RunSummary
    flow: Flow | None
    statuses: Mapping[int, ExecutionStatus]
    inputs: Mapping[int, Any]
    results: Mapping[int, FlowResult]
    steps: Mapping[int, Mapping[str, StepRunResponse]]


def read_record(
    core: Core,
    run: RunSummary,
    items: Container[int],
    deadline: Deadline,
    *,
    with_steps: bool,
) -> Steps[RunRecord]:
    """Return the data of a run and of the items with these indexes.

    `with_steps` takes a request for each item.
    """
    try:
        flow = yield from core.flows.get(run.flow_id, deadline)
    except NotFound:
        flow = None
    statuses: dict[int, ExecutionStatus] = {}
    results: dict[int, FlowResult] = {}
    for one in (yield from core.runs.items(run.run_id, deadline)):
        if one.item_index in items:
            statuses[one.item_index] = one.status
            if one.result is not None:
                results[one.item_index] = one.result
    details = yield from read_details(core.sender, run.run_id, deadline)
    inputs = {one.item_index: one.input for one in details}
    steps: dict[int, Mapping[str, StepRunResponse]] = {}
    for index in statuses if with_steps else ():
        call = endpoints.run_steps(run.run_id, index)
        try:
            answer = yield from core.sender.send(call, deadline=deadline)
        except UnsupportedByServer:
            # 0.9 has the steps of a run of one item only.
            break
        steps[index] = answer.steps
    return RunRecord(run, flow, statuses, inputs, results, steps)
