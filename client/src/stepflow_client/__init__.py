"""Client of Stepflow servers, synchronous and asynchronous.

    from stepflow_client import SyncStepflowClient

    with SyncStepflowClient() as client:
        result = client.run("flow.yaml", {"name": "World"})

`StepflowClient` has the same methods as coroutines, and `FlowBuilder` builds flows in Python.
"""

from typing import TYPE_CHECKING

from stepflow_api import __version__ as __version__
from stepflow_client import errors, events, options
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import BatchResults, FlowValidation, Items, Progress
from stepflow_client._requests.retry import RetryPolicy
from stepflow_client.client import StepflowClient
from stepflow_client.executor import StepflowExecutor, SyncStepflowExecutor
from stepflow_client.handle import RunHandle
from stepflow_client.sync_client import SyncStepflowClient
from stepflow_client.sync_handle import SyncRunHandle

if TYPE_CHECKING:
    from stepflow_client.flow_builder import FlowBuilder

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


def __getattr__(name: str) -> object:
    # Most programs run flows that others have written.
    if name != "FlowBuilder":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stepflow_client.flow_builder import FlowBuilder

    globals()[name] = FlowBuilder
    return FlowBuilder
