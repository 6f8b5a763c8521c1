# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedCreateRunResponse`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.execution_status import ExecutionStatus
from stepflow_api.models.item_result import ItemResult
from stepflow_api.models.item_statistics import ItemStatistics
from stepflow_api.types import Timestamp

__all__ = ["GeneratedCreateRunResponse"]


class GeneratedCreateRunResponse(AnswerModel):
    """
    Response for create run operations.

    Shares the same base fields as `RunDetails` (GET /runs/{id}) via `RunSummary`,
    with optional item results when `wait=true`.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    A SHA-256 hash of the blob content, represented as a hexadecimal string.
    """
    flow_name: Annotated[str | None, Field(alias="flowName")] = None
    status: ExecutionStatus
    items: Annotated[ItemStatistics, Field(validate_default=True)] = Field(
        default={"total": 0, "completed": 0, "running": 0, "failed": 0, "cancelled": 0},
        validate_default=True,
    )
    """
    Statistics about items in this run.
    """
    created_at: Annotated[Timestamp, Field(alias="createdAt")]
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    root_run_id: Annotated[UUID, Field(alias="rootRunId")]
    """
    Root run ID for this execution tree.

    For top-level runs, this equals `run_id`.
    For sub-flows, this is the original run that started the tree.
    """
    parent_run_id: Annotated[UUID | None, Field(alias="parentRunId")] = None
    """
    Parent run ID if this is a sub-flow.

    None for top-level runs, Some(parent_id) for sub-flows.
    """
    orchestrator_id: Annotated[str | None, Field(alias="orchestratorId")] = None
    """
    The orchestrator currently managing this run.

    None means the run is orphaned (no orchestrator owns it).
    Set when the run is created and updated during recovery.
    """
    created_at_seqno: Annotated[int, Field(alias="createdAtSeqno", ge=0)]
    """
    Journal sequence number of the event that created this run.

    Records where in the journal this run was created, enabling efficient
    metadata queries during recovery (filter by offset range).
    """
    finished_at_seqno: Annotated[int | None, Field(alias="finishedAtSeqno", ge=0)] = None
    """
    Journal sequence number of the RunCompleted event for this run.

    Set when the run reaches a terminal state. `None` means the run is
    still in progress (or completed before this field was added).
    """
    results: list[ItemResult] | None = None
    """
    Item results, only populated when `wait=true` and the run has completed.
    Each entry contains the item's index, status, and result.
    """
