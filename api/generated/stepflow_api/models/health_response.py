# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `HealthResponse`."""

from __future__ import annotations

from stepflow_api.base import AnswerModel

__all__ = ["HealthResponse"]


class HealthResponse(AnswerModel):
    """
    Health check response
    """

    status: str
    """
    Service status
    """
    timestamp: str
    """
    Timestamp when health was checked (RFC3339 format)
    """
    version: str
    """
    Service version
    """
