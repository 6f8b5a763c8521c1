"""Which error statuses are retried, by what the request does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from client.tests.support import Driver
from stepflow_api.testing import MockRequest, MockServer, finished_run
from stepflow_client import errors

RUN_ID = "00000000-0000-0000-0000-000000000001"
STATUSES = (400, 403, 408, 428, 429, 430, 500, 501, 502, 503, 504, 505, 599)

#: The event of a finished run, as servers from 0.12 on send it.
DONE = {
    "sequence_number": 1,
    "timestamp": "2026-01-01T00:00:00Z",
    "kind": "RunCompleted",
    "data": {"runId": RUN_ID, "status": "completed"},
}

#: A call, the route that fails once, and the statuses that are retried.
CALLS: dict[str, tuple[Callable[[Any], Any], str, set[int]]] = {
    "a read": (lambda client: client.list_runs(limit=1), "GET /runs", {429, 502, 503, 504}),
    # The others may have created it.
    "a new run": (lambda client: client.submit("0" * 64, 1), "POST /runs", {429, 503}),
    "a wait": (
        lambda client: client.handle(RUN_ID).result(),
        "GET /runs/{run_id}",
        {429, *range(500, 600)},
    ),
    "its events": (
        lambda client: client.handle(RUN_ID).events(),
        "GET /runs",
        {429, *range(500, 600)},
    ),
    "the stream of its events": (
        lambda client: client.handle(RUN_ID).events(),
        "GET /runs/{run_id}/events",
        {429, *range(500, 600)},
    ),
    "its events so far": (
        lambda client: client.handle(RUN_ID).events(follow=False),
        "GET /runs",
        {429, 502, 503, 504},
    ),
    "the stream of its events so far": (
        lambda client: client.handle(RUN_ID).events(follow=False),
        "GET /runs/{run_id}/events",
        {429, 502, 503, 504},
    ),
    "its results": (
        lambda client: client.handle(RUN_ID).result(),
        "GET /runs/{run_id}/items",
        {429, *range(500, 600)},
    ),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", CALLS)
def test_a_status(do: Driver, name: str, status: int) -> None:
    call, route, retried = CALLS[name]
    routes: dict[str, Any] = {**finished_run("done"), "GET /runs/{run_id}/events": [DONE]}
    asked: list[MockRequest] = []

    def fail_once(request: MockRequest) -> Any:
        asked.append(request)
        return status if len(asked) == 1 else routes[route]

    server = MockServer({**routes, route: fail_once})
    client = do.client("http://server.invalid", transport=server)
    if status in retried:
        do(call(client))
        assert len(asked) == 2
        # For 500, it is asked whether there is such a run: without a wait.
        is_same = asked[0].query == asked[1].query
        assert is_same is not (name == "a wait" and status == 500)
    else:
        # Only a proxy's 502 and 504 leave it open whether the server has the request.
        unknown = name == "a new run" and status in (502, 504)
        with pytest.raises(errors.RunOutcomeUnknown if unknown else errors.StatusError):
            do(call(client))
        assert len(asked) == 1
    do(client.close())
