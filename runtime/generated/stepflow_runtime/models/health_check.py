# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `HealthCheck`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel

__all__ = ["HealthCheck"]


class HealthCheck(RequestModel):
    """
    How the server finds out that a worker is ready.
    """

    path: str | None = None
    """
    Path that it requests. By default `/health`.
    """
    timeout_ms: Annotated[int | None, Field(alias="timeoutMs", ge=0)] = None
    """
    Maximum time until the worker is ready, in milliseconds. By default 60000.
    """
    retry_delay_ms: Annotated[int | None, Field(alias="retryDelayMs", ge=0)] = None
    """
    Time between two requests, in milliseconds. By default 100.
    """
