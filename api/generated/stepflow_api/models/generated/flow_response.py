# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""Model `GeneratedFlowResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api._base import AnswerModel
from stepflow_api.models.example_input import ExampleInput
from stepflow_api.models.flow import Flow

__all__ = ["GeneratedFlowResponse"]


class GeneratedFlowResponse(AnswerModel):
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
    all_examples: Annotated[list[ExampleInput], Field(alias="allExamples")]
    """
    All available examples (includes both examples and test cases)
    """
