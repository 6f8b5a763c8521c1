# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `RouteRule`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from stepflow_api.base import FreeKeys, RequestModel
from stepflow_runtime.models.input_condition import InputCondition

__all__ = ["RouteRule"]


class RouteRule(FreeKeys, RequestModel):
    """
    A rule for the components below a path; its further keys are passed to the plugin.
    """

    model_config = ConfigDict(extra="allow")

    plugin: str
    """
    Name of the plugin.
    """
    component: str | None = None
    """
    Name of the component in the plugin; it may contain the placeholders of the path. Servers from
    0.13 on ignore it. By default `/{component}`.
    """
    component_allow: Annotated[list[str] | None, Field(alias="componentAllow")] = None
    """
    The only components that the rule is for. By default all.
    """
    component_deny: Annotated[list[str] | None, Field(alias="componentDeny")] = None
    """
    Components that the rule is not for. By default none.
    """
    conditions: list[InputCondition] | None = None
    """
    Conditions on the input of the component, all of which have to hold.
    """
