# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `FibonacciBackoff`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["FibonacciBackoff"]


class FibonacciBackoff(SendsConstants, RequestModel):
    """
    A time that grows like the Fibonacci numbers.
    """

    type: Literal["fibonacci"] = "fibonacci"
    min_delay_ms: Annotated[int | None, Field(alias="minDelayMs", ge=0)] = None
    """
    The first time, in milliseconds. By default 1000.
    """
    max_delay_ms: Annotated[int | None, Field(alias="maxDelayMs", ge=0)] = None
    """
    The longest time, in milliseconds. By default 10000.
    """
