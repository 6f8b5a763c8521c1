# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `FlowVariablesResponse`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import AnswerModel

__all__ = ["FlowVariablesResponse"]


class FlowVariablesResponse(AnswerModel):
    """
    Response containing variable schema and environment variable mappings for a flow.
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow ID
    """
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    """
    The raw variable JSON Schema (null if the flow has no variables)
    """
    env_vars: Annotated[dict[str, str], Field(alias="envVars")]
    """
    Mapping from variable name to the environment variable that populates it.
    Only includes variables that have an `env_var` annotation.
    """
