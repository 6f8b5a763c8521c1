# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `Step`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import Model
from stepflow_api.models.error_action import ErrorAction

__all__ = ["Step"]


class Step(Model):
    """
    A step in a workflow that executes a component with specific arguments.

    Note: Step output schemas are stored in the flow's `types.steps` field,
    not on individual steps. This allows for shared `$defs` and avoids duplication.
    """

    id: str
    """
    Identifier for the step
    """
    component: str
    """
    The component to execute in this step
    """
    on_error: Annotated[ErrorAction | None, Field(alias="onError")] = None
    input: Any | None = None
    """
    Arguments to pass to the component for this step
    """
    must_execute: Annotated[bool | None, Field(alias="mustExecute")] = None
    """
    If true, this step must execute even if its output is not used by the workflow output.
    Useful for steps with side effects (e.g., writing to databases, sending notifications).
    """
    metadata: dict[str, Any] | None = None
    """
    Extensible metadata for the step that can be used by tools and frameworks.
    """
