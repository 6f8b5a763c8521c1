"""`ComponentInfo` that names the component's plugin."""

from __future__ import annotations

from stepflow_api.models.generated.component_info import GeneratedComponentInfo

__all__ = ["ComponentInfo"]


class ComponentInfo(GeneratedComponentInfo):
    """A component that flows can use.

    Cause:
        Servers from 0.13 on report the plugin of each component, and the spec of 0.11 has no field
        for it.

    Wire:
        `{"componentId": "echo", "path": "echo", "plugin": "python"}` on 0.13, which is read as
        `{"component": "/python/echo", "plugin": "python"}`.

    Can go when:
        The stored spec has the field.

    Attributes:
        plugin: Name of the plugin in the server's config; None where the server does not report it.
    """

    plugin: str | None = None
