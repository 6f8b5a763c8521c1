"""`FlowResponse` that takes an answer without examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from stepflow_api.models.example_input import ExampleInput
from stepflow_api.models.generated.flow_response import GeneratedFlowResponse

__all__ = ["FlowResponse"]


class FlowResponse(GeneratedFlowResponse):
    """A stored flow.

    Cause:
        The spec says that `allExamples` is always there, and the server leaves it out for a flow
        without examples.

    Wire:
        `{"flow": {...}, "flowId": "..."}`.

    Can go when:
        The spec calls it optional.

    Attributes:
        all_examples: The flow's examples and test cases; empty where it has none.
    """

    __retyped__: ClassVar[Mapping[str, str]] = {
        "all_examples": "the server leaves it out where it is empty"
    }

    all_examples: Annotated[list[ExampleInput], Field(alias="allExamples")] = Field(
        default_factory=list
    )
