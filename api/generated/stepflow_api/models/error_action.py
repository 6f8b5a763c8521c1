# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ErrorAction`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.models.on_error_default import OnErrorDefault
from stepflow_api.models.on_error_fail import OnErrorFail
from stepflow_api.models.on_error_retry import OnErrorRetry
from typing_extensions import TypeAliasType

__all__ = ["ErrorAction"]


ErrorAction = TypeAliasType(
    "ErrorAction",
    "Annotated[OnErrorFail | OnErrorDefault | OnErrorRetry, Field(discriminator='action')]",
)
"""
Error action determines what happens when a step fails.
"""
