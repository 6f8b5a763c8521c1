"""stepflow-py 0.11.2: the last of upstream's own clients that speaks REST."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any

from stepflow_py import StepflowClient
from stepflow_py.api import ApiClient, Configuration
from stepflow_py.api.api import RunApi
from stepflow_py.api.models import CreateRunRequest, ListItemsResponse

from tools.bench.contestants.common import at_once, imports, items_answer, page, plain_number
from tools.bench.worker import Run, World, serve

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


async def _api(world: World) -> RunApi:
    return RunApi(ApiClient(Configuration(host=f"{world['url']}/api/v1")))


def _number(item: Any) -> int:
    number: int = item.result.actual_instance.result["n"]
    return number


@contextlib.contextmanager
def _async_call(world: World) -> Generator[Run]:
    with asyncio.Runner() as runner:
        api = runner.run(_api(world))

        async def calls(count: int) -> object:
            run = await api.get_run(world["run_id"])
            for _ in range(count - 1):
                run = await api.get_run(world["run_id"])
            return [str(run.run_id), str(run.status.value), run.items.completed]

        yield lambda count: runner.run(calls(count))
        runner.run(api.api_client.close())


@contextlib.contextmanager
def _concurrent_calls(world: World) -> Generator[Run]:
    with asyncio.Runner() as runner:
        api = runner.run(_api(world))

        async def call(value: Any) -> Any:
            request = CreateRunRequest(flowId=world["flow_id"], input=[value], wait=True)
            run = await api.create_run(request)
            return run.results[0].result.actual_instance.result

        yield lambda count: runner.run(at_once(world["callers"], count, call))
        runner.run(api.api_client.close())


@contextlib.contextmanager
def _items(world: World) -> Generator[Run]:
    text = page(world).decode()

    def run(count: int) -> object:
        answer = None
        for _ in range(count):
            answer = ListItemsResponse.from_json(text)
        assert answer is not None
        return items_answer(answer.items, _number)

    yield run


@contextlib.contextmanager
def _memory(world: World) -> Generator[Run]:
    with asyncio.Runner() as runner:

        async def iterate() -> object:
            async with StepflowClient.connect(world["url"]) as client:
                items = await client.get_run_items(world["run_id"], timeout=300.0)
                return items_answer(items, plain_number)()

        yield lambda count: runner.run(iterate())


if __name__ == "__main__":
    serve(
        {
            "import": imports("import stepflow_py"),
            "import_and_use": imports(_IMPORT_AND_USE),
            "async_call": _async_call,
            "concurrent_calls": _concurrent_calls,
            "items_page": _items,
            "items_iterated": _items,
            "memory": _memory,
        },
        packages=["stepflow-py", "aiohttp", "pydantic"],
    )
