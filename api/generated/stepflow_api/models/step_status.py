# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StepStatus`."""

from __future__ import annotations

from stepflow_api.base import StrEnum

__all__ = ["StepStatus"]


class StepStatus(StrEnum):
    """
    Status of an individual step within a workflow

    Cases:
    * `blocked`: Step is waiting for dependencies to complete
    * `runnable`: Step is ready to be executed
    * `running`: Step is currently executing
    * `completed`: Step has been executed successfully
    * `skipped`: Step was skipped due to conditions
    * `failed`: Step failed with an error
    """

    BLOCKED = "blocked"
    """
    Step is waiting for dependencies to complete
    """
    RUNNABLE = "runnable"
    """
    Step is ready to be executed
    """
    RUNNING = "running"
    """
    Step is currently executing
    """
    COMPLETED = "completed"
    """
    Step has been executed successfully
    """
    SKIPPED = "skipped"
    """
    Step was skipped due to conditions
    """
    FAILED = "failed"
    """
    Step failed with an error
    """
