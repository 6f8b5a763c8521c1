# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `Diagnostics`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.diagnostic import Diagnostic

__all__ = ["Diagnostics"]


class Diagnostics(AnswerModel):
    """
    Collection of diagnostics with utility methods
    """

    diagnostics: list[Diagnostic]
    """
    All diagnostics found
    """
    num_fatal: Annotated[int, Field(alias="numFatal", ge=0)]
    num_error: Annotated[int, Field(alias="numError", ge=0)]
    num_warning: Annotated[int, Field(alias="numWarning", ge=0)]
