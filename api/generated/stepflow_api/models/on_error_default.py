# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `OnErrorDefault`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from stepflow_api.base import Model, SendsConstants

__all__ = ["OnErrorDefault"]


class OnErrorDefault(SendsConstants, Model):
    """
    If the step fails, use the `defaultValue` instead.
    If `defaultValue` is not specified, the step returns null.
    The default value must be a literal JSON value (not an expression).
    For dynamic defaults, use `$coalesce` in the consuming expression instead.
    """

    default_value: Annotated[Any | None, Field(alias="defaultValue")] = None
    action: Literal["useDefault"] = "useDefault"
