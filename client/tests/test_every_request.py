"""Every request of a call, not the first alone, has its header fields and its deadline."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from client.tests.support import ECHO, Driver
from stepflow_client import errors
from tools.pytest.httpx_libraries import client_class
from tools.spec.server import StepflowServer

#: Seconds for a request of the client, and for a call.
LONG, SHORT = 1000.0, 100.0

STEP = {"id": "msg", "component": "/create_messages", "input": {"user_prompt": {"$input": "$"}}}
FLOW = {"name": "every request", "steps": [STEP], "output": {"$step": "msg"}}


class Given(NamedTuple):
    """A client, the id of a flow, and runs that have finished: of one item and of two."""

    client: Any
    flow: str
    run: Any
    batch: Any


#: Calls of several requests; those of one are tested with `CALLS` of `test_call_options`.
CALLS: dict[str, Callable[..., Any]] = {
    "run": lambda given, **options: given.client.run(ECHO, 1, **options),
    "run with variables": lambda given, **options: given.client.run(
        given.flow, "x", variables_from_env=True, **options
    ),
    "run with a key": lambda given, **options: given.client.run(
        given.flow, "x", idempotency_key="one", **options
    ),
    "run with the same key": lambda given, **options: given.client.run(
        given.flow, "x", idempotency_key="one", **options
    ),
    "run_batch": lambda given, **options: given.client.run_batch(given.flow, ["x"], **options),
    "run_batch with progress": lambda given, **options: given.client.run_batch(
        given.flow, ["x", "y"], on_progress=id, **options
    ),
    "store_flow": lambda given, **options: given.client.store_flow(FLOW, **options),
    "validate": lambda given, **options: given.client.validate(given.flow, **options),
    "result": lambda given, **options: given.run.result(**options),
    "results": lambda given, **options: given.batch.results(**options),
    "events": lambda given, **options: given.batch.events(**options),
    "timeline": lambda given, **options: given.run.timeline(**options),
    "timeline of a batch": lambda given, **options: given.batch.timeline(**options),
    "report": lambda given, **options: given.run.report(os.devnull, **options),
    "report on a batch": lambda given, **options: given.batch.report(os.devnull, **options),
    "diff": lambda given, **options: given.run.diff(given.batch.id, **options),
}


@pytest.mark.parametrize("is_second", [False, True], ids=["one server", "the second server"])
def test_every_request_of_a_call(do: Driver, server: StepflowServer, is_second: bool) -> None:
    seen: list[tuple[str, str | None, float]] = []

    def record(request: httpx.Request) -> None:
        if request.url.host == "first.invalid":
            raise httpx.ConnectError("down", request=request)
        timeout: dict[str, float] = request.extensions["timeout"]
        seen.append((request.url.path, request.headers.get("x-tenant"), max(timeout.values())))

    async def record_async(request: httpx.Request) -> None:
        record(request)

    hooks = {"request": [record_async if do.is_async else record]}
    # Without TLS: to load the certificates takes longer than the test.
    http = client_class(httpx, is_async=do.is_async)(event_hooks=hooks, verify=False)
    urls = ["http://first.invalid"] * is_second + [server.url]
    client = do.client(urls, http_client=http, timeout=LONG)
    flow = do(client.store_flow(FLOW))
    run, batch = do(client.submit(flow, "x")), do(client.submit_batch(flow, ["x", "y"]))
    given = Given(client, flow, run, batch)
    for handle in (run, batch):
        do(handle.results())
    assert seen[0][1] is None and SHORT < seen[0][2] <= LONG
    for name, call in CALLS.items():
        seen.clear()
        try:
            do(call(given, headers={"x-tenant": "one"}, timeout=SHORT))
            # That of a flow that is stored is whether it is still there.
            assert len(seen) > (name != "store_flow"), name
        except errors.UnsupportedByServer:
            assert name == "run with variables"
        lacking = [one for one in seen if one[1] != "one" or one[2] > SHORT]
        assert not lacking, name
    do(client.close())
    do(http.aclose() if do.is_async else http.close())
