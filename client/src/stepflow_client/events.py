"""Events of a run, as `RunHandle.events` yields them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from stepflow_api.base import AnswerModel
from stepflow_api.models import ExecutionStatus, StepStatus
from stepflow_api.types import Timestamp

__all__ = [
    "ItemCompleted",
    "OtherEvent",
    "RunCompleted",
    "RunCreated",
    "RunEvent",
    "StepCompleted",
    "StepEvent",
    "StepReady",
    "StepStarted",
    "StepsNeeded",
    "SubRunCreated",
]


class RunEvent(AnswerModel):
    """An event of a run; each kind has a class of its own.

    Attributes:
        sequence_number: Position in the server's journal. It never decreases; several events may
            have the same number, and numbers may be skipped.
        timestamp: When it happened.
        kind: Name of its kind, the same as of its class.
    """

    sequence_number: Annotated[int, Field(alias="sequenceNumber")]
    timestamp: Timestamp
    kind: str


class RunCreated(RunEvent):
    """The run was created.

    Attributes:
        run_id: Id of the run.
        flow_id: Id of its flow.
        item_count: Number of its items.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    item_count: Annotated[int, Field(alias="itemCount")]


class SubRunCreated(RunEvent):
    """The run was created by another run: its first event, instead of `RunCreated`.

    Attributes:
        run_id: Id of the run.
        parent_run_id: Id of the run that created it.
        flow_id: Id of its flow.
        item_count: Number of its items.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    parent_run_id: Annotated[UUID, Field(alias="parentRunId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    item_count: Annotated[int, Field(alias="itemCount")]


class StepsNeeded(RunEvent):
    """The steps that an item needs were determined.

    Attributes:
        run_id: Id of the run.
        item_index: Index of the item, from 0.
        step_ids: Ids of the steps.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    item_index: Annotated[int, Field(alias="itemIndex")]
    step_ids: Annotated[list[str], Field(alias="stepIds")]


class StepEvent(RunEvent):
    """An event of a step of an item.

    Attributes:
        run_id: Id of the run.
        item_index: Index of the item, from 0.
        step_index: Index of the step in the flow, from 0.
        step_id: Id of the step.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    item_index: Annotated[int, Field(alias="itemIndex")]
    step_index: Annotated[int, Field(alias="stepIndex")]
    step_id: Annotated[str | None, Field(alias="stepId")] = None


class StepReady(StepEvent):
    """The inputs of a step are complete."""


class StepStarted(StepEvent):
    """A step has started.

    Attributes:
        attempt: Number of the attempt, from 1; None on servers up to 0.11.
    """

    attempt: int | None = None


class StepCompleted(StepEvent):
    """A step has finished.

    Attributes:
        status: Its final status.
    """

    status: StepStatus


class ItemCompleted(RunEvent):
    """An item has finished.

    Attributes:
        run_id: Id of the run.
        item_index: Index of the item, from 0.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    item_index: Annotated[int, Field(alias="itemIndex")]


class RunCompleted(RunEvent):
    """The run has finished: its last event.

    Attributes:
        run_id: Id of the run.
        status: Its final status.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    status: ExecutionStatus


class OtherEvent(RunEvent):
    """An event of a kind that only newer servers have.

    Attributes:
        data: Its other fields, under the server's names.
    """

    data: dict[str, Any]


_KINDS: dict[str, type[RunEvent]] = {
    cls.__name__: cls
    for cls in (
        RunCreated,
        SubRunCreated,
        StepsNeeded,
        StepReady,
        StepStarted,
        StepCompleted,
        ItemCompleted,
        RunCompleted,
    )
}
_ON_ALL = ("sequenceNumber", "timestamp", "kind")


def parse_event(document: dict[str, Any]) -> RunEvent:
    """Return the event in a JSON document.

    Raises:
        ValueError: It is not an event.
    """
    cls = _KINDS.get(document["kind"])
    if cls is not None:
        return cls.from_dict(document)
    data = {name: value for name, value in document.items() if name not in _ON_ALL}
    return OtherEvent.model_validate({**{name: document[name] for name in _ON_ALL}, "data": data})
