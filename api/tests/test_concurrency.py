"""Many callers of one client at once, on the real server."""

from __future__ import annotations

import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import anyio
import httpx
import pytest
from pydantic import AfterValidator

from api.tests.support.connections import connections
from api.tests.support.exchange import Recorder
from api.tests.support.flows import UNKNOWN_RUN, SlowFlow, echo_flow, store
from stepflow_api import Client, models
from stepflow_api._collector import COLLECTOR
from stepflow_api._exchange.effects import Call, Steps
from stepflow_api._messages import Answer, Request
from stepflow_api._operation import Json
from stepflow_api._transport import async_connections, httpx_pool
from stepflow_api._transport.timeouts import Timeouts
from stepflow_api.api.health import health_check
from stepflow_api.api.run import create_run, get_run, get_run_items
from stepflow_api.errors import ConnectionFailed, NotFound
from tools.spec.server import StepflowServer

CALLERS = 64
CALLS = 5


def request(flow_id: str, caller: int, call: int) -> models.CreateRunRequest:
    """Return a request whose response differs from all others."""
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


def test_threads_do_not_cut_each_other_off(server: StepflowServer) -> None:
    # Threads that change places all the time: with one httpx client for all, some lose a request.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with Client(server.url) as client, ThreadPoolExecutor(CALLERS) as pool:

            def work(caller: int) -> set[str]:
                return {health_check.sync(client=client).status for _ in range(40)}

            assert set().union(*pool.map(work, range(CALLERS))) == {"healthy"}
    finally:
        sys.setswitchinterval(interval)


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


@pytest.mark.anyio
async def test_more_tasks_than_connections(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_connections, "CONNECTIONS", 3)
    open_: list[int] = []

    class Counting(Recorder):
        def _pass(self, operation_id: str, version: str, request: Request) -> Steps[Answer]:
            answer = yield from super()._pass(operation_id, version, request)
            open_.append(connections(server))
            return answer

    with Client(server.url) as other:
        flow_id = store(other, echo_flow())
    async with Client(server.url) as client:
        Counting(client)

        async def work(caller: int) -> None:
            run = await create_run.asyncio(client=client, body=request(flow_id, caller, 0))
            check(run, caller, 0)

        async with anyio.create_task_group() as tasks:
            for caller in range(20):
                tasks.start_soon(work, caller)
    assert len(open_) == 20
    assert max(open_) == 3


@pytest.mark.anyio
async def test_no_connection_comes_free_in_time(
    server: StepflowServer, slow: SlowFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_connections, "CONNECTIONS", 1)
    body = models.CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    async with Client(server.url, timeout=httpx.Timeout(30, pool=0.05)) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: create_run.asyncio(client=client, body=body))
            await anyio.to_thread.run_sync(slow.wait_for_run)
            with pytest.raises(ConnectionFailed, match="none came free in time"):
                await health_check.asyncio(client=client)
            # The sync forms have connections of their own, one for each thread.
            assert health_check.sync(client=client).status == "healthy"
            await anyio.to_thread.run_sync(slow.end)
        assert (await health_check.asyncio(client=client)).status == "healthy"


@pytest.mark.parametrize("is_own", [True, False], ids=["own", "httpx"])
@pytest.mark.anyio
async def test_the_time_of_an_exchange_begins_with_its_connection(
    is_own: bool, server: StepflowServer, slow: SlowFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (async_connections, httpx_pool):
        monkeypatch.setattr(module, "CONNECTIONS", 1)
    times = Timeouts(connect=30, read=30, write=30, pool=30, total=30)

    def ask() -> Steps[None]:
        yield Call(health_check.OPERATION, health_check.build_request(), times)

    body = models.CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    async with (
        httpx.AsyncHTTPTransport() as transport,
        Client(server.url, transport=None if is_own else transport) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: create_run.asyncio(client=client, body=body))
        await anyio.to_thread.run_sync(slow.wait_for_run)
        tasks.start_soon(client.run_async, ask())
        # The bytes of an exchange prolong it by less.
        await anyio.sleep(0.5)
        freed = time.monotonic()
        await anyio.to_thread.run_sync(slow.end)
    assert times.at is not None
    assert times.at >= freed + 30


@pytest.mark.parametrize("is_enabled", [True, False])
def test_pauses_of_the_garbage_collector_that_overlap(is_enabled: bool) -> None:
    was_enabled = gc.isenabled()
    (gc.enable if is_enabled else gc.disable)()
    try:
        first, second, third = (COLLECTOR.paused() for _ in range(3))
        for begin in (first, second, third):
            begin.__enter__()
            assert not gc.isenabled()
        # The first to begin is the first to end, as with threads.
        for end in (first, third):
            end.__exit__(None, None, None)
            assert not gc.isenabled()
        second.__exit__(None, None, None)
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_the_garbage_collector_is_paused_for_long_answers_alone() -> None:
    seen: list[bool] = []

    def record(value: int) -> int:
        seen.append(gc.isenabled())
        return value

    assert gc.isenabled()
    parse = Json(list[Annotated[int, AfterValidator(record)]])
    for space in (10, 100_000):
        assert parse(b"[1%b]" % (b" " * space)) == [1]
    assert seen == [True, False]


def test_long_answers_of_many_threads_leave_the_garbage_collector_as_it_was() -> None:
    was_enabled = gc.isenabled()
    parse = Json(list[int])
    content = b"[" + b"1," * 100_000 + b"1]"
    together = threading.Barrier(8)
    seen: list[bool] = []

    def work() -> None:
        together.wait()
        for _ in range(20):
            with COLLECTOR.paused():
                parse(content)
                seen.append(gc.isenabled())

    gc.enable()
    try:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(work) for _ in range(8)]:
                done.result()
        assert gc.isenabled()
        assert seen == [False] * 160
    finally:
        (gc.enable if was_enabled else gc.disable)()
