# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `DiagnosticLevel`."""

from __future__ import annotations

from stepflow_api.base import StrEnum

__all__ = ["DiagnosticLevel"]


class DiagnosticLevel(StrEnum):
    """
    Diagnostic level indicating severity and impact

    Cases:
    * `fatal`: Fatal: Prevents analysis from proceeding
    * `error`: Error: Will definitely fail during execution
    * `warning`: Warning: Likely to cause problems during execution
    """

    FATAL = "fatal"
    """
    Fatal: Prevents analysis from proceeding
    """
    ERROR = "error"
    """
    Error: Will definitely fail during execution
    """
    WARNING = "warning"
    """
    Warning: Likely to cause problems during execution
    """
