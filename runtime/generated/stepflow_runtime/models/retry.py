# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Retry`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel
from stepflow_runtime.models.backoff import Backoff

__all__ = ["Retry"]


class Retry(RequestModel):
    """
    How the server repeats steps that failed.
    """

    transport_max_retries: Annotated[int | None, Field(alias="transportMaxRetries", ge=0)] = None
    """
    Maximum number of repetitions if a worker cannot be reached. By default 3.
    """
    backoff: Backoff | None = None
    """
    Time between attempts. By default `fibonacci`.
    """
