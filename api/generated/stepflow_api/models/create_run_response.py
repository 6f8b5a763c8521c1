# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""Re-export of `CreateRunResponse`; a hand-written module in this one's place replaces the model."""

from stepflow_api.models.generated import CreateRunResponse

__all__ = ["CreateRunResponse"]
