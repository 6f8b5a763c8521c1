# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `NoLeaseManager`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["NoLeaseManager"]


class NoLeaseManager(SendsConstants, RequestModel):
    """
    For one server alone.
    """

    type: Literal["noOp"] = "noOp"
