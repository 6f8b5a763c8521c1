# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedFlowResultSuccess`."""

from __future__ import annotations

from typing import Any, Literal

from stepflow_api.base import Model, SendsConstants

__all__ = ["GeneratedFlowResultSuccess"]


class GeneratedFlowResultSuccess(SendsConstants, Model):
    """
    The step execution was successful.
    """

    outcome: Literal["success"] = "success"
    result: Any
    """
    Any JSON value (object, array, string, number, boolean, or null)
    """
