"""The same calls return equal typed results on every server that can do them, field by field."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.tests.support.flows import SlowFlow, message_flow
from compat.tests.calls import Caller, fields
from stepflow_api import Client, models
from stepflow_api.api.flow import store_flow
from stepflow_api.api.run import create_run
from stepflow_client import StepflowClient, SyncStepflowClient
from tools.spec.server import StepflowServer

BINARIES = dict(one.split("=") for one in os.environ["STEPFLOW_SERVERS"].split())

#: The one that serves the stored spec.
REFERENCE = "0.11.1"

MESSAGE = message_flow(name="same").to_dict()
ECHO = {"name": "same-echo", "steps": [], "output": {"$input": "$"}}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, StepflowServer]]:
    """A server of every version."""
    servers = {version: StepflowServer(binary).start() for version, binary in BINARIES.items()}
    try:
        yield servers
    finally:
        for server in servers.values():
            server.kill()


def readme(caller: Caller, url: str, folder: Path) -> Any:
    """The usage example of README.md."""

    async def main() -> Any:
        async with Client(base_url=url) as client:
            flow = models.Flow.from_dict(MESSAGE)
            stored = await store_flow.asyncio(
                client=client, body=models.StoreFlowRequest(flow=flow)
            )
            response = await create_run.asyncio_detailed(
                client=client,
                body=models.CreateRunRequest(
                    flow_id=stored.flow_id, input={"prompt": "Hello!"}, wait=True
                ),
            )
            run = response.parsed
            assert isinstance(run, models.CreateRunResponse)
            return response.status_code, stored.stored, run, run.result

    return asyncio.run(main())


def run(caller: Caller, url: str, folder: Path) -> Any:
    """`run`, of a flow that succeeds and one that fails."""
    client = caller.client
    failed = caller(client.run(MESSAGE, {}))
    return [
        caller(client.run(MESSAGE, {"prompt": "a"})),
        failed,
        caller(client.run(ECHO, ["x", None])),
    ]


def submit(caller: Caller, url: str, folder: Path) -> Any:
    """`submit`, and what the handle reports."""
    handle = caller(caller.client.submit(MESSAGE, {"prompt": "b"}))
    result = caller(handle.result())
    return [result, caller(handle.status()), list(caller(handle.items()))]


def run_batch(caller: Caller, url: str, folder: Path) -> Any:
    """`run_batch`, of items that succeed and one that fails."""
    inputs = [{"prompt": "a"}, {}, {"prompt": "c"}]
    return list(caller(caller.client.run_batch(MESSAGE, inputs, max_concurrency=2)))


def long_batch(caller: Caller, url: str, folder: Path) -> Any:
    """`run_batch` of 1,000 items, one of which fails, in the order of its inputs."""
    inputs = [{"prompt": str(number)} if number != 617 else {} for number in range(1000)]
    results = list(caller(caller.client.run_batch(MESSAGE, inputs)))
    assert [one.output for one in results if one.is_success] == [
        str(number) for number in range(1000) if number != 617
    ]
    return results


def list_runs(caller: Caller, url: str, folder: Path) -> Any:
    """`list_runs`, filtered and not."""
    flow = {**MESSAGE, "name": f"listed-{caller.client.__class__.__name__}"}
    caller(caller.client.run(flow, {"prompt": "a"}))
    caller(caller.client.run(flow, {}))
    every = caller(caller.client.list_runs(flow_name=flow["name"]))
    status = models.ExecutionStatus.FAILED
    failed = caller(caller.client.list_runs(flow_name=flow["name"], status=status, limit=5))
    return [every, failed]


def list_components(caller: Caller, url: str, folder: Path) -> Any:
    """`list_components`: those that every server has."""
    found = caller(caller.client.list_components(include_schemas=False))
    every = {
        "/create_messages",
        "/eval",
        "/get_blob",
        "/iterate",
        "/load_file",
        "/map",
        "/put_blob",
    }
    # Only servers from 0.13 on report the plugin.
    common = [one.model_copy(update={"plugin": None}) for one in found if one.component in every]
    return sorted(common, key=lambda one: one.component)


def cancel(caller: Caller, url: str, folder: Path) -> Any:
    """`cancel`, of a run in progress."""
    with Client(url) as client, SlowFlow(client, folder) as slow:
        cancelled = caller(caller.client.handle(slow.start()).cancel())
        slow.end()
    return cancelled


def blobs(caller: Caller, url: str, folder: Path) -> Any:
    """`put_blob` and `get_blob`, of JSON and of bytes."""
    client = caller.client
    ids = [caller(client.put_blob(one)) for one in ({"n": 1, "f": 1.5}, b"\0\xff", [None])]
    return [ids, *(caller(client.get_blob(one)) for one in ids)]


CALLS: dict[Callable[[Caller, str, Path], Any], list[str]] = {
    call: [version for version in BINARIES if version not in lacking]
    for call, lacking in {
        readme: (),
        run: (),
        submit: (),
        run_batch: (),
        long_batch: (),
        list_runs: (),
        list_components: (),
        cancel: (),
        blobs: ("0.9.0",),
    }.items()
}


@pytest.mark.parametrize("cls", [SyncStepflowClient, StepflowClient])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_equal_on_every_server(
    call: Any, cls: type[Any], servers: dict[str, StepflowServer], tmp_path: Path
) -> None:
    results = {}
    for version in CALLS[call]:
        folder = tmp_path / version
        folder.mkdir()
        caller = Caller(cls, servers[version].url)
        try:
            results[version] = fields(call(caller, servers[version].url, folder))
        finally:
            caller.close()
    assert {"0.10.0", "0.11.1", "0.13.0"} <= results.keys()
    for version, result in results.items():
        assert result == results[REFERENCE], f"{version} has another result than {REFERENCE}"
