"""Client of Stepflow servers, synchronous and asynchronous.

    from stepflow_client import SyncStepflowClient

    with SyncStepflowClient() as client:
        result = client.run("flow.yaml", {"name": "World"})

`StepflowClient` has the same methods as coroutines.
"""

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

__all__ = [
    "BatchResults",
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
