# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StoreFlowResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.diagnostics import Diagnostics

__all__ = ["StoreFlowResponse"]


class StoreFlowResponse(AnswerModel):
    """
    Response when a flow is stored
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The ID of the flow (computed from content hash, always present)
    """
    stored: bool
    """
    Whether the flow was actually stored (false for dry_run or if validation has fatal errors)
    """
    diagnostics: Diagnostics
    """
    Validation diagnostics
    """
