"""The type of a request's overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from stepflow_api.models.workflow_overrides import WorkflowOverrides


def _as_overrides(value: Any) -> Any:
    return WorkflowOverrides.model_validate(value) if isinstance(value, Mapping) else value


# Wider than what it becomes, for type checkers to let a map construct a request.
AnyOverrides = Annotated[
    WorkflowOverrides | Mapping[str, Any] | None, BeforeValidator(_as_overrides)
]
