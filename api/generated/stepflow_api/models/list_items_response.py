# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""Re-export of `ListItemsResponse`; a hand-written module in this one's place replaces the model."""

from stepflow_api.models.generated import ListItemsResponse

__all__ = ["ListItemsResponse"]
