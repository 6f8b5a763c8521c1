"""Finds out what the SDK can do with a server: it calls every operation of the real binary.

Nothing is declared here. An operation works where a server of this version takes the very request
of the stored spec and returns the very answer that the caller gets; it is emulated where either had
to be translated.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import httpx

from api.tests.support.flows import SlowFlow, message_flow, run, store
from stepflow_api import Client, models
from stepflow_api.api.blob import get_blob, store_blob
from stepflow_api.api.component import list_components
from stepflow_api.api.flow import delete_flow, get_flow, get_flow_variables, store_flow
from stepflow_api.api.health import health_check
from stepflow_api.api.run import (
    cancel_run,
    create_run,
    delete_run,
    get_run,
    get_run_flow,
    get_run_items,
    get_run_steps,
    list_runs,
)
from stepflow_api.errors import StepflowError, UnsupportedByServer
from stepflow_api.types import Response
from tools.spec.server import StepflowServer


class Support(StrEnum):
    """How a server supports an operation."""

    WORKS = "works"
    EMULATED = "emulated"
    UNSUPPORTED = "unsupported"


class ProbeError(Exception):
    """The server did what neither the spec nor the SDK has; the message is one line."""


@dataclass(frozen=True)
class _World:
    """What the operations work on.

    Attributes:
        flow: The id of a flow.
        run: The id of a run that has ended.
        batch: The id of one with two items.
        running: The id of one in progress.
        blob: The id of a blob, where the server has blobs.
    """

    flow: str
    run: str
    batch: str
    running: str
    blob: str


@dataclass(frozen=True)
class _Call:
    """A call of an operation, and whether its result is right."""

    call: Callable[[Client, _World], Response[Any]]
    is_right: Callable[[Any], object]


def _create(flow: str, *inputs: object, **fields: object) -> models.CreateRunRequest:
    document = {"flowId": flow, "input": list(inputs), "wait": True, **fields}
    return models.CreateRunRequest.from_dict(document)


_INPUT: Final = {"prompt": "a"}
_OVERRIDES: Final = {"steps": {"msg": {"value": {"input": {"user_prompt": "b"}}}}}
_NO_BLOB: Final = "0" * 64

#: A call of each operation by its name in the spec, and of what single versions lack of one.
CALLS: Final[Mapping[str, _Call]] = {
    "healthCheck": _Call(
        lambda c, _w: health_check.sync_detailed(client=c),
        lambda health: health.version,
    ),
    "listComponents": _Call(
        lambda c, _w: list_components.sync_detailed(client=c),
        lambda listed: "/create_messages" in [one.component for one in listed.components],
    ),
    "storeFlow": _Call(
        lambda c, _w: store_flow.sync_detailed(
            client=c, body=models.StoreFlowRequest(flow=message_flow())
        ),
        lambda stored: stored.stored and stored.diagnostics.num_fatal == 0,
    ),
    "getFlow": _Call(
        lambda c, w: get_flow.sync_detailed(w.flow, client=c),
        lambda found: found.flow.name == "message",
    ),
    "getFlowVariables": _Call(
        lambda c, w: get_flow_variables.sync_detailed(w.flow, client=c),
        lambda found: found.flow_id,
    ),
    "deleteFlow": _Call(
        lambda c, w: delete_flow.sync_detailed(w.flow, client=c),
        lambda nothing: nothing is None,
    ),
    "createRun": _Call(
        lambda c, w: create_run.sync_detailed(client=c, body=_create(w.flow, _INPUT)),
        lambda done: done.result.output == "a",
    ),
    "createRun, with overrides": _Call(
        lambda c, w: create_run.sync_detailed(
            client=c, body=_create(w.flow, _INPUT, overrides=_OVERRIDES)
        ),
        lambda done: done.result.output == "b",
    ),
    "createRun, of no items": _Call(
        lambda c, w: create_run.sync_detailed(client=c, body=_create(w.flow)),
        lambda done: done.items.total == 0,
    ),
    "listRuns": _Call(
        lambda c, _w: list_runs.sync_detailed(client=c),
        lambda listed: {"completed", "running"} <= {run.status for run in listed.runs},
    ),
    "getRun": _Call(
        lambda c, w: get_run.sync_detailed(w.run, client=c),
        lambda run: run.status == "completed",
    ),
    "getRunItems": _Call(
        lambda c, w: get_run_items.sync_detailed(w.batch, client=c),
        lambda listed: [item.result.output for item in listed.items] == ["a", "a"],
    ),
    "getRunSteps": _Call(
        lambda c, w: get_run_steps.sync_detailed(w.run, client=c),
        lambda listed: listed.steps["msg"].status == "completed",
    ),
    "getRunSteps, of one of several items": _Call(
        lambda c, w: get_run_steps.sync_detailed(w.batch, client=c, item_index=1),
        lambda listed: listed.steps["msg"].status == "completed",
    ),
    "getRunFlow": _Call(
        lambda c, w: get_run_flow.sync_detailed(w.run, client=c),
        lambda found: found.flow.name == "message",
    ),
    "cancelRun": _Call(
        lambda c, w: cancel_run.sync_detailed(w.running, client=c),
        lambda run: run.status == "cancelled",
    ),
    "deleteRun": _Call(
        lambda c, w: delete_run.sync_detailed(w.run, client=c),
        lambda nothing: nothing is None,
    ),
    "storeBlob": _Call(
        lambda c, _w: store_blob.sync_detailed(client=c, body=_blob()),
        lambda stored: len(stored.blob_id) == len(_NO_BLOB),
    ),
    "getBlob": _Call(
        lambda c, w: get_blob.sync_detailed(w.blob, client=c),
        lambda blob: blob.data == {"a": "b"},
    ),
}


def probe(binary: str | os.PathLike[str]) -> dict[str, Support]:
    """Call every operation on a server.

    Returns:
        What becomes of each call of `CALLS`.

    Raises:
        ProbeError: An operation neither returns the right result, nor is refused by the SDK.
        ServerError: The server does not start.
    """
    server = StepflowServer(binary).start()
    try:
        with (
            contextlib.closing(_Wire()) as wire,
            tempfile.TemporaryDirectory() as folder,
            Client(server.url, transport=wire) as client,
            # What it asks, and when, is none of the calls.
            Client(server.url) as other,
            SlowFlow(other, Path(folder)) as slow,
        ):
            world = _make_world(client, slow)
            return {name: _support(name, call, client, world, wire) for name, call in CALLS.items()}
    finally:
        # The run that was cancelled may still block, and hold a polite end up.
        server.kill()


class _Wire(httpx.BaseTransport):
    """Passes requests on, and keeps what went by."""

    def __init__(self) -> None:
        self.seen: list[tuple[httpx.Request, int, bytes]] = []
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        content = response.read()
        self.seen.append((request, response.status_code, content))
        return response

    def close(self) -> None:
        self._transport.close()


def _blob() -> models.StoreBlobRequest:
    return models.StoreBlobRequest.from_dict({"data": {"a": "b"}, "blobType": "data"})


def _make_world(client: Client, slow: SlowFlow) -> _World:
    flow = store(client, message_flow())
    one, two = run(client, flow, _INPUT), run(client, flow, [_INPUT, _INPUT])
    try:
        blob = store_blob.sync(client=client, body=_blob()).blob_id
    except UnsupportedByServer:
        blob = _NO_BLOB
    return _World(flow, str(one.run_id), str(two.run_id), slow.start(), blob)


def _support(name: str, call: _Call, client: Client, world: _World, wire: _Wire) -> Support:
    wire.seen.clear()
    try:
        response = call.call(client, world)
    except UnsupportedByServer:
        return Support.UNSUPPORTED
    except StepflowError as error:
        raise ProbeError(f"{name}: {error}") from error
    if not (response.is_success and call.is_right(response.parsed)):
        raise ProbeError(f"{name}: {response.status_code}: {response.content!r}")
    if len(wire.seen) != 1:
        return Support.EMULATED
    ((request, status, content),) = wire.seen
    same = (status, content) == (response.status_code, response.content)
    is_native = same and _shape(request) == _native(call, world)
    return Support.WORKS if is_native else Support.EMULATED


def _native(call: _Call, world: _World) -> tuple[str, bytes, bytes]:
    """Return the request as the stored spec has it."""
    requests: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(404)

    transport = httpx.MockTransport(refuse)
    with (
        Client("http://pinned", transport=transport, server_version="0.11.1") as client,
        contextlib.suppress(StepflowError),
    ):
        call.call(client, world)
    (request,) = requests
    return _shape(request)


def _shape(request: httpx.Request) -> tuple[str, bytes, bytes]:
    return request.method, request.url.raw_path, request.read()
