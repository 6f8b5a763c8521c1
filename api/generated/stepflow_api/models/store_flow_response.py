# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""Re-export of `StoreFlowResponse`; a hand-written module in this one's place replaces the model."""

from stepflow_api.models.generated import StoreFlowResponse

__all__ = ["StoreFlowResponse"]
