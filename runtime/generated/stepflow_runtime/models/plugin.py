# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Plugin`."""

from __future__ import annotations

from typing import Any

from stepflow_runtime.models.builtin_plugin import BuiltinPlugin
from stepflow_runtime.models.grpc_plugin import GrpcPlugin
from stepflow_runtime.models.mcp_plugin import McpPlugin
from stepflow_runtime.models.mock_plugin import MockPlugin
from stepflow_runtime.models.nats_plugin import NatsPlugin
from stepflow_runtime.models.stepflow_plugin import StepflowPlugin
from typing_extensions import TypeAliasType

__all__ = ["Plugin"]


Plugin = TypeAliasType(
    "Plugin",
    "BuiltinPlugin | StepflowPlugin | GrpcPlugin | NatsPlugin | McpPlugin | MockPlugin | dict[str, Any]",
)
"""
A plugin; one of a type that is not listed here is an object with any keys.
"""
