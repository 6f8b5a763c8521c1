"""An embedded Stepflow server, cleaned up automatically.

    from stepflow_runtime import StepflowRuntime

    with StepflowRuntime.start() as runtime:
        result = runtime.sync_client.run("flow.yaml", {"name": "World"})

`StepflowCluster` is several servers, and `component` makes functions of this program part of flows.
"""

# Names are imported when they are first used: pytest imports this package in every session, for
# its plugin.
from __future__ import annotations

# Type checkers know this name; importing it from typing would double what this import costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from stepflow_runtime import errors
    from stepflow_runtime._components.context import ComponentContext
    from stepflow_runtime._components.functions import component
    from stepflow_runtime._config import ALL_BUILTINS
    from stepflow_runtime._logs import LogConfig
    from stepflow_runtime._supervisor import RestartPolicy
    from stepflow_runtime.cluster import StepflowCluster
    from stepflow_runtime.runtime import StepflowRuntime

    __version__: str

__all__ = [
    "ALL_BUILTINS",
    "ComponentContext",
    "LogConfig",
    "RestartPolicy",
    "StepflowCluster",
    "StepflowRuntime",
    "component",
    "errors",
]

_MODULES = {
    "ALL_BUILTINS": "_config",
    "ComponentContext": "_components.context",
    "LogConfig": "_logs",
    "RestartPolicy": "_supervisor",
    "StepflowCluster": "cluster",
    "StepflowRuntime": "runtime",
    "component": "_components.functions",
}


def __getattr__(name: str) -> object:
    import importlib

    if name in _MODULES:
        value = getattr(importlib.import_module(f"stepflow_runtime.{_MODULES[name]}"), name)
    elif name in ("cluster", "errors", "runtime"):
        value = importlib.import_module(f"stepflow_runtime.{name}")
    elif name == "__version__":
        value = importlib.import_module("stepflow_api").__version__
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
