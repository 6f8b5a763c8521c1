# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ComponentInfo`."""

from __future__ import annotations

from typing import Any

from stepflow_api.base import AnswerModel

__all__ = ["ComponentInfo"]


class ComponentInfo(AnswerModel):
    """
    A component that flows can use.
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
    plugin: str | None = None
    """
    Name of the plugin in the server's config; None where the server does not report it.
    """
