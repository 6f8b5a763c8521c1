# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ExampleInput`."""

from __future__ import annotations

from typing import Any

from stepflow_api.base import Model

__all__ = ["ExampleInput"]


class ExampleInput(Model):
    """
    An example input for a workflow that can be used in UI dropdowns.
    """

    name: str
    """
    Name of the example input for display purposes.
    """
    description: str | None = None
    """
    Optional description of what this example demonstrates.
    """
    input: Any
    """
    The input data for this example.
    """
