# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StoreFlowRequest`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel
from stepflow_api.models.flow import Flow

__all__ = ["StoreFlowRequest"]


class StoreFlowRequest(RequestModel):
    """
    Request to store a flow
    """

    flow: Flow
    """
    The flow to store
    """
    dry_run: Annotated[bool, Field(alias="dryRun")] = False
    """
    If true, only validate the flow without storing it
    """
