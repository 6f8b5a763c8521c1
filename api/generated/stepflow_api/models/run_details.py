# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""Re-export of `RunDetails`; a hand-written module in this one's place replaces the model."""

from stepflow_api.models.generated import RunDetails

__all__ = ["RunDetails"]
