"""stepflow-py 0.11.2: the last of upstream's own clients that speaks REST."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

from stepflow_py import StepflowClient
from stepflow_py.api import ApiClient, Configuration
from stepflow_py.api.api import RunApi
from stepflow_py.api.models import CreateRunRequest, ListItemsResponse

from tools.bench.contestants.common import (
    Case,
    Run,
    World,
    awaited,
    concurrent,
    page,
    plain_items,
    python,
    repeated,
)

_IMPORT_AND_USE = """
import asyncio
from stepflow_py import StepflowClient
from stepflow_py.api.models import CreateRunRequest

async def main():
    client = StepflowClient.connect("http://127.0.0.1:7840")
    CreateRunRequest(flowId="f" * 64, input=[{"a": 1}])
    await client.close()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def _api(world: World) -> AsyncGenerator[RunApi]:
    async with ApiClient(Configuration(host=f"{world['url']}/api/v1")) as client:
        yield RunApi(client)


@contextlib.asynccontextmanager
async def _get_run(world: World) -> AsyncGenerator[Callable[[], Awaitable[Any]]]:
    async with _api(world) as api:
        yield functools.partial(api.get_run, world["run_id"])


@contextlib.asynccontextmanager
async def _create_run(world: World) -> AsyncGenerator[Callable[[Any], Awaitable[Any]]]:
    async with _api(world) as api:

        async def call(value: Any) -> Any:
            request = CreateRunRequest(flowId=world["flow_id"], input=[value], wait=True)
            run = await api.create_run(request)
            return run.results[0].result.actual_instance.result

        yield call


@contextlib.contextmanager
def _items(world: World) -> Generator[Callable[[], Any]]:
    yield functools.partial(ListItemsResponse.from_json, page(world).decode())


@contextlib.contextmanager
def _memory(world: World) -> Generator[Run]:
    async def iterate() -> list[int]:
        async with StepflowClient.connect(world["url"]) as client:
            return plain_items(await client.get_run_items(world["run_id"], timeout=300.0))

    yield lambda _: asyncio.run(iterate())


_PAGE = repeated(
    _items,
    lambda found: [
        len(found.items),
        sum(item.result.actual_instance.result["n"] for item in found.items),
    ],
)

CASES: dict[str, dict[str, Case]] = {
    "stepflow-py": {
        "import": python("import stepflow_py"),
        "import_and_use": python(_IMPORT_AND_USE),
        "async_call": awaited(
            _get_run, lambda run: [str(run.run_id), str(run.status.value), run.items.completed]
        ),
        "concurrent_calls": concurrent(_create_run),
        "items_page": _PAGE,
        "items_iterated": _PAGE,
        "memory": _memory,
    }
}
