"""This project's packages, through what they make public."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpx

from stepflow_api import Client
from stepflow_api.api.run import create_run, get_run, get_run_items
from stepflow_api.models import CreateRunRequest, ItemResult, ListItemsResponse, RunDetails
from stepflow_client import SyncStepflowClient
from tools.bench.contestants.common import (
    at_once,
    imports,
    items_answer,
    page,
    run_module,
    starts,
)
from tools.bench.worker import Run, World, serve

_IMPORT_AND_USE = """
from stepflow_api import Client
from stepflow_api.models import CreateRunRequest

with Client("http://127.0.0.1:7840"):
    CreateRunRequest(flow_id="f" * 64, input={"a": 1})
"""

_PIECE = 64 * 1024


def _summary(run: RunDetails) -> list[Any]:
    return [str(run.run_id), run.status.value, run.items.completed]


def _number(item: ItemResult) -> int:
    assert item.result is not None and item.result.output is not None
    number: int = item.result.output["n"]
    return number


@contextlib.contextmanager
def _sync_call(world: World) -> Generator[Run]:
    with Client(world["url"]) as client:

        def run(count: int) -> object:
            found = get_run.sync(world["run_id"], client=client)
            for _ in range(count - 1):
                found = get_run.sync(world["run_id"], client=client)
            return _summary(found)

        yield run


@contextlib.contextmanager
def _async_call(world: World) -> Generator[Run]:
    with asyncio.Runner() as runner:
        client = Client(world["url"])

        async def calls(count: int) -> object:
            found = await get_run.asyncio(world["run_id"], client=client)
            for _ in range(count - 1):
                found = await get_run.asyncio(world["run_id"], client=client)
            return _summary(found)

        yield lambda count: runner.run(calls(count))
        runner.run(client.aclose())


@contextlib.contextmanager
def _concurrent_calls(world: World) -> Generator[Run]:
    with asyncio.Runner() as runner:
        client = Client(world["url"])

        async def call(value: Any) -> Any:
            body = CreateRunRequest(flow_id=world["flow_id"], input=value, wait=True)
            run = await create_run.asyncio(client=client, body=body)
            return run.result.output if run.result else None

        yield lambda count: runner.run(at_once(world["callers"], count, call))
        runner.run(client.aclose())


class _Pieces(httpx.SyncByteStream):
    """A body as it comes from a network."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _PIECE):
            yield self._content[start : start + _PIECE]


def _replay(content: bytes) -> httpx.MockTransport:
    """Return the server's answer without server and network, whose share is no parsing."""
    headers = {"content-type": "application/json", "content-length": str(len(content))}
    return httpx.MockTransport(
        lambda request: httpx.Response(200, headers=headers, stream=_Pieces(content))
    )


@contextlib.contextmanager
def _items_page(world: World) -> Generator[Run]:
    with Client(world["url"], transport=_replay(page(world))) as client:

        def run(count: int) -> object:
            answer: ListItemsResponse | None = None
            for _ in range(count):
                answer = get_run_items.sync(world["run_id"], client=client)
            assert answer is not None
            return items_answer(answer.items, _number)

        yield run


@contextlib.contextmanager
def _items_iterated(world: World) -> Generator[Run]:
    with SyncStepflowClient(world["url"], transport=_replay(page(world))) as client:

        def run(count: int) -> object:
            items = client.handle(world["run_id"]).items()
            for again in range(count):
                if again:
                    items = client.handle(world["run_id"]).items()
                collections.deque(items, maxlen=0)
            # What the items say is looked at once the time is taken, as of other contestants.
            return lambda: [len(items), sum(map(_number, items))]

        yield run


@contextlib.contextmanager
def _memory(world: World) -> Generator[Run]:
    with SyncStepflowClient(world["url"]) as client:

        def run(count: int) -> object:
            items = client.handle(world["run_id"]).items()
            return [len(items), sum(map(_number, items))]

        yield run


@contextlib.contextmanager
def _compile(world: World) -> Generator[Run]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "made.zip")
        arguments = [
            f"--spec={world['spec']}",
            "--package=stepflow_api",
            "--command=bench",
            f"--ruff={world['ruff']}",
            f"--archive={archive}",
            "--hand-written",
            *world["hand_written"],
        ]

        def run(count: int) -> object:
            measured = run_module("tools.codegen.compile", arguments, count)
            with zipfile.ZipFile(archive) as made:
                if world["has"] not in made.namelist():
                    raise RuntimeError(f"the compiler made no {world['has']}")
            return measured

        yield run


if __name__ == "__main__":
    serve(
        {
            "import": imports("import stepflow_api"),
            "import_and_use": imports(_IMPORT_AND_USE),
            "sync_call": _sync_call,
            "async_call": _async_call,
            "concurrent_calls": _concurrent_calls,
            "items_page": _items_page,
            "items_iterated": _items_iterated,
            "memory": _memory,
            "compile": _compile,
            "start": starts("runtime"),
        },
        packages=["httpx", "pydantic"],
    )
