"""Calls that both type checkers must take, with the types of their results, or must reject."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import httpx
import httpx2

from stepflow_api.models import Flow, FlowResult, RunSummary
from stepflow_client import (
    BatchResults,
    RunHandle,
    StepflowClient,
    StepflowExecutor,
    SyncRunHandle,
    SyncStepflowClient,
    SyncStepflowExecutor,
)
from stepflow_client.options import SubmitOptions

OPTIONS: SubmitOptions = {"timeout": 3}


def right_sync(client: SyncStepflowClient, flow: Flow) -> None:
    """Calls as they should be."""
    SyncStepflowClient(token=lambda: "token")
    assert_type(client.run("flow.yaml", {"a": 1}, timeout=3), FlowResult)
    assert_type(client.run(Path("flow.yaml"), None, overrides={"s": {}}), FlowResult)
    assert_type(client.submit(flow, 1), SyncRunHandle)
    assert_type(client.run_batch({"steps": []}, range(3)), BatchResults)
    assert_type(list(client.list_runs(timeout=3, headers={"x-a": "1"})), list[RunSummary])
    executor: SyncStepflowExecutor = client
    assert_type(executor.run(flow, 1, **OPTIONS), FlowResult)
    assert_type(executor.submit(flow, 1, timeout=3, retry_create=True), SyncRunHandle)
    assert_type(executor.submit_batch(flow, [1], max_concurrency=2), SyncRunHandle)


def right_of_httpx() -> None:
    """Objects of httpx and httpx2."""
    SyncStepflowClient(http_client=httpx.Client(), limits=httpx.Limits())
    SyncStepflowClient(http_client=httpx2.Client(), limits=httpx2.Limits())
    StepflowClient(transport=httpx.AsyncHTTPTransport(), proxy=httpx.Proxy("http://localhost"))
    StepflowClient(transport=httpx2.AsyncHTTPTransport(), proxy=httpx2.Proxy("http://localhost"))


async def right_async(client: StepflowClient, flow: Flow) -> None:
    """Calls as they should be."""
    StepflowClient(token=token)
    assert_type(await client.run(flow, 1), FlowResult)
    handle = await client.submit(flow, 1)
    assert_type(handle, RunHandle)
    assert_type(await handle.result(timeout=1.5), FlowResult)
    async for run in client.list_runs(limit=1):
        assert_type(run, RunSummary)
    executor: StepflowExecutor = client
    assert_type(await executor.run_batch(flow, [1]), BatchResults)


async def token() -> str:
    """Return a token that asynchronous clients alone can wait for."""
    return "token"


def wrong_sync(sync: SyncStepflowClient, flow: Flow) -> None:
    """Calls as they should not be."""
    SyncStepflowClient(token=token)  # rejected
    sync.run(7, 1)  # rejected
    sync.run(flow)  # rejected
    sync.run(flow, 1, 30)  # rejected
    sync.run(flow, 1, timeout="30")  # rejected
    sync.run(flow, 1, headers={"x-a": 1})  # rejected
    sync.run(flow, 1, max_concurrency=2)  # rejected
    sync.submit(flow, 1, raise_on_failure=True)  # rejected
    sync.run_batch(flow, 5)  # rejected
    sync.handle(5)  # rejected
    print(sync.run(flow, 1).no_such_attribute)  # rejected
    executor: StepflowExecutor = sync  # rejected
    del executor


def wrong_of_httpx() -> None:
    """Objects of httpx and httpx2 in the wrong place."""
    StepflowClient(http_client=httpx.Client())  # rejected
    StepflowClient(transport=httpx2.HTTPTransport())  # rejected
    SyncStepflowClient(http_client=httpx2.AsyncClient())  # rejected
    SyncStepflowClient(limits=httpx2.Timeout(3))  # rejected
    SyncStepflowClient(proxy=httpx.Client())  # rejected


async def wrong_async(client: StepflowClient, flow: Flow) -> None:
    """Calls as they should not be."""
    client.run(flow)  # rejected
    for _ in client.list_runs():  # rejected
        pass
    executor: SyncStepflowExecutor = client  # rejected
    del executor
