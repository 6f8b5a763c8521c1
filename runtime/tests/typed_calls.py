"""Calls that both type checkers must take, with the types of their results, or must reject."""

from __future__ import annotations

from typing import assert_type

from stepflow_api.models import Flow, FlowResult
from stepflow_client import (
    StepflowClient,
    StepflowExecutor,
    SyncStepflowClient,
    SyncStepflowExecutor,
)
from stepflow_runtime import LogConfig, RestartPolicy, StepflowRuntime


def right_sync(flow: Flow) -> None:
    """Calls as they should be."""
    with StepflowRuntime.start(
        "config.yml",
        listen="loopback",
        binary="stepflow-server",
        env={"A": "1"},
        inherit_env=False,
        log_config=LogConfig(level="debug", format="text"),
        restart_policy=RestartPolicy.ALWAYS,
        max_restarts=1,
        startup_timeout=1,
        shutdown_timeout=0.5,
        on_crash=lambda exit_code, lines: print(exit_code + 1, lines[-1].strip()),
    ) as runtime:
        assert_type(runtime, StepflowRuntime)
        assert_type(runtime.url, str)
        assert_type(runtime.port, int)
        assert_type(runtime.pid, int)
        assert_type(runtime.recent_logs()[0], str)
        assert_type(runtime.sync_client, SyncStepflowClient)
        executor: SyncStepflowExecutor = runtime.sync_client
        assert_type(executor.run(flow, 1), FlowResult)
        runtime.stop()


async def right_async() -> None:
    """Calls as they should be."""
    async with StepflowRuntime.start({"plugins": {}}, port=0, data_dir="data") as runtime:
        assert_type(runtime.client, StepflowClient)
        executor: StepflowExecutor = runtime
        assert_type(await executor.run("flow.yaml", 1), FlowResult)
        other: StepflowExecutor = runtime.client
        assert_type(await other.run("flow.yaml", 1), FlowResult)


def wrong_starts() -> None:
    """Calls as they should not be."""
    StepflowRuntime.start(7)  # rejected
    StepflowRuntime.start(None, 8080)  # rejected
    StepflowRuntime.start(port="8080")  # rejected
    StepflowRuntime.start(listen="127.0.0.1")  # rejected
    StepflowRuntime.start(restart_policy="always")  # rejected
    StepflowRuntime.start(on_crash=lambda: None)  # rejected
    LogConfig("info")  # rejected
    LogConfig(level="loud")  # rejected


def wrong_use(runtime: StepflowRuntime) -> None:
    """Calls as they should not be."""
    executor: SyncStepflowExecutor = runtime  # rejected
    runtime.run("flow.yaml")  # rejected
    runtime.port = 5  # rejected
    del executor
