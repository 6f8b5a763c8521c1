# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `PluginRetry`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel
from stepflow_runtime.models.backoff import Backoff

__all__ = ["PluginRetry"]


class PluginRetry(RequestModel):
    """
    How the server repeats a call of a worker.
    """

    max_attempts: Annotated[int | None, Field(alias="maxAttempts", ge=0)] = None
    """
    Maximum number of attempts. By default 3.
    """
    backoff: Backoff | None = None
    """
    Time between attempts.
    """
