"""This project's packages, through their public names."""

from __future__ import annotations

import collections
import contextlib
import functools
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx

from stepflow_api import Client
from stepflow_api.api.run import create_run, get_run, get_run_items
from stepflow_api.models import CreateRunRequest, RunDetails
from stepflow_client import SyncStepflowClient
from tools.bench.contestants.common import (
    Case,
    World,
    awaited,
    concurrent,
    module,
    page,
    python,
    repeated,
    starts,
)

_IMPORT_AND_USE = """
from stepflow_api import Client
from stepflow_api.models import CreateRunRequest

with Client("http://127.0.0.1:7840"):
    CreateRunRequest(flow_id="f" * 64, input={"a": 1})
"""

_PIECE = 64 * 1024


@contextlib.contextmanager
def _get_run(world: World) -> Generator[Callable[[], RunDetails]]:
    with Client(world["url"]) as client:
        yield functools.partial(get_run.sync, world["run_id"], client=client)


@contextlib.asynccontextmanager
async def _get_run_async(world: World) -> AsyncGenerator[Callable[[], Awaitable[RunDetails]]]:
    async with Client(world["url"]) as client:
        yield functools.partial(get_run.asyncio, world["run_id"], client=client)


def _summary(run: RunDetails) -> list[Any]:
    return [str(run.run_id), run.status.value, run.items.completed]


@contextlib.asynccontextmanager
async def _create_run(world: World) -> AsyncGenerator[Callable[[Any], Awaitable[Any]]]:
    async with Client(world["url"]) as client:

        async def call(value: Any) -> Any:
            body = CreateRunRequest(flow_id=world["flow_id"], input=value, wait=True)
            run = await create_run.asyncio(client=client, body=body)
            return run.result.output if run.result else None

        yield call


class _Pieces(httpx.SyncByteStream):
    """A body as it comes from a network."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _PIECE):
            yield self._content[start : start + _PIECE]


def _replay(content: bytes) -> httpx.MockTransport:
    """Return the server's response without server and network, whose share is no parsing."""
    headers = {"content-type": "application/json", "content-length": str(len(content))}
    return httpx.MockTransport(
        lambda _request: httpx.Response(200, headers=headers, stream=_Pieces(content))
    )


@contextlib.contextmanager
def _items_page(world: World) -> Generator[Callable[[], Any]]:
    with Client(world["url"], transport=_replay(page(world))) as client:
        yield lambda: get_run_items.sync(world["run_id"], client=client).items


@contextlib.contextmanager
def _items_iterated(world: World) -> Generator[Callable[[], Any]]:
    with SyncStepflowClient(world["url"], transport=_replay(page(world))) as client:

        def iterate() -> Any:
            items = client.handle(world["run_id"]).items()
            collections.deque(items, maxlen=0)
            return items

        yield iterate


@contextlib.contextmanager
def _memory(world: World) -> Generator[Callable[[int], Any]]:
    with SyncStepflowClient(world["url"]) as client:
        yield lambda _: _numbers(client.handle(world["run_id"]).items())


def _numbers(items: Any) -> list[int]:
    return [len(items), sum(item.result.output["n"] for item in items)]


def _compile(world: World, folder: Path) -> list[str]:
    return [
        f"--spec={world['spec']}",
        "--package=stepflow_api",
        "--command=bench",
        f"--ruff={world['ruff']}",
        f"--archive={folder / 'made.zip'}",
        "--hand-written",
        *(
            f"{file.rpartition('/src/stepflow_api/')[2]}={file}"
            for file in world["hand_written"].split()
        ),
    ]


def _compiled(world: World, folder: Path) -> bool:
    with zipfile.ZipFile(folder / "made.zip") as made:
        return world["has"] in made.namelist()


CASES: dict[str, dict[str, Case]] = {
    "stepflow": {
        "import": python("import stepflow_api"),
        "import_and_use": python(_IMPORT_AND_USE),
        "sync_call": repeated(_get_run, _summary),
        "async_call": awaited(_get_run_async, _summary),
        "concurrent_calls": concurrent(_create_run),
        "items_page": repeated(_items_page, _numbers),
        "items_iterated": repeated(_items_iterated, _numbers),
        "memory": _memory,
        "compile": module("tools.codegen.compile", _compile, _compiled),
        "start": starts("runtime"),
    }
}
