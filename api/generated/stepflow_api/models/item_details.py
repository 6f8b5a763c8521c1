# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ItemDetails`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.execution_status import ExecutionStatus
from stepflow_api.models.step_status_info import StepStatusInfo
from stepflow_api.types import Timestamp

__all__ = ["ItemDetails"]


class ItemDetails(AnswerModel):
    """
    Detailed information for a single item in a run.

    Includes the item's input, execution status, and step-level details.
    """

    item_index: Annotated[int, Field(alias="itemIndex", ge=0)]
    """
    Index of this item in the input array (0-based).
    """
    input: Any
    """
    Input value for this item.
    """
    status: ExecutionStatus
    """
    Execution status of this item.
    """
    steps: list[StepStatusInfo]
    """
    Step statuses for this item.
    """
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    """
    When this item completed (if completed).
    """
