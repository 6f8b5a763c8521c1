# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `ErrorAction`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import OpenUnion
from stepflow_api.models.on_error_default import OnErrorDefault
from stepflow_api.models.on_error_fail import OnErrorFail
from stepflow_api.models.on_error_retry import OnErrorRetry
from stepflow_api.models.other_error_action import OtherErrorAction
from typing_extensions import TypeAliasType

__all__ = ["ErrorAction"]


ErrorAction = TypeAliasType(
    "ErrorAction",
    "Annotated[Annotated[OnErrorFail | OnErrorDefault | OnErrorRetry, Field(discriminator='action')] | OtherErrorAction, OpenUnion('action', known=('fail', 'useDefault', 'retry'), is_sent=True)]",
)
"""
Error action determines what happens when a step fails.
"""
