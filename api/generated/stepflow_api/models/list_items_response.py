# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ListItemsResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.item_result import ItemResult

__all__ = ["ListItemsResponse"]


class ListItemsResponse(AnswerModel):
    """
    Response for listing run items
    """

    item_count: Annotated[int, Field(alias="itemCount", ge=0)]
    """
    Total number of items in this run
    """
    items: list[ItemResult]
    """
    Individual item results ordered by item index
    """
