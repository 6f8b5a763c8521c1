# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `BuiltinPlugin`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["BuiltinPlugin"]


class BuiltinPlugin(SendsConstants, RequestModel):
    """
    The components that are part of the server.
    """

    type: Literal["builtin"] = "builtin"
