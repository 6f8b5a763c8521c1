# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedFlowError`."""

from __future__ import annotations

from typing import Any

from stepflow_api.base import Model

__all__ = ["GeneratedFlowError"]


class GeneratedFlowError(Model):
    """
    An error reported from within a flow or step.
    """

    code: int
    message: str
    data: Any | None = None
    """
    Any JSON value (object, array, string, number, boolean, or null)
    """
