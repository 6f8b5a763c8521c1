"""`WorkflowOverrides` that takes overrides in every shape they are written in."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from stepflow_api.models._generated.workflow_overrides import GeneratedWorkflowOverrides
from stepflow_api.models._overrides_input import normalised_overrides

__all__ = ["WorkflowOverrides"]


class WorkflowOverrides(GeneratedWorkflowOverrides):
    """Changes to steps for one run, by step id.

    Cause:
        Servers from 0.10 on take one shape and nothing else, older ones the map inside it, and
        people write either, or the patch alone. All construct; what is sent is the first. A step
        called `steps` is told by its `value`.

    Wire:
        `{"steps": {"s1": {"$type": "merge_patch", "value": {"input": {"temperature": 0}}}}}`

    Can go when:
        The server takes a flat map.

    Example:
        >>> WorkflowOverrides.from_dict({"s1": {"input": {"temperature": 0}}}).to_dict()
        {'steps': {'s1': {'value': {'input': {'temperature': 0}}}}}
    """

    @model_validator(mode="before")
    @classmethod
    def _take_every_shape(cls, value: Any) -> Any:
        return normalised_overrides(value)
