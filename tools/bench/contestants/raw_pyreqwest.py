"""pyreqwest alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Generator
from typing import Any

from pyreqwest.client import Client, ClientBuilder, SyncClientBuilder

from tools.bench.contestants.common import at_once, output_of, run_body, summary_of
from tools.bench.worker import Run, World, serve


@contextlib.contextmanager
def _sync_call(world: World) -> Generator[Run]:
    url = f"{world['url']}/api/v1/runs/{world['run_id']}"
    with SyncClientBuilder().error_for_status().build() as client:

        def run(count: int) -> object:
            content = b""
            for _ in range(count):
                content = client.get(url).build().send().bytes().to_bytes()
            return lambda: summary_of(json.loads(content))

        yield run


async def _client() -> Client:
    return ClientBuilder().error_for_status().build()


@contextlib.contextmanager
def _async_call(world: World) -> Generator[Run]:
    url = f"{world['url']}/api/v1/runs/{world['run_id']}"
    with asyncio.Runner() as runner:
        client = runner.run(_client())

        async def calls(count: int) -> object:
            content = b""
            for _ in range(count):
                response = await client.get(url).build().send()
                content = (await response.bytes()).to_bytes()
            return lambda: summary_of(json.loads(content))

        yield lambda count: runner.run(calls(count))
        runner.run(client.close())


@contextlib.contextmanager
def _concurrent_calls(world: World) -> Generator[Run]:
    url = f"{world['url']}/api/v1/runs"
    with asyncio.Runner() as runner:
        client = runner.run(_client())

        async def call(value: Any) -> Any:
            request = client.post(url).header("content-type", "application/json")
            response = await request.body_bytes(run_body(world, value)).build().send()
            return output_of(json.loads((await response.bytes()).to_bytes()))

        yield lambda count: runner.run(at_once(world["callers"], count, call))
        runner.run(client.close())


if __name__ == "__main__":
    serve(
        {
            "sync_call": _sync_call,
            "async_call": _async_call,
            "concurrent_calls": _concurrent_calls,
        },
        packages=["pyreqwest"],
    )
