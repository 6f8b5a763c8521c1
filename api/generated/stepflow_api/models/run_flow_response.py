# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `RunFlowResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.flow import Flow

__all__ = ["RunFlowResponse"]


class RunFlowResponse(AnswerModel):
    """
    Response containing a flow definition and its hash for run endpoints
    """

    flow: Flow
    """
    The flow definition
    """
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow hash
    """
