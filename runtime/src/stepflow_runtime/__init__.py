"""A Stepflow server of the program's own, gone without a trace afterwards.

from stepflow_runtime import StepflowRuntime

with StepflowRuntime.start() as runtime:
    result = runtime.sync_client.run("flow.yaml", {"name": "World"})
"""

from stepflow_runtime import errors
from stepflow_runtime._config import ALL_BUILTINS
from stepflow_runtime._logs import LogConfig
from stepflow_runtime._supervisor import RestartPolicy
from stepflow_runtime.runtime import StepflowRuntime

__all__ = [
    "ALL_BUILTINS",
    "LogConfig",
    "RestartPolicy",
    "StepflowRuntime",
    "errors",
]
