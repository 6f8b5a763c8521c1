"""Handling of responses that a real server rarely sends, each written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest

from client.tests.support import ECHO, Driver
from stepflow_api.models import DiagnosticLevel, ExecutionStatus, StepStatus
from stepflow_client import Progress, RetryPolicy, errors, events

RUN_ID = UUID(int=1)
FLOW_ID = "0" * 64
NO_PROBLEMS = {"diagnostics": [], "numFatal": 0, "numError": 0, "numWarning": 0}
STORED = {"flowId": FLOW_ID, "stored": True, "diagnostics": NO_PROBLEMS}
NOT_FOUND = {"code": 404, "message": "flow not found"}

Answer = Callable[[httpx.Request], httpx.Response]


def run(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A run as servers up to 0.11 report it."""
    return {
        "runId": str(UUID(int=number)),
        "rootRunId": str(UUID(int=number)),
        "flowId": FLOW_ID,
        "status": "completed",
        "items": {"total": 1, "completed": 1, "running": 0, "failed": 0, "cancelled": 0},
        "createdAt": "2026-01-01T00:00:00Z",
        "createdAtSeqno": 0,
        **fields,
    }


class Server:
    """Responses by the last part of a path.

    Args:
        answers: What to answer, by method and last part.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path.rpartition('/')[2]}"
        self.asked.append(name)
        return self._answers[name](request)


def always(status: int, document: Any = None, content: bytes | None = None) -> Answer:
    """The same response to each request."""
    body = json.dumps(document).encode() if content is None else content
    headers = {"content-type": "application/json"}
    return lambda request: httpx.Response(status, headers=headers, content=body)


def client_of(do: Driver, server: Answer, **options: Any) -> Any:
    return do.client("http://other.invalid", transport=httpx.MockTransport(server), **options)


# --- flows that a server does not know ------------------------------------------------------------


def test_a_flow_that_has_just_been_stored_is_not_stored_again(do: Driver) -> None:
    server = Server({"POST flows": always(200, STORED), "POST runs": always(404, NOT_FOUND)})
    client = client_of(do, server)
    with pytest.raises(errors.NotFound, match="flow not found"):
        do(client.run(ECHO, 1))
    assert server.asked == ["POST flows", "POST runs"]
    # One that was stored before may have been forgotten since, so it is stored once more.
    with pytest.raises(errors.NotFound, match="flow not found"):
        do(client.run(ECHO, 1))
    assert server.asked[2:] == ["POST runs", "POST flows", "POST runs"]
    do(client.close())


def test_a_flow_is_stored_once_however_many_there_are(do: Driver) -> None:
    server = Server({"POST flows": always(200, STORED), "POST runs": always(200, run())})
    client = client_of(do, server, server_version="0.11.1")
    for _ in range(2):
        for number in range(20):
            do(client.submit({**ECHO, "output": number}, 1))
    assert (server.asked.count("POST flows"), server.asked.count("POST runs")) == (20, 40)
    do(client.close())


# --- lists whose pages move -----------------------------------------------------------------------


@pytest.mark.parametrize("begun", [3, 100])
@pytest.mark.parametrize("limit", [None, 7, 150, 203])
def test_runs_that_begin_meanwhile_do_not_count(do: Driver, limit: int | None, begun: int) -> None:
    newest = 203
    sizes: list[int] = []

    def page(request: httpx.Request) -> httpx.Response:
        nonlocal newest
        offset, size = (int(request.url.params[name]) for name in ("offset", "limit"))
        numbers = list(range(newest, 0, -1))[offset : offset + size]
        # So many that a page may have no new run, but not without end.
        newest += begun if len(sizes) < 2 else 0
        sizes.append(size)
        return httpx.Response(200, json={"runs": [run(number) for number in numbers]})

    client = client_of(do, Server({"GET runs": page}))
    found = [one.run_id.int for one in do(client.list_runs(limit=limit))]
    assert found == list(range(203, 203 - (limit or 203), -1))
    assert sizes == ([7] if limit == 7 else [100] * len(sizes))
    do(client.close())


@pytest.mark.parametrize("limit", [None, 4, 5])
def test_a_server_that_sends_fewer_runs_than_asked_for(do: Driver, limit: int | None) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        runs = [run(number) for number in range(5, 0, -1)][offset : offset + 2]
        return httpx.Response(200, json={"runs": runs})

    client = client_of(do, Server({"GET runs": page}))
    found = [one.run_id.int for one in do(client.list_runs(limit=limit))]
    assert found == list(range(5, 5 - (limit or 5), -1))
    do(client.close())


def test_a_short_page_of_repeats_is_the_last(do: Driver) -> None:
    pages = iter([[run(2), run(1)], [run(1)]])
    server = Server({"GET runs": lambda request: httpx.Response(200, json={"runs": next(pages)})})
    client = client_of(do, server)
    assert [one.run_id.int for one in do(client.list_runs())] == [2, 1]
    do(client.close())


# --- events that come again -----------------------------------------------------------------------


def stream(*documents: Any) -> httpx.Response:
    content = "".join(f"data: {json.dumps(one)}\n\n" for one in documents).encode()
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)


def event(number: int, second: int, kind: str, **fields: Any) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{second:02}Z"
    return {"sequenceNumber": number, "timestamp": at, "event": {kind: fields}}


STEP = {"runId": str(RUN_ID), "itemIndex": 0, "stepIndex": 0, "stepId": "a"}


def test_an_event_that_comes_again_with_another_time_is_not_repeated(do: Driver) -> None:
    streams = {
        "0": stream(event(4, 1, "StepStarted", **STEP, attempt=1), event(4, 1, "Later", a=1)),
        # It is requested from the last number on, since there may be more events of that.
        "4": stream(
            event(4, 2, "StepStarted", **STEP, attempt=1),
            event(4, 2, "Later", a=1),
            event(4, 2, "Later", a=2),
            event(5, 2, "StepStarted", **STEP, attempt=1),
            event(5, 3, "RunCompleted", runId=str(RUN_ID), status=2),
        ),
    }
    server = Server(
        {
            "GET runs": always(200, {"runs": [run(status=1)]}),
            "GET events": lambda request: streams.pop(request.url.params["since"]),
        }
    )
    client = client_of(do, server, server_version="0.13.0")
    seen = do(client.handle(RUN_ID).events(timeout=20))
    assert [(one.sequence_number, one.kind) for one in seen] == [
        (4, "StepStarted"),
        (4, "Later"),
        (4, "Later"),
        (5, "StepStarted"),
        (5, "RunCompleted"),
    ]
    do(client.close())


ITEM_4 = {"runId": str(RUN_ID), "itemIndex": 4}
STEP_5 = {**ITEM_4, "stepIndex": 5, "stepId": "a"}

#: The fields that servers send with each kind of event.
KINDS: dict[str, dict[str, Any]] = {
    "RunCreated": {"runId": str(RUN_ID), "flowId": FLOW_ID, "itemCount": 3},
    "SubRunCreated": {
        "runId": str(RUN_ID),
        "parentRunId": str(UUID(int=2)),
        "flowId": FLOW_ID,
        "itemCount": 3,
    },
    "StepsNeeded": {**ITEM_4, "stepIds": ["b", "a"]},
    "StepReady": STEP_5,
    "StepStarted": {**STEP_5, "attempt": 6},
    "StepCompleted": {**STEP_5, "status": 2},
    "ItemCompleted": ITEM_4,
    "RunCompleted": {"runId": str(RUN_ID), "status": 3},
}


def test_every_kind_of_event_has_its_class(do: Driver) -> None:
    shared = {"RunEvent", "StepEvent", "OtherEvent"}
    assert set(KINDS) == set(events.__all__) - shared
    documents = [event(n, 1, kind, **fields) for n, (kind, fields) in enumerate(KINDS.items())]
    server = Server(
        {
            "GET runs": always(200, {"runs": [run(status=1)]}),
            "GET events": lambda request: stream(*documents),
        }
    )
    client = client_of(do, server, server_version="0.13.0")
    seen = do(client.handle(RUN_ID).events(timeout=20))
    assert [type(one).__name__ for one in seen] == list(KINDS)
    for number, (one, fields) in enumerate(zip(seen, KINDS.values(), strict=True)):
        assert (one.sequence_number, one.timestamp.second) == (number, 1)
        # The attributes are called as the fields, in snake case.
        found = {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in fields.items()}
        if "status" in found:
            found["status"] = {2: StepStatus.COMPLETED, 3: ExecutionStatus.FAILED}[found["status"]]
        for name in found:
            if name.endswith("run_id"):
                found[name] = UUID(found[name])
        assert {name: getattr(one, name) for name in found} == found
    do(client.close())


def test_fields_of_events_that_servers_may_leave_out(do: Driver) -> None:
    without_id = {name: value for name, value in STEP_5.items() if name != "stepId"}
    documents = [
        event(1, 1, "StepStarted", **without_id),
        event(2, 1, "RunCompleted", runId=str(RUN_ID), status=2),
    ]
    server = Server(
        {
            "GET runs": always(200, {"runs": [run(status=1)]}),
            "GET events": lambda request: stream(*documents),
        }
    )
    client = client_of(do, server, server_version="0.13.0")
    started = do(client.handle(RUN_ID).events(timeout=20))[0]
    assert (started.step_id, started.attempt) == (None, None)
    do(client.close())


# --- which requests are retried -------------------------------------------------------------------

PASSING = (429, 502, 503, 504)
FINAL = (400, 401, 403, 404, 409, 413, 415, 418, 422, 500, 501, 505)


@pytest.mark.parametrize("status", [*PASSING, *FINAL])
def test_reads_are_sent_again_where_the_failure_may_pass(do: Driver, status: int) -> None:
    server = Server({"GET components": always(status, {"code": status, "message": "no"})})
    client = client_of(do, server)
    with pytest.raises(errors.StatusError) as caught:
        do(client.list_components())
    assert caught.value.status_code == status
    assert len(server.asked) == (5 if status in PASSING else 1)
    do(client.close())


@pytest.mark.parametrize("status", [*PASSING, *FINAL])
def test_creating_a_run_is_sent_again_where_the_server_refused_it(do: Driver, status: int) -> None:
    server = Server({"POST runs": always(status, {"code": status, "message": "no"})})
    client = client_of(do, server)
    # A proxy that answers for a server may have passed the request on.
    lost = status in (502, 504)
    with pytest.raises(errors.RunOutcomeUnknown if lost else errors.StatusError) as caught:
        do(client.submit(FLOW_ID, 1))
    assert len(server.asked) == (5 if status in (429, 503) else 1)
    if lost:
        assert isinstance(caught.value.__cause__, errors.StatusError)
        assert caught.value.__cause__.status_code == status
    do(client.close())


@pytest.mark.parametrize("is_batch", [False, True])
@pytest.mark.parametrize("status", [429, *range(500, 504), 520, 599])
def test_a_wait_outlasts_failures_that_may_pass(do: Driver, status: int, is_batch: bool) -> None:
    def failing(answer: httpx.Response) -> Answer:
        answers = iter([httpx.Response(status), httpx.Response(status)])
        return lambda request: next(answers, answer)

    details = httpx.Response(200, json={**run(), "itemDetails": []})
    item = {"itemIndex": 0, "status": "completed", "result": {"outcome": "success", "result": 1}}
    server = Server(
        {
            f"GET {RUN_ID}": failing(details),
            "GET items": failing(httpx.Response(200, json={"itemCount": 1, "items": [item]})),
        }
    )
    client = client_of(do, server, retry=RetryPolicy(0, first_delay=0.001, last_delay=0.001))
    handle = client.handle(RUN_ID)
    if is_batch:
        assert [one.output for one in do(handle.results(timeout=20))] == [1]
    else:
        assert do(handle.result(timeout=20)).output == 1
    do(client.close())


def test_a_server_that_cannot_wait_is_not_asked_all_the_time(do: Driver) -> None:
    def details(request: httpx.Request) -> httpx.Response:
        if "wait" in request.url.params:
            return httpx.Response(500, json={"code": 500, "message": "no"})
        return httpx.Response(200, json={**run(), "status": "running", "itemDetails": []})

    server = Server({f"GET {RUN_ID}": details})
    client = client_of(do, server)
    with pytest.raises(errors.Timeout):
        do(client.handle(RUN_ID).result(timeout=0.7))
    # Half a second lies between two attempts, of two requests each.
    assert len(server.asked) <= 6
    do(client.close())


def test_a_wait_for_an_unknown_run_is_not_sent_again(do: Driver) -> None:
    def details(request: httpx.Request) -> httpx.Response:
        # What is wrong, servers only tell without a wait.
        status = 500 if "wait" in request.url.params else 404
        return httpx.Response(status, json={"code": status, "message": "no run"})

    server = Server({f"GET {RUN_ID}": details})
    client = client_of(do, server)
    with pytest.raises(errors.NotFound, match="no run"):
        do(client.handle(RUN_ID).result(timeout=20))
    assert len(server.asked) == 2
    do(client.close())


@pytest.mark.parametrize(("stored", "fatal"), [(False, 0), (True, 1)])
def test_a_flow_that_is_not_stored_is_invalid(do: Driver, stored: bool, fatal: int) -> None:
    problem = {"kind": "k", "code": 1, "level": "fatal", "formatted": "why\nso", "data": {}}
    places = [r"\$: why\W{1,3}so", r"\$\.x: why\W{1,3}so", r"\$: why\W{1,3}so"]
    for number in range(5):
        problems = [{**problem, "path": "$.x" if at == 1 else None} for at in range(number)]
        found = {**NO_PROBLEMS, "diagnostics": problems, "numFatal": fatal}
        answer = {**STORED, "stored": stored, "diagnostics": found}
        client = client_of(do, Server({"POST flows": always(200, answer)}))
        reason = "; ".join(places[:number]) or "the server does not say why"
        reason += r" \(and 1 more\)" * (number == 4) + "; correct it there$"
        for flow, name in ((ECHO, "flow 'echo'"), ({**ECHO, "name": None}, "the flow")):
            message = f"^{name} is invalid, so it was not stored: {reason}"
            with pytest.raises(errors.FlowInvalid, match=message) as caught:
                do(client.store_flow(flow))
            assert "\n" not in str(caught.value)
            assert len(caught.value.diagnostics.diagnostics) == number
        do(client.close())


def test_a_refusal_counts_more_than_the_deadline(do: Driver) -> None:
    server = Server({f"GET {FLOW_ID}": always(404, NOT_FOUND)})
    client = client_of(do, server)
    with pytest.raises(errors.NotFound, match="flow not found"):
        do(client.get_flow(FLOW_ID, timeout=0))
    do(client.close())


# --- levels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", DiagnosticLevel)
def test_every_level_is_an_error_or_a_warning(do: Driver, level: DiagnosticLevel) -> None:
    problem = {"kind": "k", "code": 1, "level": level.value, "formatted": "f", "data": {}}
    fatal = level is DiagnosticLevel.FATAL
    found = {**NO_PROBLEMS, "diagnostics": [problem], "numFatal": int(fatal)}
    server = Server({"POST flows": always(200, {**STORED, "diagnostics": found})})
    client = client_of(do, server)
    validation = do(client.validate(ECHO))
    is_error = level in (DiagnosticLevel.FATAL, DiagnosticLevel.ERROR)
    assert (len(validation.errors), len(validation.warnings)) == (is_error, not is_error)
    assert validation.is_valid == (not fatal)
    do(client.close())


# --- steps and items ------------------------------------------------------------------------------

STEPS = {
    StepStatus.BLOCKED: [],
    StepStatus.RUNNABLE: [],
    StepStatus.RUNNING: ["StepStarted"],
    StepStatus.COMPLETED: ["StepStarted", "StepCompleted"],
    StepStatus.FAILED: ["StepCompleted"],
    StepStatus.SKIPPED: ["StepCompleted"],
}


@pytest.mark.parametrize("status", StepStatus)
def test_every_status_of_a_step_is_seen(do: Driver, status: StepStatus) -> None:
    steps = {"a": {"stepId": "a", "status": status.value}}
    server = Server(
        {
            "GET runs": always(200, {"runs": [run()]}),
            "GET events": lambda request: httpx.Response(404),
            "GET steps": always(200, {"steps": steps}),
        }
    )
    client = client_of(do, server)
    kinds = [one.kind for one in do(client.handle(RUN_ID).events(timeout=20))]
    assert kinds == ["RunCreated", *STEPS[status], "RunCompleted"]
    do(client.close())


def test_items_are_done_however_they_ended(do: Driver) -> None:
    items = {"total": 15, "completed": 1, "failed": 2, "cancelled": 4, "running": 8}
    server = Server(
        {
            "GET runs": always(200, {"runs": [run(items=items)]}),
            "GET items": always(200, {"itemCount": 0, "items": []}),
        }
    )
    client = client_of(do, server)
    seen: list[Progress] = []
    do(client.handle(RUN_ID).results(timeout=20, on_progress=seen.append))
    assert seen == [Progress(total=15, completed=1, failed=2, cancelled=4, running=8)]
    assert seen[0].done == 7
    do(client.close())


@pytest.mark.parametrize("name", ["result", "results", "raise_on_failure"])
def test_an_item_that_has_finished_without_a_result(do: Driver, name: str) -> None:
    items = [{"itemIndex": 3, "status": "failed", "input": None}]
    server = Server(
        {
            f"GET {RUN_ID}": always(200, {**run(), "itemDetails": []}),
            "GET items": always(200, {"itemCount": 1, "items": items}),
        }
    )
    client = client_of(do, server)
    handle = client.handle(RUN_ID)
    with pytest.raises(errors.FlowFailed) as caught:
        if name == "results":
            list(do(handle.results()))
        else:
            do(handle.result(raise_on_failure=name == "raise_on_failure"))
    assert str(caught.value) == (
        f"run {RUN_ID}: item 3 ended as failed without a result; look at its steps, then run it"
        " again"
    )
    assert (caught.value.run_id, caught.value.result) == (RUN_ID, None)
    do(client.close())
