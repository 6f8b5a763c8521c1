# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `StepflowPlugin`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants
from stepflow_runtime.models.health_check import HealthCheck
from stepflow_runtime.models.plugin_retry import PluginRetry

__all__ = ["StepflowPlugin"]


class StepflowPlugin(SendsConstants, RequestModel):
    """
    A worker that the server talks to over HTTP. For servers before 0.12.

    The server starts it (`command`), or it is at a `url`.
    """

    type: Literal["stepflow"] = "stepflow"
    command: str | None = None
    """
    Program that starts the worker.
    """
    args: list[str] | None = None
    """
    Arguments of the program.
    """
    env: dict[str, str] | None = None
    """
    Environment variables of the program; values may refer to others, such as `${HOME}`.
    """
    url: str | None = None
    """
    URL of a worker that is started elsewhere.
    """
    health_check: Annotated[HealthCheck | None, Field(alias="healthCheck")] = None
    """
    How the server finds out that the worker it started is ready.
    """
    retry: PluginRetry | None = None
    """
    How the server repeats a call that failed; for server 0.10 alone.
    """
