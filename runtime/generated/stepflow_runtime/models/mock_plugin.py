# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `MockPlugin`."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict
from stepflow_api.base import FreeKeys, RequestModel, SendsConstants

__all__ = ["MockPlugin"]


class MockPlugin(SendsConstants, FreeKeys, RequestModel):
    """
    Components with fixed results, for tests of the server.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["mock"] = "mock"
