"""Every async call outside of asyncio is one clear error: under trio, and without an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import inspect
import os
import pickle
import pkgutil
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import trio

import stepflow_api.api
from runtime.tests.support import ECHO, descendants
from stepflow_api import Client
from stepflow_api.api.health import health_check
from stepflow_api.models import (
    CreateBatchRequest,
    CreateRunRequest,
    Flow,
    StoreBlobRequest,
    StoreFlowRequest,
)
from stepflow_client import StepflowClient
from stepflow_runtime import StepflowCluster, StepflowRuntime, errors
from stepflow_runtime._external import ExternalServer

Call = Callable[[], Any]

URL = "http://127.0.0.1:1"
ID = UUID(int=0)

#: A value for each argument that a call must have.
ARGUMENTS: dict[str, Any] = {
    "batch_id": ID,
    "blob_id": "0" * 64,
    "content": b"content",
    "data": 1,
    "flow": ECHO,
    "flow_id": "0" * 64,
    "input": 1,
    "inputs": [1],
    "other": ID,
    "path": os.devnull,
    "run_id": ID,
}
BODIES: dict[str, Any] = {
    "create_batch": CreateBatchRequest(flow_id="0" * 64, inputs=[1]),
    "create_run": CreateRunRequest(flow_id="0" * 64, input=[1]),
    "store_blob": StoreBlobRequest(data=1),
    "store_flow": StoreFlowRequest(flow=Flow.from_dict(ECHO)),
}


def _arguments(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Return a value for each argument of a function that has no default."""
    required = {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    return {name: (ARGUMENTS | options)[name] for name in required}


def _endpoints(client: Client) -> Iterator[tuple[str, Call]]:
    for tag in pkgutil.iter_modules(stepflow_api.api.__path__):
        package = importlib.import_module(f"stepflow_api.api.{tag.name}")
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.startswith("_"):
                continue
            endpoint = importlib.import_module(f"{package.__name__}.{module.name}")
            for form in ("asyncio", "asyncio_detailed"):
                function = getattr(endpoint, form)
                options = {"client": client, "body": BODIES.get(module.name, b"")}
                arguments = _arguments(function, **options)
                yield f"{module.name}.{form}", functools.partial(function, **arguments)


def _methods(what: object) -> Iterator[tuple[str, Call]]:
    """Return all async methods of an object, ready to be called."""
    for name, function in inspect.getmembers(what):
        is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        if is_async and name != "__aexit__" and (name == "__aenter__" or name[0] != "_"):
            arguments = _arguments(function)
            yield f"{type(what).__name__}.{name}", functools.partial(function, **arguments)


async def _first(called: Any) -> None:
    """Wait for a coroutine, or for the first value of an async generator."""
    if inspect.isasyncgen(called):
        async with contextlib.aclosing(called):
            await anext(called)
    else:
        await called


@pytest.fixture
def runtime() -> Iterator[StepflowRuntime]:
    with StepflowRuntime.start() as runtime:
        yield runtime


@pytest.fixture
def calls(runtime: StepflowRuntime) -> dict[str, Call]:
    """Every async call of the three packages, by its name."""
    client = Client(runtime.url)
    stepflow = StepflowClient(runtime.url)
    found = dict(_endpoints(client))
    found["Client.aclose"] = client.aclose
    found["Client.__aenter__"] = client.__aenter__
    found["__aenter__ of several servers"] = StepflowClient([runtime.url, URL]).__aenter__
    # An unpickled handle has a client of its own to close.
    handle = pickle.loads(pickle.dumps(stepflow.handle(ID)))
    for what in (stepflow, handle, runtime, ExternalServer(runtime.url).client):
        for name, call in _methods(what):
            if name != "StepflowRuntime.__aenter__":
                found.setdefault(name, call)
    return found


def _without_a_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    coroutine = main()
    with contextlib.suppress(StopIteration):
        coroutine.send(None)
        raise AssertionError("it waits for something")


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (trio.run, "needs asyncio, and trio runs this task"),
        (_without_a_loop, "needs a running asyncio event loop"),
    ],
    ids=["trio", "no event loop"],
)
def test_every_async_call(run: Callable[..., Any], problem: str, calls: dict[str, Call]) -> None:
    assert {"health_check.asyncio", "StepflowClient.run", "RunHandle.events"} < calls.keys()
    assert {"StepflowRuntime.run", "StepflowClient.close", "StepflowClient.__aenter__"} < set(calls)

    async def main() -> None:
        for name, call in calls.items():
            with pytest.raises(errors.InvalidRequest, match=problem) as raised:
                await _first(call())
            assert str(raised.value).isprintable(), name

    run(main)


@pytest.mark.parametrize("version", [None, "0.11.1", "0.13.0"])
@pytest.mark.parametrize("kind", ["default", "http_client", "transport"])
def test_trio_and_each_road_to_a_server(
    version: str | None, kind: str, runtime: StepflowRuntime
) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "default": {},
        "http_client": {"http_client": httpx.AsyncClient()},
        "transport": {"transport": httpx.AsyncHTTPTransport()},
    }
    made = kinds[kind]
    client = Client(runtime.url, server_version=version, **made)

    async def main() -> None:
        for call in (lambda: health_check.asyncio(client=client), client.__aenter__):
            with pytest.raises(errors.InvalidRequest, match="trio runs this task"):
                await call()

    trio.run(main)


def test_trio_on_top_of_asyncio(runtime: StepflowRuntime) -> None:
    async def main() -> object:
        with pytest.raises(errors.InvalidRequest, match="trio runs this task"):
            await runtime.run(ECHO, 1)
        return "done"

    async def host() -> object:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()
        trio.lowlevel.start_guest_run(
            main,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=lambda outcome: done.set_result(outcome.unwrap()),
        )
        return await done

    assert asyncio.run(host()) == "done"
    assert asyncio.run(runtime.run(ECHO, 1)).output == 1


def test_a_runtime_under_trio(runtime: StepflowRuntime) -> None:
    before = descendants()

    async def main() -> object:
        for start in (StepflowRuntime.start, StepflowCluster.start):
            with pytest.raises(errors.InvalidRequest, match="trio runs this task"):
                start()
        with pytest.raises(errors.InvalidRequest, match="trio runs this task"):
            runtime.client  # noqa: B018
        result = await trio.to_thread.run_sync(runtime.sync_client.run, ECHO, 1)
        return result.output

    assert trio.run(main) == 1
    assert descendants() == before


def test_a_runtime_entered_outside_of_asyncio_leaves_nothing() -> None:
    before = descendants()

    async def main() -> None:
        with pytest.raises(errors.InvalidRequest, match="needs a running asyncio event loop"):
            async with StepflowRuntime.start():
                raise AssertionError("it was to be refused")

    _without_a_loop(main)
    assert descendants() <= before
