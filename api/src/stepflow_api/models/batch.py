"""Models of the batch operations, which the server knows as runs with several items."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from stepflow_api.base import AnswerModel, RequestModel
from stepflow_api.models._any_overrides import AnyOverrides
from stepflow_api.models.execution_status import ExecutionStatus
from stepflow_api.models.item_statistics import ItemStatistics
from stepflow_api.types import Timestamp

__all__ = [
    "BatchDetails",
    "BatchMetadata",
    "BatchRunInfo",
    "CancelBatchResponse",
    "CreateBatchRequest",
    "CreateBatchResponse",
    "ListBatchRunsResponse",
    "ListBatchesResponse",
]


class CreateBatchRequest(RequestModel):
    """Request to run a flow once for each input.

    Attributes:
        flow_id: The flow to run.
        inputs: One input, any JSON value, for each run.
        overrides: Changes to steps, for all runs: a model, `{"steps": {...}}`, or a map by id.
        variables: Values of the flow's variables, for all runs.
        max_concurrency: Maximum number of inputs run at once, at least 1.
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    inputs: list[Any]
    overrides: AnyOverrides = None
    variables: dict[str, Any] | None = None
    max_concurrency: Annotated[int | None, Field(alias="maxConcurrency", ge=1)] = None


class CreateBatchResponse(AnswerModel):
    """A batch that was created.

    Attributes:
        batch_id: Id of the batch, which is the id of its run.
        total_inputs: How many inputs it has.
        status: Status of the batch.
    """

    batch_id: Annotated[UUID, Field(alias="batchId")]
    total_inputs: Annotated[int, Field(alias="totalInputs", ge=0)]
    status: ExecutionStatus


class BatchMetadata(CreateBatchResponse):
    """A batch in a list.

    Attributes:
        batch_id: Id of the batch, which is the id of its run.
        total_inputs: How many inputs it has.
        status: Status of the batch.
        flow_id: The flow.
        flow_name: The flow's name, if it has one.
        created_at: When it was created.
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    flow_name: Annotated[str | None, Field(alias="flowName")] = None
    created_at: Annotated[Timestamp, Field(alias="createdAt")]


class BatchDetails(BatchMetadata):
    """A batch with its progress.

    Attributes:
        batch_id: Id of the batch, which is the id of its run.
        total_inputs: How many inputs it has.
        status: Status of the batch.
        flow_id: The flow.
        flow_name: The flow's name, if it has one.
        created_at: When it was created.
        completed_at: When it ended; None while it runs.
        statistics: How many inputs are completed, running, failed and cancelled.
    """

    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    statistics: ItemStatistics


class ListBatchesResponse(AnswerModel):
    """Batches, newest first.

    Attributes:
        batches: Runs of other than one item.
    """

    batches: list[BatchMetadata]


class BatchRunInfo(AnswerModel):
    """The run of one input of a batch.

    Attributes:
        batch_input_index: Place of the input in the batch, from 0.
        run_id: Id of the run, which is the batch's own.
        status: Status for this input.
        completed_at: When it ended; None while it runs.
    """

    batch_input_index: Annotated[int, Field(alias="batchInputIndex", ge=0)]
    run_id: Annotated[UUID, Field(alias="runId")]
    status: ExecutionStatus
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None


class ListBatchRunsResponse(AnswerModel):
    """The runs of a batch.

    Attributes:
        runs: One for each input, in the order of the inputs.
    """

    runs: list[BatchRunInfo]


class CancelBatchResponse(AnswerModel):
    """A batch that was cancelled.

    Attributes:
        batch_id: Id of the batch.
        status: Status of the batch.
    """

    batch_id: Annotated[UUID, Field(alias="batchId")]
    status: ExecutionStatus
