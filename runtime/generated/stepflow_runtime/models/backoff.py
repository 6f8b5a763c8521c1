# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Backoff`."""

from __future__ import annotations

from stepflow_runtime.models.constant_backoff import ConstantBackoff
from stepflow_runtime.models.exponential_backoff import ExponentialBackoff
from stepflow_runtime.models.fibonacci_backoff import FibonacciBackoff
from typing_extensions import TypeAliasType

__all__ = ["Backoff"]


Backoff = TypeAliasType("Backoff", "ConstantBackoff | ExponentialBackoff | FibonacciBackoff")
"""
Time between attempts.
"""
