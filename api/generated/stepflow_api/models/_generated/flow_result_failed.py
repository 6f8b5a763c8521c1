# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedFlowResultFailed`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import Model, SendsConstants
from stepflow_api.models.flow_error import FlowError

__all__ = ["GeneratedFlowResultFailed"]


class GeneratedFlowResultFailed(SendsConstants, Model):
    """
    The step failed with the given error.
    """

    outcome: Literal["failed"] = "failed"
    error: FlowError
