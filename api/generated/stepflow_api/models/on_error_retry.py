# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `OnErrorRetry`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import Model, SendsConstants

__all__ = ["OnErrorRetry"]


class OnErrorRetry(SendsConstants, Model):
    """
    If the step fails, retry it.

    `max_retries` limits retries due to component errors — cases where the
    component ran and returned an error. Transport-level failures (subprocess
    crashes, network errors) are retried separately according to the plugin's
    retry configuration and do not count against this budget.
    """

    max_retries: Annotated[int | None, Field(alias="maxRetries", ge=0)] = None
    """
    Maximum number of retries due to component errors (default: 3).

    Total attempts for component errors = max_retries + 1 (initial).
    """
    action: Literal["retry"] = "retry"
