# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ListRunsResponse`."""

from __future__ import annotations

from stepflow_api.base import AnswerModel
from stepflow_api.models.run_summary import RunSummary

__all__ = ["ListRunsResponse"]


class ListRunsResponse(AnswerModel):
    """
    Response for listing runs
    """

    runs: list[RunSummary]
    """
    List of run summaries
    """
