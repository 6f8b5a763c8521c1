"""Calls that both type checkers must take, with the types of their results, or must reject."""

from __future__ import annotations

from typing import assert_type
from uuid import UUID

import httpx
import httpx2

from stepflow_api import AuthenticatedClient, Client, Response
from stepflow_api.api.blob import get_blob_bytes
from stepflow_api.api.flow import store_flow
from stepflow_api.api.run import create_run, get_run, list_runs
from stepflow_api.models import (
    CreateRunRequest,
    CreateRunResponse,
    ErrorResponse,
    ExecutionStatus,
    Flow,
    ListRunsResponse,
    RunDetails,
    Step,
    StoreFlowRequest,
    StoreFlowResponse,
)


def right_sync(client: Client, run_id: UUID) -> None:
    """Calls as they should be."""
    AuthenticatedClient("http://localhost", lambda: "token")
    flow = Flow(steps=[Step(id="a", component="/eval", input={"x": 1})])
    assert_type(store_flow.sync(client=client, body=StoreFlowRequest(flow=flow)), StoreFlowResponse)
    request = CreateRunRequest(flow_id="f", input={"prompt": "Hello!"}, wait=True)
    assert_type(
        create_run.sync_detailed(client=client, body=request),
        Response[CreateRunResponse | ErrorResponse],
    )
    assert_type(get_run.sync(run_id, client=client, wait=True, timeout_secs=3), RunDetails)
    assert_type(list_runs.sync(client=client, status=ExecutionStatus.FAILED), ListRunsResponse)
    assert_type(get_blob_bytes.sync("b", client=client, timeout=5), bytes)
    assert_type(get_blob_bytes.sync("b", client=client, headers={"x-a": "1"}), bytes)


def right_of_httpx() -> None:
    """Objects of httpx and httpx2."""
    for http in (httpx.Client(), httpx.AsyncClient(), httpx2.Client(), httpx2.AsyncClient()):
        Client("http://localhost", http_client=http)
    Client("http://localhost", transport=httpx.HTTPTransport(), timeout=httpx.Timeout(3))
    Client("http://localhost", transport=httpx2.AsyncHTTPTransport(), timeout=httpx2.Timeout(3))


async def right_async(client: Client, run_id: UUID) -> None:
    """Calls as they should be."""
    assert_type(await get_run.asyncio(run_id, client=client), RunDetails)
    answer = await get_run.asyncio_detailed(str(run_id), client=client)
    assert_type(answer.parsed, RunDetails | ErrorResponse | None)


def wrong_sync(client: Client, run_id: UUID, request: CreateRunRequest) -> None:
    """Calls as they should not be."""
    Client()  # rejected
    Client("http://localhost", 3)  # rejected
    AuthenticatedClient("http://localhost", lambda: 3)  # rejected
    Client("http://localhost", verify=3)  # rejected
    create_run.sync(body=request)  # rejected
    create_run.sync(client, request)  # rejected
    create_run.sync(client=client, body={"flowId": "f"})  # rejected
    create_run.sync(client=client, body=request, wait=True)  # rejected
    get_run.sync(7, client=client)  # rejected
    get_run.sync(run_id, client=client, timeout_secs="3")  # rejected
    get_run.sync(run_id, client=client, timeout="3")  # rejected
    get_run.sync(run_id, client=client, headers={"x-a": 1})  # rejected
    get_run.synchronous(run_id, client=client)  # rejected
    print(get_run.sync(run_id, client=client).no_such_attribute)  # rejected
    print(get_run.sync_detailed(run_id, client=client).parsed.run_id)  # rejected
    Step(id=1, component="/eval")  # rejected
    Flow(step=[])  # rejected


def wrong_of_httpx() -> None:
    """Objects of httpx and httpx2 in the wrong place."""
    Client("http://localhost", http_client=httpx.HTTPTransport())  # rejected
    Client("http://localhost", http_client=httpx2.Timeout(3))  # rejected
    Client("http://localhost", transport=httpx2.Client())  # rejected
    Client("http://localhost", timeout=httpx2.Limits())  # rejected


async def wrong_async(client: Client, run_id: UUID) -> None:
    """Calls as they should not be."""
    print(get_run.asyncio(run_id, client=client).run_id)  # rejected
