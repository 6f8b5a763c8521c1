# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `InputCondition`."""

from __future__ import annotations

from typing import Any

from stepflow_api.base import RequestModel

__all__ = ["InputCondition"]


class InputCondition(RequestModel):
    """
    A condition on the input of a component.
    """

    path: str
    """
    JSON path of a value, such as `$.model`.
    """
    value: Any
    """
    The value that it has to be equal to.
    """
