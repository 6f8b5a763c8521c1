# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedOtherFlowResult`."""

from __future__ import annotations

from pydantic import ConfigDict
from stepflow_api.base import FreeKeys, Model

__all__ = ["GeneratedOtherFlowResult"]


class GeneratedOtherFlowResult(FreeKeys, Model):
    """
    `FlowResult` with an unknown `outcome`; its other fields are kept.
    """

    model_config = ConfigDict(extra="allow")

    outcome: str
