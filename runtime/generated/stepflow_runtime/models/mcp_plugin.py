# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `McpPlugin`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["McpPlugin"]


class McpPlugin(SendsConstants, RequestModel):
    """
    The tools of a server of the Model Context Protocol.
    """

    type: Literal["mcp"] = "mcp"
    command: str
    """
    Program that starts it.
    """
    args: list[str]
    """
    Arguments of the program.
    """
    env: dict[str, str] | None = None
    """
    Environment variables of the program; values may refer to others, such as `${HOME}`.
    """
