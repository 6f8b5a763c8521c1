"""Compares two runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

from stepflow_api.lowlevel import Steps
from stepflow_api.models import Flow, FlowResult, StepRunResponse, StepStatus
from stepflow_client._core.core import Core
from stepflow_client._core.records import RunRecord, read_record
from stepflow_client._core.status import poll
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.retry import RetryOn
from stepflow_client.difference import Difference, RunDiff
from stepflow_client.errors import InvalidInput


def compare_runs(
    core: Core, first: UUID, second: UUID, item: int | None, deadline: Deadline
) -> Steps[RunDiff]:
    """Return what differs between two runs.

    With `item`, only the item of this index is compared, and its steps; otherwise all items, and
    steps if each run has one item.
    """
    ours = yield from _read(core, first, item, deadline)
    theirs = yield from _read(core, second, item, deadline)
    differences = [*_of_runs(ours, theirs)]
    for index in sorted({*ours.statuses, *theirs.statuses}):
        differences += _of_items(index, ours, theirs)
    return RunDiff(
        ours.run,
        theirs.run,
        tuple(differences),
        tuple(_not_compared(ours, theirs)),
    )


def _read(core: Core, run_id: UUID, item: int | None, deadline: Deadline) -> Steps[RunRecord]:
    run = yield from poll(core.sender, run_id, deadline, RetryOn.SAFE)
    count = run.items.total
    if item is not None and not (type(item) is int and 0 <= item < count):
        raise InvalidInput(
            f"run {run_id} has no item {item!r}: it has {count} items, numbered from 0"
        )
    items = range(count) if item is None else (item,)
    return (
        yield from read_record(
            core, run, items, deadline, with_steps=count == 1 or item is not None
        )
    )


def _of_runs(ours: RunRecord, theirs: RunRecord) -> Iterator[Difference]:
    first, second = _flow(ours.flow), _flow(theirs.flow)
    if not _is_same(first, second):
        yield Difference("flow", None, None, first, second)
    count, other = ours.run.items.total, theirs.run.items.total
    if count != other:
        yield Difference("items", None, None, count, other)


def _flow(flow: Flow | None) -> Any:
    return None if flow is None else flow.to_dict()


def _of_items(index: int, ours: RunRecord, theirs: RunRecord) -> Iterator[Difference]:
    first, second = ours.statuses.get(index), theirs.statuses.get(index)
    if first != second:
        yield Difference("status", index, None, first and str(first), second and str(second))
    if index in ours.inputs and index in theirs.inputs:
        inputs = ours.inputs[index], theirs.inputs[index]
        if not _is_same(*inputs):
            yield Difference("input", index, None, *inputs)
    yield from _of_steps(index, ours, theirs)
    yield from _of_results(index, None, ours.results.get(index), theirs.results.get(index))


def _of_steps(index: int, ours: RunRecord, theirs: RunRecord) -> Iterator[Difference]:
    first, second = ours.steps.get(index), theirs.steps.get(index)
    if first is None or second is None:
        return
    ids = dict.fromkeys([*_ids(ours), *_ids(theirs), *first, *second])
    for step_id in ids:
        one, other = first.get(step_id), second.get(step_id)
        statuses = _status(one), _status(other)
        if statuses[0] != statuses[1]:
            yield Difference("status", index, step_id, *statuses)
        yield from _of_results(
            index,
            step_id,
            None if one is None else one.result,
            None if other is None else other.result,
        )


def _ids(record: RunRecord) -> list[str]:
    return [step.id for step in (record.flow.steps or [])] if record.flow is not None else []


def _status(step: StepRunResponse | None) -> str | None:
    # Servers from 0.12 on leave out steps that have not run.
    return None if step is None or step.status is StepStatus.BLOCKED else str(step.status)


def _of_results(
    index: int, step: str | None, first: FlowResult | None, second: FlowResult | None
) -> Iterator[Difference]:
    outputs = _output(first), _output(second)
    if not _is_same(*outputs):
        values = [None if not one else one[0] for one in outputs]
        yield Difference("output", index, step, *values)
    errors = _error(first), _error(second)
    if errors[0] != errors[1]:
        yield Difference("error", index, step, *errors)


def _output(result: FlowResult | None) -> list[Any]:
    return [] if result is None or not result.is_success else [result.output]


def _is_same(first: Any, second: Any) -> bool:
    """Whether two JSON values are the same; in Python, true equals 1."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, list) and isinstance(second, list):
        ours: list[Any] = cast("Any", first)
        theirs: list[Any] = cast("Any", second)
        return len(ours) == len(theirs) and all(map(_is_same, ours, theirs))
    if isinstance(first, dict) and isinstance(second, dict):
        members: dict[str, Any] = cast("Any", first)
        others: dict[str, Any] = cast("Any", second)
        return members.keys() == others.keys() and all(
            _is_same(value, others[name]) for name, value in members.items()
        )
    return bool(first == second)


def _error(result: FlowResult | None) -> Any:
    if result is None or result.error is None:
        return None
    # Without backtraces and what else differs from version to version.
    return {"code": result.error.code, "causes": result.error.causes}


def _not_compared(ours: RunRecord, theirs: RunRecord) -> Iterator[str]:
    runs = (ours.run, theirs.run)
    if not (ours.inputs and theirs.inputs) and all(run.items.total for run in runs):
        yield "inputs of runs, which servers of 0.9, and from 0.12 on, do not report"
    if ours.steps and theirs.steps:
        ended = [
            one
            for record in (ours, theirs)
            for steps in record.steps.values()
            for one in steps.values()
            if one.status is StepStatus.COMPLETED
        ]
        if ended and not any(one.result for one in ended):
            yield "outputs of steps, which servers of 0.10 and 0.11 do not report"
    elif any(run.items.total > 1 for run in runs):
        yield "steps, which are compared for one item at a time"
