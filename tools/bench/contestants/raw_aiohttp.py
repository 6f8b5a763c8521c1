"""aiohttp alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Generator
from typing import Any

import aiohttp

from tools.bench.contestants.common import at_once, output_of, run_body, summary_of
from tools.bench.worker import Run, World, serve

_JSON = {"content-type": "application/json"}


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


@contextlib.contextmanager
def _async_call(world: World) -> Generator[Run]:
    url = f"{world['url']}/api/v1/runs/{world['run_id']}"
    with asyncio.Runner() as runner:
        session = runner.run(_session())

        async def calls(count: int) -> object:
            content = b""
            for _ in range(count):
                async with session.get(url) as response:
                    content = await response.read()
            return lambda: summary_of(json.loads(content))

        yield lambda count: runner.run(calls(count))
        runner.run(session.close())


@contextlib.contextmanager
def _concurrent_calls(world: World) -> Generator[Run]:
    url = f"{world['url']}/api/v1/runs"
    with asyncio.Runner() as runner:
        session = runner.run(_session())

        async def call(value: Any) -> Any:
            async with session.post(url, data=run_body(world, value), headers=_JSON) as response:
                return output_of(json.loads(await response.read()))

        yield lambda count: runner.run(at_once(world["callers"], count, call))
        runner.run(session.close())


if __name__ == "__main__":
    serve(
        {"async_call": _async_call, "concurrent_calls": _concurrent_calls},
        packages=["aiohttp"],
    )
