# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `FlowResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.example_input import ExampleInput
from stepflow_api.models.flow import Flow

__all__ = ["FlowResponse"]


class FlowResponse(AnswerModel):
    """
    Response containing a flow definition and its ID
    """

    flow: Flow
    """
    The flow definition
    """
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow ID
    """
    all_examples: Annotated[
        list[ExampleInput], Field(alias="allExamples", validate_default=True)
    ] = []
    """
    All available examples (includes both examples and test cases)
    """
