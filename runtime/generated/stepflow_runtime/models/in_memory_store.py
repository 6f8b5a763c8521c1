# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `InMemoryStore`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["InMemoryStore"]


class InMemoryStore(SendsConstants, RequestModel):
    """
    In memory; gone with the server.
    """

    type: Literal["inMemory"] = "inMemory"
