# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""Model `GeneratedComponentInfo`."""

from __future__ import annotations

from typing import Any

from stepflow_api._base import AnswerModel

__all__ = ["GeneratedComponentInfo"]


class GeneratedComponentInfo(AnswerModel):
    """
    `ComponentInfo`, which the spec does not describe.
    """

    component: str
    """
    The component ID.
    """
    description: str | None = None
    """
    Optional description of the component.
    """
    input_schema: dict[str, Any] | None = None
    """
    The input schema for the component.

    Can be any valid JSON schema (object, primitive, array, etc.).
    """
    output_schema: dict[str, Any] | None = None
    """
    The output schema for the component.

    Can be any valid JSON schema (object, primitive, array, etc.).
    """
