# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ItemResult`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.execution_status import ExecutionStatus
from stepflow_api.models.flow_result import FlowResult
from stepflow_api.types import Timestamp

__all__ = ["ItemResult"]


class ItemResult(AnswerModel):
    """
    Result for an individual item in a multi-item run.
    """

    item_index: Annotated[int, Field(alias="itemIndex", ge=0)]
    """
    Index of this item in the input array (0-based).
    """
    status: ExecutionStatus
    """
    Execution status of this item.
    """
    result: FlowResult | None = None
    """
    Result of this item, if completed.
    """
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    """
    When this item completed (if completed).
    """
