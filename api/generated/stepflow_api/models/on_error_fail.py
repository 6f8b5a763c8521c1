# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `OnErrorFail`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import Model, SendsConstants

__all__ = ["OnErrorFail"]


class OnErrorFail(SendsConstants, Model):
    """
    If the step fails, the flow will fail.
    """

    action: Literal["fail"] = "fail"
