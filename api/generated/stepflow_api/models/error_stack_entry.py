# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ErrorStackEntry`."""

from __future__ import annotations

from stepflow_api.base import AnswerModel

__all__ = ["ErrorStackEntry"]


class ErrorStackEntry(AnswerModel):
    """
    A single entry in an error stack for detailed error reporting
    """

    error: str
    """
    The error message
    """
    attachments: list[str] | None = None
    """
    Additional context attached to this error
    """
    backtrace: str | None = None
    """
    Backtrace if available
    """
