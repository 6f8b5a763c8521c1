# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ErrorResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.error_stack_entry import ErrorStackEntry

__all__ = ["ErrorResponse"]


class ErrorResponse(AnswerModel):
    """
    Error response structure.

    Server handlers should return this, but usually it is better to create it
    by returning an `error_stack::Report<ServerError>` and using the automatic
    conversion to `ErrorResponse`.

    Other `error_stack::Report` types will automatically convert to internal errors.
    """

    code: Annotated[int, Field(ge=0, le=65535)]
    """
    HTTP status code (e.g., 400, 404, 500)
    """
    message: str
    """
    Human-readable error message
    """
    stack: list[ErrorStackEntry] | None = None
    """
    Detailed error stack for debugging
    """
