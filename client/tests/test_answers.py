"""What becomes of answers that a real server gives seldom: each is made by hand."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pydantic
import pytest
import yaml

from client.tests.support import AT_ONCE, ECHO, Driver
from stepflow_api.models import DiagnosticLevel
from stepflow_client import RetryPolicy, errors, events
from stepflow_client.handle import RunHandle

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
    """Answers by the last part of a path.

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
    """The same answer to each request."""
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


# --- lists whose pages move -----------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 150, 203])
def test_runs_that_begin_meanwhile_do_not_count(do: Driver, limit: int | None) -> None:
    newest = 203

    def page(request: httpx.Request) -> httpx.Response:
        nonlocal newest
        offset, size = (int(request.url.params[name]) for name in ("offset", "limit"))
        numbers = list(range(newest, 0, -1))[offset : offset + size]
        newest += 3
        return httpx.Response(200, json={"runs": [run(number) for number in numbers]})

    client = client_of(do, Server({"GET runs": page}))
    found = [one.run_id.int for one in do(client.list_runs(limit=limit))]
    assert found == list(range(203, 203 - (limit or 203), -1))
    do(client.close())


# --- events that come again -----------------------------------------------------------------------


def stream(*documents: Any) -> httpx.Response:
    content = "".join(f"data: {json.dumps(one)}\n\n" for one in documents).encode()
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)


def event(number: int, second: int, kind: str, **fields: Any) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{second:02}Z"
    return {"sequenceNumber": number, "timestamp": at, "event": {kind: fields}}


STEP = {"runId": str(RUN_ID), "itemIndex": 0, "stepIndex": 0, "stepId": "a"}
ITEM = {"runId": str(RUN_ID), "itemIndex": 0}


def test_an_event_that_comes_again_with_another_time_is_not_repeated(do: Driver) -> None:
    streams = iter(
        [
            stream(event(0, 1, "StepStarted", **STEP, attempt=1), event(0, 1, "Later", a=1)),
            stream(
                event(0, 2, "StepStarted", **STEP, attempt=1),
                event(0, 2, "Later", a=1),
                event(0, 2, "Later", a=2),
                event(1, 2, "StepStarted", **STEP, attempt=1),
                event(1, 3, "RunCompleted", runId=str(RUN_ID), status=2),
            ),
        ]
    )
    running = run(status=1)
    server = Server(
        {"GET runs": always(200, {"runs": [running]}), "GET events": lambda request: next(streams)}
    )
    client = client_of(do, server, server_version="0.13.0")
    seen = do(client.handle(RUN_ID).events(timeout=20))
    assert [(one.sequence_number, one.kind) for one in seen] == [
        (0, "StepStarted"),
        (0, "Later"),
        (0, "Later"),
        (1, "StepStarted"),
        (1, "RunCompleted"),
    ]
    do(client.close())


KINDS: dict[str, dict[str, Any]] = {
    "RunCreated": {"runId": str(RUN_ID), "flowId": FLOW_ID, "itemCount": 1},
    "SubRunCreated": {
        "runId": str(RUN_ID),
        "parentRunId": str(RUN_ID),
        "flowId": FLOW_ID,
        "itemCount": 1,
    },
    "StepsNeeded": {**ITEM, "stepIds": ["a"]},
    "StepReady": STEP,
    "StepStarted": STEP,
    "StepCompleted": {**STEP, "status": 2},
    "ItemCompleted": ITEM,
    "RunCompleted": {"runId": str(RUN_ID), "status": 2},
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
    do(client.close())


# --- which answers are asked for again ------------------------------------------------------------

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


@pytest.mark.parametrize("status", [429, *range(500, 506), 599])
def test_a_wait_outlasts_failures_that_may_pass(do: Driver, status: int) -> None:
    failures = iter([httpx.Response(status), httpx.Response(status)])
    details = httpx.Response(200, json={**run(), "itemDetails": []})
    item = {"itemIndex": 0, "status": "completed", "result": {"outcome": "success", "result": 1}}
    server = Server(
        {
            f"GET {RUN_ID}": lambda request: next(failures, details),
            "GET items": always(200, {"itemCount": 1, "items": [item]}),
        }
    )
    client = client_of(do, server, retry=RetryPolicy(0, first_delay=0.001, last_delay=0.001))
    assert do(client.handle(RUN_ID).result(timeout=20)).output == 1
    do(client.close())


# --- levels, and causes ---------------------------------------------------------------------------


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


NO_JSON = b'{"items": [{'
BAD_ITEM = b'{"items": [{"itemIndex": "x"}]}'

CAUSES: dict[str, tuple[Callable[[Any], Any], Answer, type[Exception], type[Exception]]] = {
    "a blob": (
        lambda client: client.get_blob(FLOW_ID),
        lambda request: httpx.Response(200, headers={"x-blob-type": "data"}, content=b"{"),
        errors.InvalidAnswer,
        ValueError,
    ),
    "a run": (
        lambda client: client.handle(RUN_ID).status(),
        always(200, {"runId": 1}),
        errors.InvalidAnswer,
        pydantic.ValidationError,
    ),
    "a dict that is no flow": (
        lambda client: client.store_flow({"steps": 1}),
        always(200),
        errors.InvalidInput,
        pydantic.ValidationError,
    ),
    "a dict that is no JSON": (
        lambda client: client.store_flow({"steps": object()}),
        always(200),
        errors.InvalidInput,
        ValueError,
    ),
    "nothing that is a flow": (
        lambda client: client.store_flow(1),
        always(200),
        errors.InvalidInput,
        TypeError,
    ),
    "a flow file that is not there": (
        lambda client: client.store_flow(Path("/nowhere/flow.yaml")),
        always(200),
        errors.InvalidInput,
        OSError,
    ),
    "a flow file that is no YAML": (
        lambda client: client.store_flow(write("a: [")),
        always(200),
        errors.InvalidInput,
        yaml.YAMLError,
    ),
    "a flow file that is no JSON": (
        lambda client: client.store_flow(write("{", ".json")),
        always(200),
        errors.InvalidInput,
        ValueError,
    ),
    "an option": (
        lambda client: client.submit_batch(FLOW_ID, [1], max_concurrency="many"),
        always(200),
        errors.InvalidInput,
        pydantic.ValidationError,
    ),
    "a run's id": (
        lambda client: client.handle("x"),
        always(200),
        errors.InvalidInput,
        ValueError,
    ),
    "no server": (
        lambda client: client.health(),
        lambda request: refuse(),
        errors.Unreachable,
        errors.ConnectionFailed,
    ),
    "no server within a deadline": (
        lambda client: client.handle(RUN_ID).result(timeout=0),
        lambda request: refuse(),
        errors.Timeout,
        errors.ConnectionFailed,
    ),
    "a lost answer": (
        lambda client: client.submit(FLOW_ID, 1),
        lambda request: lose(),
        errors.RunOutcomeUnknown,
        errors.ConnectionLost,
    ),
}


def write(text: str, suffix: str = ".yaml") -> Path:
    path = Path(tempfile.mkdtemp()) / f"flow{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def refuse() -> httpx.Response:
    raise httpx.ConnectError("refused")


def lose() -> httpx.Response:
    raise httpx.ReadError("reset")


@pytest.mark.parametrize("name", CAUSES)
def test_an_error_has_its_cause(do: Driver, name: str) -> None:
    call, answer, kind, cause = CAUSES[name]
    client = client_of(do, answer)
    with pytest.raises(kind) as caught:
        do(call(client))
    assert isinstance(caught.value.__cause__, cause)
    do(client.close())


@pytest.mark.parametrize("content", [NO_JSON, BAD_ITEM])
@pytest.mark.parametrize("read", [list, len])
def test_items_that_cannot_be_read_have_their_cause(
    do: Driver, content: bytes, read: Callable[[Any], Any]
) -> None:
    client = client_of(do, always(200, content=content))
    items = do(client.handle(RUN_ID).items())
    if read is len and content is BAD_ITEM:
        # They are counted, not read.
        assert len(items) == 1
    else:
        with pytest.raises(errors.InvalidAnswer) as caught:
            read(items)
        assert isinstance(caught.value.__cause__, ValueError)
    do(client.close())


# --- what is said of a run ------------------------------------------------------------------------

ASKING: dict[str, Callable[[Any], Any]] = {
    "status": lambda handle: handle.status(),
    "items": lambda handle: handle.items(),
    "steps": lambda handle: handle.steps(),
    "cancel": lambda handle: handle.cancel(),
    "result": lambda handle: handle.result(),
    "result in time": lambda handle: handle.result(timeout=0),
    "results": lambda handle: handle.results(),
    "events": lambda handle: handle.events(),
    "events in time": lambda handle: handle.events(timeout=0),
}


@pytest.mark.parametrize("name", ASKING)
def test_nothing_is_claimed_of_a_run_that_no_server_was_asked_for(
    do: Driver, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._sending.RECONNECT_SECONDS", 0.0)
    client = client_of(do, lambda request: refuse(), retry=AT_ONCE)
    with pytest.raises((errors.Unreachable, errors.Timeout)) as caught:
        do(ASKING[name](client.handle(RUN_ID)))
    for claim in ("goes on", "still", "is running", "has not ended"):
        assert claim not in str(caught.value)
    assert set(ASKING) >= {
        name
        for name in vars(RunHandle)
        if not name.startswith("_") and callable(getattr(RunHandle, name))
    }
    do(client.close())
