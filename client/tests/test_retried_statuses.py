"""Which error statuses are retried, by what the request does."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from client.tests.support import ECHO, Driver
from stepflow_api.testing import MockRequest, MockServer, finished_run
from stepflow_client import RetryPolicy, errors

RUN_ID = "00000000-0000-0000-0000-000000000001"
STATUSES = (400, 403, 408, 428, 429, 430, 500, 501, 502, 503, 504, 505, 599)

#: These tell apart what is retried.
SOME_STATUSES = (403, 429, 500, 502, 503)

#: The event of a finished run, as servers from 0.12 on send it.
DONE = {
    "sequence_number": 1,
    "timestamp": "2026-01-01T00:00:00Z",
    "kind": "RunCompleted",
    "data": {"runId": RUN_ID, "status": "completed"},
}

FLOW_ID = "0" * 64

#: Of a request that may be repeated, of one that creates a run, and of a wait for a known run.
SAFE, CREATING, WAITING = {429, 502, 503, 504}, {429, 503}, {429, *range(500, 600)}

#: A call, and the statuses that are retried by the route that fails once.
CALLS: dict[str, tuple[Callable[..., Any], dict[str, set[int]]]] = {
    "list_runs": (lambda client, **more: client.list_runs(limit=1, **more), {"GET /runs": SAFE}),
    "list_components": (
        lambda client, **more: client.list_components(**more),
        {"GET /components": SAFE},
    ),
    "get_flow": (
        lambda client, **more: client.get_flow(FLOW_ID, **more),
        {"GET /flows/{flow_id}": SAFE},
    ),
    "get_variables": (
        lambda client, **more: client.get_variables(FLOW_ID, **more),
        {"GET /flows/{flow_id}/variables": SAFE},
    ),
    "validate": (lambda client, **more: client.validate(ECHO, **more), {"POST /flows": SAFE}),
    "validate by id": (
        lambda client, **more: client.validate(FLOW_ID, **more),
        {"GET /flows/{flow_id}": SAFE, "POST /flows": SAFE},
    ),
    "store_flow": (lambda client, **more: client.store_flow(ECHO, **more), {"POST /flows": SAFE}),
    "put_blob": (lambda client, **more: client.put_blob(1, **more), {"POST /blobs": SAFE}),
    "put_blob bytes": (lambda client, **more: client.put_blob(b"1", **more), {"POST /blobs": SAFE}),
    "get_blob": (
        lambda client, **more: client.get_blob("b", **more),
        {"GET /blobs/{blob_id}": SAFE},
    ),
    # Another status than these may mean that there is a run.
    "submit": (lambda client, **more: client.submit(FLOW_ID, 1, **more), {"POST /runs": CREATING}),
    "submit, twice if need be": (
        lambda client, **more: client.submit(FLOW_ID, 1, retry_create=True, **more),
        {"POST /runs": SAFE},
    ),
    "submit with variables": (
        lambda client, **more: client.submit(FLOW_ID, 1, variables_from_env=True, **more),
        {"GET /flows/{flow_id}/variables": SAFE, "POST /runs": CREATING},
    ),
    "submit with a key": (
        lambda client, **more: client.submit(FLOW_ID, 1, idempotency_key="a", **more),
        {"GET /flows/{flow_id}": SAFE, "GET /runs": SAFE, "POST /flows": SAFE},
    ),
    "run": (
        lambda client, **more: client.run(ECHO, 1, **more),
        {
            "POST /flows": SAFE,
            "POST /runs": CREATING,
            "GET /runs/{run_id}": WAITING,
            "GET /runs/{run_id}/items": WAITING,
        },
    ),
    "result": (
        lambda client, **more: client.handle(RUN_ID).result(**more),
        {"GET /runs/{run_id}": WAITING, "GET /runs/{run_id}/items": WAITING},
    ),
    "results": (
        lambda client, **more: client.handle(RUN_ID).results(**more),
        {"GET /runs/{run_id}": WAITING, "GET /runs/{run_id}/items": WAITING},
    ),
    "results with progress": (
        lambda client, **more: client.handle(RUN_ID).results(on_progress=id, **more),
        {"GET /runs": WAITING, "GET /runs/{run_id}/items": WAITING},
    ),
    "status": (
        lambda client, **more: client.handle(RUN_ID).status(**more),
        {"GET /runs/{run_id}": SAFE},
    ),
    "items": (
        lambda client, **more: client.handle(RUN_ID).items(**more),
        {"GET /runs/{run_id}/items": SAFE},
    ),
    "steps": (
        lambda client, **more: client.handle(RUN_ID).steps(**more),
        {"GET /runs/{run_id}/steps": SAFE},
    ),
    "cancel": (
        lambda client, **more: client.handle(RUN_ID).cancel(**more),
        {"POST /runs/{run_id}/cancel": SAFE},
    ),
    "cancel and wait": (
        lambda client, **more: client.handle(RUN_ID).cancel(wait=True, **more),
        {"POST /runs/{run_id}/cancel": SAFE, "GET /runs/{run_id}": WAITING},
    ),
    "events": (
        lambda client, **more: client.handle(RUN_ID).events(**more),
        {"GET /runs": WAITING, "GET /runs/{run_id}/events": WAITING},
    ),
    "events so far": (
        lambda client, **more: client.handle(RUN_ID).events(follow=False, **more),
        {"GET /runs": SAFE, "GET /runs/{run_id}/events": SAFE},
    ),
    "timeline": (
        lambda client, **more: client.handle(RUN_ID).timeline(**more),
        {"GET /runs": SAFE, "GET /runs/{run_id}/events": SAFE},
    ),
    "report": (
        lambda client, **more: client.handle(RUN_ID).report(os.devnull, **more),
        {
            "GET /runs": SAFE,
            "GET /flows/{flow_id}": SAFE,
            "GET /runs/{run_id}": SAFE,
            "GET /runs/{run_id}/items": SAFE,
            "GET /runs/{run_id}/steps": SAFE,
        },
    ),
    "diff": (
        lambda client, **more: client.handle(RUN_ID).diff(RUN_ID, **more),
        {
            "GET /runs": SAFE,
            "GET /flows/{flow_id}": SAFE,
            "GET /runs/{run_id}": SAFE,
            "GET /runs/{run_id}/items": SAFE,
            "GET /runs/{run_id}/steps": SAFE,
        },
    ),
    "timeline in progress": (
        lambda client, **more: client.handle(RUN_ID).timeline(**more),
        {"GET /health": SAFE, "GET /runs/{run_id}/events": SAFE},
    ),
    "timeline of a batch": (
        lambda client, **more: client.handle(RUN_ID).timeline(**more),
        {"GET /runs/{run_id}/items": SAFE},
    ),
    "timeline without events": (
        lambda client, **more: client.handle(RUN_ID).timeline(**more),
        {"GET /runs/{run_id}/items": SAFE, "GET /runs/{run_id}/steps": SAFE},
    ),
    "timeline of a batch without events": (
        lambda client, **more: client.handle(RUN_ID).timeline(**more),
        {"GET /runs/{run_id}": SAFE, "GET /runs/{run_id}/items": SAFE},
    ),
    # They are not in a list of runs that no other has started.
    "events of an inner run": (
        lambda client, **more: client.handle(RUN_ID).events(**more),
        {"GET /runs": WAITING, "GET /runs/{run_id}": WAITING},
    ),
    "timeline of an inner run": (
        lambda client, **more: client.handle(RUN_ID).timeline(**more),
        {"GET /runs": SAFE, "GET /runs/{run_id}": SAFE},
    ),
    "events that are polled": (
        lambda client, **more: client.handle(RUN_ID).events(**more),
        {"GET /runs": WAITING, "GET /runs/{run_id}/steps": SAFE},
    ),
}


def routes(name: str) -> dict[str, Any]:
    """Return the answers of a server with a run that has finished, or as the call needs it."""
    done: dict[str, Any] = finished_run(*["done"] * (2 if "batch" in name else 1))
    run = done["GET /runs/{run_id}"]
    if "in progress" in name:
        run["status"] = "running"
    # Of a run that was cancelled during its step.
    items = {"total": 1, "completed": 0, "running": 1, "failed": 0, "cancelled": 0}
    return {
        **done,
        "GET /components": {"components": []},
        "GET /flows/{flow_id}": {"flow": ECHO, "flowId": FLOW_ID},
        "GET /flows/{flow_id}/variables": {"flowId": FLOW_ID, "envVars": {}},
        "POST /blobs": {"blobId": "b"},
        "GET /blobs/{blob_id}": b"1",
        "GET /health": {"status": "healthy", "timestamp": DONE["timestamp"], "version": "0.11.1"},
        "GET /runs": {"runs": [] if "inner" in name else [run]},
        "GET /runs/{run_id}/events": httpx.Response(404)
        if "without" in name or "polled" in name
        else [DONE],
        "GET /runs/{run_id}/steps": {"steps": {}},
        "POST /runs/{run_id}/cancel": {**run, "items": items},
    }


@pytest.mark.parametrize(
    ("name", "route", "status"),
    [
        (name, route, status)
        for name, (_, retried) in CALLS.items()
        for route in retried
        for status in (STATUSES if name in ("list_runs", "submit", "result") else SOME_STATUSES)
    ],
)
def test_a_status(
    do: Driver, name: str, route: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._core.status.PROGRESS_SECONDS", 0.0)
    call, retried = CALLS[name]
    given = routes(name)
    asked: list[MockRequest] = []

    def fail_once(request: MockRequest) -> Any:
        asked.append(request)
        return status if len(asked) == 1 else given[route]

    server = MockServer({**given, route: fail_once})
    client = do.client("http://server.invalid", transport=server)
    if status in retried[route]:
        do(call(client))
        assert len(asked) > 1
        # For 500, it is asked whether there is such a run: without a wait.
        is_same = asked[0].query == asked[1].query
        assert is_same is not ("wait" in asked[0].query and status == 500)
    else:
        # Only a proxy's 502 and 504 leave it open whether the server has the request.
        unknown = route == "POST /runs" and status in (502, 504)
        with pytest.raises(errors.RunOutcomeUnknown if unknown else errors.StatusError):
            do(call(client))
        assert len(asked) == 1
    do(client.close())


@pytest.mark.parametrize(
    ("name", "route"),
    [
        (name, route)
        for name in ("result", "results", "results with progress", "status", "items", "events")
        for route in CALLS[name][1]
    ],
)
def test_a_server_that_is_gone(
    do: Driver, name: str, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.0)
    server = MockServer({**routes(name), route: errors.ConnectionFailed})
    client = do.client("http://server.invalid", transport=server, retry=RetryPolicy(0))
    with pytest.raises(errors.Unreachable, match=f"; what became of run {RUN_ID} is unkn") as one:
        do(CALLS[name][0](client))
    assert one.value.run_id == UUID(RUN_ID)
    do(client.close())


@pytest.mark.parametrize(
    ("name", "route"), [(name, route) for name, (_, retried) in CALLS.items() for route in retried]
)
def test_every_request_ends_with_the_time_of_its_call(
    do: Driver, name: str, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.0)
    # The time is over before the first request; a request for what is there is sent all the same.
    server = MockServer({**routes(name), route: errors.ConnectionFailed})
    client = do.client("http://server.invalid", transport=server, retry=RetryPolicy(0))
    with pytest.raises(errors.Timeout, match=r"timeout=0 s"):
        do(CALLS[name][0](client, timeout=0))
    do(client.close())
