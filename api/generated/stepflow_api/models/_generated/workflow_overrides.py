# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedWorkflowOverrides`."""

from __future__ import annotations

from stepflow_api.base import Model
from stepflow_api.models.step_override import StepOverride

__all__ = ["GeneratedWorkflowOverrides"]


class GeneratedWorkflowOverrides(Model):
    """
    Workflow overrides that can be applied to modify step behavior at runtime.

    Overrides are keyed by step ID and contain merge patches or other transformation
    specifications to modify step properties before execution.
    """

    steps: dict[str, StepOverride]
    """
    Map of step ID to override specification
    """
