# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedCreateRunRequest`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import RequestModel
from stepflow_api.models.workflow_overrides import WorkflowOverrides

__all__ = ["GeneratedCreateRunRequest"]


class GeneratedCreateRunRequest(RequestModel):
    """
    Request to create/execute a flow.

    The `input` field is always an array of input values:
    - Single-item array `[value]`: Executes one run with `value` as input
    - Multi-item array `[v1, v2, ...]`: Executes multiple runs (batch mode)

    This design avoids ambiguity: to run a workflow with an array as input,
    wrap it in another array: `[[1, 2, 3]]` runs once with input `[1, 2, 3]`.
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow hash to execute
    """
    input: list[Any]
    """
    Input data for the flow - always an array (one element per run)
    """
    overrides: WorkflowOverrides | None = None
    """
    Optional workflow overrides to apply before execution
    """
    variables: dict[str, Any] | None = None
    """
    Optional variables to provide for variable references in the workflow
    """
    max_concurrency: Annotated[int | None, Field(alias="maxConcurrency", ge=1)] = None
    """
    How many items run at once, at least 1; by default the server decides
    """
    wait: bool | None = False
    """
    If true, block until the run completes and return the result (200 OK).
    If false (default), return immediately with status Running (202 Accepted).
    """
    timeout_secs: Annotated[int | None, Field(alias="timeoutSecs", ge=0)] = None
    """
    Maximum seconds to wait when wait=true (default 300). If the timeout elapses,
    returns the current run status rather than an error.
    """
