# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ListComponentsResponse`."""

from __future__ import annotations

from stepflow_api.base import AnswerModel
from stepflow_api.models.component_info import ComponentInfo

__all__ = ["ListComponentsResponse"]


class ListComponentsResponse(AnswerModel):
    """
    Response for listing components
    """

    components: list[ComponentInfo]
    """
    List of available components
    """
