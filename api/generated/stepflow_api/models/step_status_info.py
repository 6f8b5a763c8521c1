# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StepStatusInfo`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.step_status import StepStatus

__all__ = ["StepStatusInfo"]


class StepStatusInfo(AnswerModel):
    """
    Status information for a single step execution.
    """

    step_id: Annotated[str, Field(alias="stepId")]
    """
    Step name/identifier.
    """
    status: StepStatus
    """
    Current status of the step.
    """
