# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StepRunResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.flow_result import FlowResult
from stepflow_api.models.step_status import StepStatus

__all__ = ["StepRunResponse"]


class StepRunResponse(AnswerModel):
    """
    Response for step run details
    """

    step_id: Annotated[str, Field(alias="stepId")]
    """
    Step ID (the stable identifier for this step in the workflow)
    """
    component: str | None = None
    """
    Component name/URL that this step executes
    """
    status: StepStatus
    """
    Current status of the step
    """
    result: FlowResult | None = None
    """
    The result of the step execution (if completed)
    """
