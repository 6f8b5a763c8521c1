# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `OtherErrorAction`."""

from __future__ import annotations

from pydantic import ConfigDict
from stepflow_api.base import FreeKeys, Model

__all__ = ["OtherErrorAction"]


class OtherErrorAction(FreeKeys, Model):
    """
    `ErrorAction` with an unknown `action`; its other fields are kept.
    """

    model_config = ConfigDict(extra="allow")

    action: str
