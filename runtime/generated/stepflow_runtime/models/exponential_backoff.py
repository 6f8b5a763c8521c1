# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `ExponentialBackoff`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["ExponentialBackoff"]


class ExponentialBackoff(SendsConstants, RequestModel):
    """
    A time that grows by a factor.
    """

    type: Literal["exponential"] = "exponential"
    min_delay_ms: Annotated[int | None, Field(alias="minDelayMs", ge=0)] = None
    """
    The first time, in milliseconds. By default 1000.
    """
    max_delay_ms: Annotated[int | None, Field(alias="maxDelayMs", ge=0)] = None
    """
    The longest time, in milliseconds. By default 10000.
    """
    factor: float | None = None
    """
    The factor. By default 2.
    """
