"""HTTP clients alone, and json.

Each library has a function that sends a request, with a body where there is one, and returns the
body of the response. It is imported when its case begins, and no other with it.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from tools.bench.contestants.common import (
    Case,
    Run,
    World,
    awaited,
    concurrent,
    plain_items,
    repeated,
)

Get = Callable[[str], bytes]
Send = Callable[..., Awaitable[Any]]

_JSON = {"content-type": "application/json"}

# Of 64 callers some wait for their turn, longer than a client waits by default.
_TIMEOUT = 300


def _httpx(name: str) -> Callable[[], AbstractContextManager[Get]]:
    @contextlib.contextmanager
    def opened() -> Generator[Get]:
        with importlib.import_module(name).Client() as client:
            yield lambda url: client.get(url).content

    return opened


@contextlib.contextmanager
def _http_client() -> Generator[Get]:
    connection: http.client.HTTPConnection | None = None

    def get(url: str) -> bytes:
        nonlocal connection
        parts = urlsplit(url)
        if connection is None:
            connection = http.client.HTTPConnection(parts.netloc)
        connection.request("GET", parts.path)
        return connection.getresponse().read()

    yield get


@contextlib.contextmanager
def _pyreqwest() -> Generator[Get]:
    library = importlib.import_module("pyreqwest.client")
    with library.SyncClientBuilder().error_for_status().build() as client:
        yield lambda url: client.get(url).build().send().bytes().to_bytes()


def _async_httpx(name: str) -> Callable[[], AbstractAsyncContextManager[Send]]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncGenerator[Send]:
        async with importlib.import_module(name).AsyncClient(timeout=_TIMEOUT) as client:

            async def send(url: str, body: bytes | None = None) -> Any:
                if body is None:
                    response = await client.get(url)
                else:
                    response = await client.post(url, content=body, headers=_JSON)
                return response.content

            yield send

    return opened


@contextlib.asynccontextmanager
async def _aiohttp() -> AsyncGenerator[Send]:
    async with importlib.import_module("aiohttp").ClientSession() as session:

        async def send(url: str, body: bytes | None = None) -> Any:
            request = session.post(url, data=body, headers=_JSON) if body else session.get(url)
            async with request as response:
                return await response.read()

        yield send


@contextlib.asynccontextmanager
async def _async_pyreqwest() -> AsyncGenerator[Send]:
    library = importlib.import_module("pyreqwest.client")
    async with library.ClientBuilder().error_for_status().build() as client:

        async def send(url: str, body: bytes | None = None) -> Any:
            request = client.post(url) if body else client.get(url)
            if body:
                request = request.header("content-type", "application/json").body_bytes(body)
            response = await request.build().send()
            return (await response.bytes()).to_bytes()

        yield send


def _summary(content: bytes) -> list[Any]:
    run = json.loads(content)
    return [run["runId"], run["status"], run["items"]["completed"]]


def _sync_cases(library: Callable[[], AbstractContextManager[Get]]) -> dict[str, Case]:
    @contextlib.contextmanager
    def one(world: World) -> Generator[Callable[[], bytes]]:
        url = f"{world['url']}/api/v1/runs/{world['run_id']}"
        with library() as get:
            yield lambda: get(url)

    return {"sync_call": repeated(one, _summary)}


def _async_cases(library: Callable[[], AbstractAsyncContextManager[Send]]) -> dict[str, Case]:
    @contextlib.asynccontextmanager
    async def one(world: World) -> AsyncGenerator[Callable[[], Awaitable[Any]]]:
        url = f"{world['url']}/api/v1/runs/{world['run_id']}"
        async with library() as send:
            yield lambda: send(url)

    @contextlib.asynccontextmanager
    async def many(world: World) -> AsyncGenerator[Callable[[Any], Awaitable[Any]]]:
        url = f"{world['url']}/api/v1/runs"
        async with library() as send:

            async def call(value: Any) -> Any:
                document = {"flowId": world["flow_id"], "input": [value], "wait": True}
                run = json.loads(await send(url, json.dumps(document).encode()))
                return run["results"][0]["result"]["result"]

            yield call

    return {"async_call": awaited(one, _summary), "concurrent_calls": concurrent(many)}


@contextlib.contextmanager
def _memory(world: World) -> Generator[Run]:
    httpx = importlib.import_module("httpx")
    url = f"{world['url']}/api/v1/runs/{world['run_id']}/items"
    yield lambda _: plain_items(httpx.get(url, timeout=_TIMEOUT).json()["items"])


CASES: dict[str, dict[str, Case]] = {
    "httpx": {
        **_sync_cases(_httpx("httpx")),
        **_async_cases(_async_httpx("httpx")),
        "memory": _memory,
    },
    "httpx2": {**_sync_cases(_httpx("httpx2")), **_async_cases(_async_httpx("httpx2"))},
    "http.client": _sync_cases(_http_client),
    "aiohttp": _async_cases(_aiohttp),
    "pyreqwest": {**_sync_cases(_pyreqwest), **_async_cases(_async_pyreqwest)},
}
