# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ItemStatistics`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel

__all__ = ["ItemStatistics"]


class ItemStatistics(AnswerModel):
    """
    Statistics about items in a run.
    """

    total: Annotated[int, Field(ge=0)]
    """
    Total number of items in this run.
    """
    completed: Annotated[int, Field(ge=0)]
    """
    Number of completed items.
    """
    running: Annotated[int, Field(ge=0)]
    """
    Number of currently running items.
    """
    failed: Annotated[int, Field(ge=0)]
    """
    Number of failed items.
    """
    cancelled: Annotated[int, Field(ge=0)]
    """
    Number of cancelled items.
    """
