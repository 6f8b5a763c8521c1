"""Client of Stepflow servers, synchronous and asynchronous.

    from stepflow_client import SyncStepflowClient

    with SyncStepflowClient() as client:
        result = client.run("flow.yaml", {"name": "World"})

`StepflowClient` has the same methods as coroutines, and `FlowBuilder` builds flows in Python.
"""

# Names are imported when they are first used, so that threads may import this package and its
# modules at the same moment: Python detects a deadlock where a package imports its own modules.
from __future__ import annotations

# Type checkers know this name; importing it from typing would double what this import costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from stepflow_client import errors, events, options
    from stepflow_client._core.flow_source import FlowSource
    from stepflow_client._core.results import BatchResults, FlowValidation, Items, Progress
    from stepflow_client._requests.retry import RetryPolicy
    from stepflow_client.client import StepflowClient
    from stepflow_client.executor import StepflowExecutor, SyncStepflowExecutor
    from stepflow_client.flow_builder import FlowBuilder
    from stepflow_client.handle import RunHandle
    from stepflow_client.sync_client import SyncStepflowClient
    from stepflow_client.sync_handle import SyncRunHandle

    __version__: str

__all__ = [
    "BatchResults",
    "FlowBuilder",
    "FlowSource",
    "FlowValidation",
    "Items",
    "Progress",
    "RetryPolicy",
    "RunHandle",
    "StepflowClient",
    "StepflowExecutor",
    "SyncRunHandle",
    "SyncStepflowClient",
    "SyncStepflowExecutor",
    "errors",
    "events",
    "options",
]

_MODULES = {
    "BatchResults": "_core.results",
    "FlowBuilder": "flow_builder",
    "FlowSource": "_core.flow_source",
    "FlowValidation": "_core.results",
    "Items": "_core.results",
    "Progress": "_core.results",
    "RetryPolicy": "_requests.retry",
    "RunHandle": "handle",
    "StepflowClient": "client",
    "StepflowExecutor": "executor",
    "SyncRunHandle": "sync_handle",
    "SyncStepflowClient": "sync_client",
    "SyncStepflowExecutor": "executor",
}

_SUBMODULES = ("errors", "events", "options")


def __getattr__(name: str) -> object:
    import importlib

    if name in _MODULES:
        value = getattr(importlib.import_module(f"stepflow_client.{_MODULES[name]}"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"stepflow_client.{name}")
    elif name == "__version__":
        value = importlib.import_module("stepflow_api").__version__
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
