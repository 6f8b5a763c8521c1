# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ListStepRunsResponse`."""

from __future__ import annotations

from stepflow_api.base import AnswerModel
from stepflow_api.models.step_run_response import StepRunResponse

__all__ = ["ListStepRunsResponse"]


class ListStepRunsResponse(AnswerModel):
    """
    Response for listing step runs
    """

    steps: dict[str, StepRunResponse]
    """
    Dictionary of step run results keyed by step ID
    """
