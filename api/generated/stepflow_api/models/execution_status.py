# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ExecutionStatus`."""

from __future__ import annotations

from stepflow_api.base import StrEnum

__all__ = ["ExecutionStatus"]


class ExecutionStatus(StrEnum):
    """
    Status of a workflow execution

    Cases:
    * `running`: Execution is currently running
    * `completed`: Execution completed successfully
    * `failed`: Execution failed with an error
    * `cancelled`: Execution was cancelled by user request
    * `paused`: Execution is paused (debug mode)
    * `recoveryFailed`: Execution failed during recovery after orchestrator restart
    """

    RUNNING = "running"
    """
    Execution is currently running
    """
    COMPLETED = "completed"
    """
    Execution completed successfully
    """
    FAILED = "failed"
    """
    Execution failed with an error
    """
    CANCELLED = "cancelled"
    """
    Execution was cancelled by user request
    """
    PAUSED = "paused"
    """
    Execution is paused (debug mode)
    """
    RECOVERY_FAILED = "recoveryFailed"
    """
    Execution failed during recovery after orchestrator restart
    """
