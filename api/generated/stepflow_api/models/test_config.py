# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `TestConfig`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import Model
from stepflow_api.models.test_case import TestCase

__all__ = ["TestConfig"]


class TestConfig(Model):
    """
    Configuration for testing a workflow.
    """

    config_file: Annotated[str | None, Field(alias="configFile")] = None
    """
    Path to an external stepflow config file for tests.
    Relative paths are resolved from the workflow file's directory.
    Mutually exclusive with `config` - validated at runtime.
    """
    config: Any | None = None
    """
    Inline stepflow configuration for tests.
    Mutually exclusive with `config_file` - validated at runtime.
    """
    cases: list[TestCase] | None = None
    """
    Test cases for the workflow.
    """
