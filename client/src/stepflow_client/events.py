"""What happens in a run, as `RunHandle.events` gives it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from stepflow_api._base import AnswerModel
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
    """Something that happened in a run; each kind is a class of its own.

    Attributes:
        sequence_number: Where it stands in the server's journal. It never goes down; several events
            may have the same one, and some have none between them.
        timestamp: When it happened.
        kind: The name of its kind, as of its class.
    """

    sequence_number: Annotated[int, Field(alias="sequenceNumber")]
    timestamp: Timestamp
    kind: str


class RunCreated(RunEvent):
    """The run was created.

    Attributes:
        run_id: Id of the run.
        flow_id: Id of the flow that it runs.
        item_count: Number of its items.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    item_count: Annotated[int, Field(alias="itemCount")]


class SubRunCreated(RunEvent):
    """The run was created by another one: its own first event, in the place of `RunCreated`.

    Attributes:
        run_id: Id of the run.
        parent_run_id: Id of the run that created it.
        flow_id: Id of the flow that it runs.
        item_count: Number of its items.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    parent_run_id: Annotated[UUID, Field(alias="parentRunId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    item_count: Annotated[int, Field(alias="itemCount")]


class StepsNeeded(RunEvent):
    """It was found which steps an item needs.

    Attributes:
        run_id: Id of the run.
        item_index: The item, from 0.
        step_ids: Ids of the steps.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    item_index: Annotated[int, Field(alias="itemIndex")]
    step_ids: Annotated[list[str], Field(alias="stepIds")]


class StepEvent(RunEvent):
    """Something that happened to a step of an item.

    Attributes:
        run_id: Id of the run.
        item_index: The item, from 0.
        step_index: The step's place in the flow, from 0.
        step_id: Id of the step.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    item_index: Annotated[int, Field(alias="itemIndex")]
    step_index: Annotated[int, Field(alias="stepIndex")]
    step_id: Annotated[str | None, Field(alias="stepId")] = None


class StepReady(StepEvent):
    """All that a step needs is there."""


class StepStarted(StepEvent):
    """A step is being worked on.

    Attributes:
        attempt: Which try it is, from 1; None on a server up to 0.11, which does not tell.
    """

    attempt: int | None = None


class StepCompleted(StepEvent):
    """A step has ended, in success or failure.

    Attributes:
        status: How.
    """

    status: StepStatus


class ItemCompleted(RunEvent):
    """An item has ended.

    Attributes:
        run_id: Id of the run.
        item_index: The item, from 0.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    item_index: Annotated[int, Field(alias="itemIndex")]


class RunCompleted(RunEvent):
    """The run has ended: its last event.

    Attributes:
        run_id: Id of the run.
        status: How.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    status: ExecutionStatus


class OtherEvent(RunEvent):
    """An event of a kind that a newer server has.

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
        return cls.model_validate(document)
    data = {name: value for name, value in document.items() if name not in _ON_ALL}
    return OtherEvent.model_validate({**{name: document[name] for name in _ON_ALL}, "data": data})
