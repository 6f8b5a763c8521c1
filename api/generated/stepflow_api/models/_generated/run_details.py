# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedRunDetails`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.execution_status import ExecutionStatus
from stepflow_api.models.item_details import ItemDetails
from stepflow_api.models.item_result import ItemResult
from stepflow_api.models.item_statistics import ItemStatistics
from stepflow_api.models.workflow_overrides import WorkflowOverrides
from stepflow_api.types import Timestamp

__all__ = ["GeneratedRunDetails"]


class GeneratedRunDetails(AnswerModel):
    """
    Detailed flow run information including item details.

    For completed runs, `item_details` contains per-item information including
    inputs and step statuses. For active runs, `item_details` may be `None`
    (query the owning orchestrator for live status).
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
    item_details: Annotated[list[ItemDetails] | None, Field(alias="itemDetails")] = None
    """
    Item details with inputs and step statuses.
    - `None`: details not requested, or run is active (query executor)
    - `Some`: item-level details available
    """
    overrides: WorkflowOverrides | None = None
    """
    Optional workflow overrides applied to this run (per-run, not per-item).
    """
    results: list[ItemResult] | None = None
    """
    Results by item; None where the server sends none: ask `get_run_items` then.
    """
