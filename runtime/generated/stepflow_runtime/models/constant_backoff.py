# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `ConstantBackoff`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["ConstantBackoff"]


class ConstantBackoff(SendsConstants, RequestModel):
    """
    The same time between all attempts.
    """

    type: Literal["constant"] = "constant"
    delay_ms: Annotated[int | None, Field(alias="delayMs", ge=0)] = None
    """
    The time, in milliseconds. By default 1000.
    """
