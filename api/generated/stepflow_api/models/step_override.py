# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StepOverride`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import Model
from stepflow_api.models.override_type import OverrideType

__all__ = ["StepOverride"]


class StepOverride(Model):
    """
    Override specification for a single step.

    Contains the override type (merge patch, json patch, etc.) and the value
    to apply. The type field uses `$type` to avoid collisions with step properties.
    """

    type: Annotated[OverrideType, Field(alias="$type")] = OverrideType.MERGE_PATCH
    """
    The type of override to apply. Defaults to "merge_patch" if not specified.
    """
    value: Any
    """
    The override value to apply, interpreted based on the override type.
    """
