# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GeneratedFlow`."""

from __future__ import annotations

from typing import Any

from stepflow_api.base import Model
from stepflow_api.models.example_input import ExampleInput
from stepflow_api.models.step import Step
from stepflow_api.models.test_config import TestConfig

__all__ = ["GeneratedFlow"]


class GeneratedFlow(Model):
    """
    A workflow consisting of a sequence of steps and their outputs.

    A flow represents a complete workflow that can be executed. It contains:
    - A sequence of steps to execute
    - Named outputs that can reference step outputs

    Flows should not be cloned. They should generally be stored and passed as a
    reference or inside an `Arc`.
    """

    name: str | None = None
    """
    The name of the flow.
    """
    description: str | None = None
    """
    The description of the flow.
    """
    version: str | None = None
    """
    The version of the flow.
    """
    schemas: dict[str, Any] | None = None
    """
    Consolidated schema information for the flow.
    Contains input/output schemas, step output schemas, and shared `$defs`.
    """
    steps: list[Step] | None = None
    """
    The steps to execute for the flow.
    """
    output: Any | None = None
    """
    The outputs of the flow, mapping output names to their values.
    """
    test: TestConfig | None = None
    """
    Test configuration for the flow.
    """
    examples: list[ExampleInput] | None = None
    """
    Example inputs for the workflow that can be used for testing and UI dropdowns.
    """
    metadata: dict[str, Any] | None = None
    """
    Extensible metadata for the flow that can be used by tools and frameworks.
    """
