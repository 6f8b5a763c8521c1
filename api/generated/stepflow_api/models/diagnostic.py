# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `Diagnostic`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.diagnostic_level import DiagnosticLevel

__all__ = ["Diagnostic"]


class Diagnostic(AnswerModel):
    """
    A diagnostic with error code, message, path, and metadata.

    Created via the `diagnostic!` macro with optional builder methods:

    ```ignore
    diagnostic!(DiagnosticKind::DuplicateStepId, "Duplicate step ID '{step_id}'", { step_id })
        .at(path)
        .experimental()
    ```

    ## JSON Format

    ```json
    {
      "kind": "duplicateStepId",
      "code": 3000,
      "level": "fatal",
      "formatted": "Duplicate step ID 'foo'",
      "data": { "stepId": "foo" },
      "path": "$.steps[0]",
      "experimental": false
    }
    ```
    """

    kind: str
    """
    The diagnostic kind name (camelCase)
    """
    code: Annotated[int, Field(ge=0, le=65535)]
    """
    Numeric error code
    """
    level: DiagnosticLevel
    """
    The severity level
    """
    formatted: str
    """
    Human-readable formatted message
    """
    data: Any | None = None
    """
    Structured data with camelCase keys (null if no data)
    """
    path: str | None = None
    """
    JSON path to the field with the issue
    """
    experimental: bool | None = None
    """
    Whether this diagnostic is experimental (may have false positives)
    """
