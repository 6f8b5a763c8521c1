# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `TestCase`."""

from __future__ import annotations

from typing import Any

from stepflow_api.base import Model
from stepflow_api.models.flow_result import FlowResult

__all__ = ["TestCase"]


class TestCase(Model):
    """
    A single test case for a workflow.
    """

    name: str
    """
    Unique identifier for the test case.
    """
    description: str | None = None
    """
    Optional description of what this test case verifies.
    """
    input: Any
    """
    Input data for the workflow in this test case.
    """
    output: FlowResult | None = None
    """
    Expected output from the workflow for this test case.
    """
