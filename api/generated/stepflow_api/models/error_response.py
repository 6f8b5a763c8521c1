# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""Re-export of `ErrorResponse`; a hand-written module in this one's place replaces the model."""

from stepflow_api.models.generated import ErrorResponse

__all__ = ["ErrorResponse"]
