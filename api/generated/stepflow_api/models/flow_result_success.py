# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""Re-export of `FlowResultSuccess`; a hand-written module in this one's place replaces the model."""

from stepflow_api.models.generated import FlowResultSuccess

__all__ = ["FlowResultSuccess"]
