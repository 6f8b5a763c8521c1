"""What httpx and httpx2 do, which have the same interface."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Mapping
from typing import Any

from tools.bench.contestants.common import (
    at_once,
    items_answer,
    output_of,
    plain_number,
    run_body,
    summary_of,
)
from tools.bench.worker import Case, Run, World

_JSON = {"content-type": "application/json"}


def httpx_cases(library: Any) -> Mapping[str, Case]:
    """Return the cases of a library.

    Args:
        library: The module `httpx` or `httpx2`.
    """

    @contextlib.contextmanager
    def sync_call(world: World) -> Generator[Run]:
        url = f"{world['url']}/api/v1/runs/{world['run_id']}"
        with library.Client() as client:

            def run(count: int) -> object:
                response = client.get(url)
                for _ in range(count - 1):
                    response = client.get(url)
                return lambda: summary_of(response.raise_for_status().json())

            yield run

    @contextlib.contextmanager
    def async_call(world: World) -> Generator[Run]:
        url = f"{world['url']}/api/v1/runs/{world['run_id']}"
        with asyncio.Runner() as runner:
            client = library.AsyncClient()

            async def calls(count: int) -> object:
                response = await client.get(url)
                for _ in range(count - 1):
                    response = await client.get(url)
                return lambda: summary_of(response.raise_for_status().json())

            yield lambda count: runner.run(calls(count))
            runner.run(client.aclose())

    @contextlib.contextmanager
    def concurrent_calls(world: World) -> Generator[Run]:
        url = f"{world['url']}/api/v1/runs"
        with asyncio.Runner() as runner:
            # Waiting callers would otherwise give up: a caller is to wait for its turn.
            client = library.AsyncClient(timeout=300)

            async def call(value: Any) -> Any:
                response = await client.post(url, content=run_body(world, value), headers=_JSON)
                return output_of(response.json())

            yield lambda count: runner.run(at_once(world["callers"], count, call))
            runner.run(client.aclose())

    @contextlib.contextmanager
    def memory(world: World) -> Generator[Run]:
        url = f"{world['url']}/api/v1/runs/{world['run_id']}/items"

        def run(count: int) -> object:
            response = library.get(url, timeout=300)
            return items_answer(response.json()["items"], plain_number)()

        yield run

    return {
        "sync_call": sync_call,
        "async_call": async_call,
        "concurrent_calls": concurrent_calls,
        "memory": memory,
    }
