"""Many callers of one client at once, on the real server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from stepflow_api.api.run import create_run, get_run, get_run_items

from api.tests.support.flows import UNKNOWN_RUN, echo_flow, store
from stepflow_api import Client, models
from stepflow_api.errors import NotFound
from tools.spec.server import StepflowServer

CALLERS = 64
CALLS = 5


def request(flow_id: str, caller: int, call: int) -> models.CreateRunRequest:
    """Gives a request whose answer is told from all others."""
    return models.CreateRunRequest(flow_id=flow_id, input={"at": [caller, call]}, wait=True)


def check(run: models.CreateRunResponse, caller: int, call: int) -> None:
    """Checks that an answer is the one to a request."""
    assert run.result is not None
    assert run.result.output == {"at": [caller, call]}


def test_64_threads_share_a_client(server: StepflowServer) -> None:
    barrier = threading.Barrier(CALLERS)
    with Client(server.url) as client:
        # The first use of a client and of a model are the callers' own, all at once.
        with Client(server.url) as other:
            flow_id = store(other, echo_flow())

        def work(caller: int) -> int:
            barrier.wait(30)
            for call in range(CALLS):
                run = create_run.sync(client=client, body=request(flow_id, caller, call))
                check(run, caller, call)
                items = get_run_items.sync(run.run_id, client=client).items
                assert items[0].result == run.result
                with pytest.raises(NotFound):
                    get_run.sync(UNKNOWN_RUN, client=client)
            return caller

        with ThreadPoolExecutor(CALLERS) as pool:
            assert sorted(pool.map(work, range(CALLERS))) == list(range(CALLERS))


@pytest.mark.anyio
async def test_64_tasks_share_a_client(client: Client) -> None:
    flow_id = store(client, echo_flow())
    done = []

    async def work(caller: int) -> None:
        for call in range(CALLS):
            run = await create_run.asyncio(client=client, body=request(flow_id, caller, call))
            check(run, caller, call)
            items = (await get_run_items.asyncio(run.run_id, client=client)).items
            assert items[0].result == run.result
            with pytest.raises(NotFound):
                await get_run.asyncio(UNKNOWN_RUN, client=client)
        done.append(caller)

    async with anyio.create_task_group() as tasks:
        for caller in range(CALLERS):
            tasks.start_soon(work, caller)
    assert sorted(done) == list(range(CALLERS))


@pytest.mark.anyio
async def test_tasks_and_threads_share_a_client(client: Client) -> None:
    flow_id = store(client, echo_flow())

    def in_thread(caller: int) -> None:
        for call in range(CALLS):
            check(create_run.sync(client=client, body=request(flow_id, caller, call)), caller, call)

    async def in_loop(caller: int) -> None:
        for call in range(CALLS):
            run = await create_run.asyncio(client=client, body=request(flow_id, caller, call))
            check(run, caller, call)

    async with anyio.create_task_group() as tasks:
        for caller in range(8):
            tasks.start_soon(anyio.to_thread.run_sync, in_thread, caller)
            tasks.start_soon(in_loop, caller + 8)
