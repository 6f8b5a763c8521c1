# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `FlowResult`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import OpenUnion
from stepflow_api.models.flow_result_failed import FlowResultFailed
from stepflow_api.models.flow_result_success import FlowResultSuccess
from stepflow_api.models.other_flow_result import OtherFlowResult
from typing_extensions import TypeAliasType

__all__ = ["FlowResult"]


FlowResult = TypeAliasType(
    "FlowResult",
    "Annotated[Annotated[FlowResultSuccess | FlowResultFailed, Field(discriminator='outcome')] | OtherFlowResult, OpenUnion('outcome', known=('success', 'failed'), is_sent=True)]",
)
"""
`FlowResult`, which the spec does not describe.
"""
