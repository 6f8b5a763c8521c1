"""The timeline of a run on every server: what it has, and what it says that it leaves out."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from client.tests.support import (
    CHAIN,
    READ_FILE,
    RUNNING,
    VERSION,
    Driver,
    release,
    wait_until,
)
from stepflow_api.models import ExecutionStatus, RunSummary, StepStatus
from stepflow_api.testing import MockRequest, MockServer
from stepflow_client import SyncStepflowClient, cli, errors
from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep
from tools.spec.server import StepflowServer

NUMBERS = tuple(map(int, VERSION.split(".")))
HAS_EVENTS = NUMBERS >= (0, 12)
HAS_STEPS_OF_ITEMS = VERSION != "0.9.0"

#: A step that fails and one that reads it, one with a default, and one that is not needed.
MIXED = {
    "name": "mixed",
    "steps": [
        {"id": "ask", "component": "/create_messages", "input": {"user_prompt": "x"}},
        {"id": "bad", "component": "/load_file", "input": {"path": "/nowhere"}},
        {
            "id": "after",
            "component": "/create_messages",
            "input": {"user_prompt": {"$step": "bad"}},
        },
        {
            "id": "fallback",
            "component": "/load_file",
            "input": {"path": "/nowhere"},
            "onError": {"action": "useDefault", "defaultValue": 1},
        },
        {"id": "unused", "component": "/create_messages", "input": {"user_prompt": "x"}},
    ],
    "output": [{"$step": "ask"}, {"$step": "after"}, {"$step": "fallback"}],
}

#: Fails for an input without `prompt`.
ASK = {
    "name": "ask",
    "steps": [
        {
            "id": "ask",
            "component": "/create_messages",
            "input": {"user_prompt": {"$input": "prompt"}},
        }
    ],
    "output": {"$step": "ask"},
}


def statuses(item: TimelineItem) -> dict[str, StepStatus]:
    """Return the statuses of an item's steps."""
    return {step.step_id: step.status for step in item.steps}


def test_a_finished_run(do: Driver, client: Any) -> None:
    handle = do(client.submit(CHAIN, {"prompt": "x"}))
    do(handle.result(timeout=60))
    found: Timeline = do(handle.timeline())
    assert found.run == do(handle.status())
    assert found.run.status is ExecutionStatus.COMPLETED
    (item,) = found.items
    assert (item.index, item.status) == (0, ExecutionStatus.COMPLETED)
    assert [step.step_id for step in item.steps] == ["step0", "step1", "step2"]
    assert {step.status for step in item.steps} == {StepStatus.COMPLETED}
    assert (found.omitted_items, found.omitted_failed_items) == (0, 0)
    assert found.has_step_times is HAS_EVENTS
    if not HAS_EVENTS:
        assert {step.seconds for step in item.steps} == {None}
        return
    # One after the other, within the run.
    times = [time for step in item.steps for time in (step.started_at, step.completed_at)]
    ends = [time for time in (found.run.created_at, *times, found.run.completed_at) if time]
    assert len(ends) == 8
    assert all(one <= other for one, other in pairwise(ends))
    assert [step.attempts for step in item.steps] == [1, 1, 1]
    assert item.started_at == times[0]
    assert item.seconds is not None
    assert found.seconds is not None
    assert 0 < sum(step.seconds or 0 for step in item.steps) <= item.seconds <= found.seconds


def test_a_failed_run(do: Driver, client: Any) -> None:
    handle = do(client.submit(MIXED, {}))
    assert do(handle.result(timeout=60)).is_failed
    found: Timeline = do(handle.timeline())
    assert found.items[0].status is ExecutionStatus.FAILED
    steps = statuses(found.items[0])
    assert steps.pop("unused", StepStatus.BLOCKED) is StepStatus.BLOCKED
    assert steps == {
        "ask": StepStatus.COMPLETED,
        "bad": StepStatus.FAILED,
        "after": StepStatus.FAILED,
        "fallback": StepStatus.COMPLETED,
    }


@pytest.mark.skipif(VERSION == "0.9.0", reason="it creates no run in progress")
def test_a_run_in_progress(do: Driver, client: Any, fifo: Callable[[], Path]) -> None:
    path = fifo()
    handle = do(client.submit(READ_FILE, {"path": str(path)}))
    if HAS_EVENTS:
        wait_until(
            lambda: statuses(do(handle.timeline()).items[0]) == {"read": StepStatus.RUNNING},
            "the step to start",
        )
    found: Timeline = do(handle.timeline())
    assert found.run.status is ExecutionStatus.RUNNING
    (item,) = found.items
    assert (item.status, item.completed_at) == (ExecutionStatus.RUNNING, None)
    assert found.seconds is None
    if HAS_EVENTS:
        assert (item.steps[0].started_at, item.steps[0].seconds) == (item.started_at, None)
        assert "running" in found.to_text()
    wait_until(lambda: release(path), "the step reads the FIFO")
    do(handle.result(timeout=60))
    assert statuses(do(handle.timeline()).items[0]) == {"read": StepStatus.COMPLETED}


@pytest.mark.skipif(not HAS_EVENTS, reason="it has no events")
def test_a_run_that_finishes_while_its_events_are_read(
    do: Driver, client: Any, fifo: Callable[[], Path]
) -> None:
    path = fifo()
    handle = do(client.submit(READ_FILE, {"path": str(path)}))

    def finish(request: httpx.Request) -> None:
        if request.url.path.endswith("/events") and not finished:
            wait_until(lambda: release(path), "the step reads the FIFO")
            finished.append(do(handle.result(timeout=60)))

    finished: list[Any] = []
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [finish]}
    with (
        httpx.Client(event_hooks=hooks) as library,
        SyncStepflowClient(client.url, http_client=library) as reading,
    ):
        found = reading.handle(handle.id).timeline()
    assert found.run.status is ExecutionStatus.COMPLETED
    assert [item.status for item in found.items] == [ExecutionStatus.COMPLETED]


def test_a_busy_run_is_read_up_to_now(do: Driver) -> None:
    run = RUNNING["summary"]

    def started(number: int) -> dict[str, Any]:
        return {
            "sequence_number": number,
            "timestamp": f"2026-01-01T00:00:{number:02}Z",
            "kind": "StepStarted",
            "run_id": run["runId"],
            "item_index": 0,
            "step_id": f"step{number}",
            "step_index": number,
            "attempt": 1,
        }

    streams = 0

    def more_each_time(request: MockRequest) -> list[dict[str, Any]]:
        # A step starts while the last one's event is on its way; at some time, the test has to end.
        nonlocal streams
        streams = min(streams + 1, 20)
        return [started(number) for number in range(streams)]

    # It is second 3 on the server.
    health = {"status": "healthy", "timestamp": "2026-01-01T00:00:03Z", "version": "0.13.0"}
    server = MockServer(
        {
            "GET /health": health,
            "GET /runs": {"runs": [run]},
            "GET /runs/{run_id}/events": more_each_time,
        },
        version="0.13.0",
    )
    client = do.client("http://server.invalid", server_version="0.13.0", transport=server)
    found: Timeline = do(client.handle(UUID(int=1)).timeline())
    do(client.close())
    assert found.run.status is ExecutionStatus.RUNNING
    assert [step.step_id for step in found.items[0].steps] == [f"step{n}" for n in range(5)]


class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The events of a run in progress: one every second, and 1000, since the test has to end."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for number in range(1000):
            ready = {"runId": str(UUID(int=1)), "itemIndex": 0, "stepIndex": number}
            event = {
                "sequenceNumber": number,
                "timestamp": second(number).isoformat(),
                "event": {"StepReady": ready},
            }
            yield b"data: %b\n\n" % json.dumps(event).encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


def test_the_stream_of_a_busy_run_is_closed(do: Driver) -> None:
    stream = Endless()

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/health"):
            health = {"status": "healthy", "timestamp": second(3).isoformat(), "version": "0.11.1"}
            return httpx.Response(200, json=health)
        if request.url.path.endswith("/events"):
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, stream=stream)
        return httpx.Response(200, json={"runs": [{**RUNNING["summary"], "status": "running"}]})

    client = do.client(
        "http://server.invalid", server_version="0.11.1", transport=httpx.MockTransport(handle)
    )
    do(client.handle(UUID(int=1)).timeline())
    assert stream.is_closed
    do(client.close())


def second(number: float) -> datetime.datetime:
    """Return a time, that many seconds after the runs below were created."""
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return start + datetime.timedelta(seconds=number)


def read_from(
    do: Driver,
    events: list[tuple[float, str, dict[str, Any]]] | None,
    items: list[str],
    *,
    limit: int = 20,
    details: Any = None,
    **run: Any,
) -> Timeline:
    """Return the timeline of a run, from its events, if any, and the statuses of its items."""
    counts = {"completed": 0, "running": 0, "failed": 0, "cancelled": 0}
    for status in items:
        counts[status] += 1
    summary = {
        **RUNNING["summary"],
        "status": "running",
        "items": {"total": len(items), **counts},
        **run,
    }
    common = {"runId": str(UUID(int=1)), "itemIndex": 0, "stepIndex": 0}
    shown = [
        {"itemIndex": index, "status": status, "completedAt": second(index + 1).isoformat()}
        for index, status in enumerate(items)
    ]
    steps = {name: {"stepId": name, "status": "completed", **common} for name in "ab"}
    server = MockServer(
        {
            "GET /health": {
                "status": "healthy",
                "timestamp": second(3600).isoformat(),
                "version": "0.11.1",
            },
            "GET /runs": {"runs": [summary]},
            "GET /runs/{run_id}/items": {"itemCount": len(items), "items": shown},
            "GET /runs/{run_id}": {**summary, "itemDetails": details or []},
            "GET /runs/{run_id}/steps": {"steps": steps},
            "GET /runs/{run_id}/events": httpx.Response(404)
            if events is None
            else [
                {
                    "sequenceNumber": number,
                    "timestamp": second(seconds).isoformat(),
                    "kind": kind,
                    **common,
                    **fields,
                }
                for number, (seconds, kind, fields) in enumerate(events)
            ],
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    try:
        found: Timeline = do(client.handle(UUID(int=1)).timeline(items=limit))
    finally:
        do(client.close())
    return found


def test_the_events_of_a_restarted_server(do: Driver) -> None:
    started = "StepStarted", {"stepId": "a", "attempt": 1}
    events: list[tuple[float, str, dict[str, Any]]] = [
        (1, "StepsNeeded", {"stepIds": ["late", "a", "b"]}),
        (2, *started),
        (3, "StepStarted", {"stepId": "a", "attempt": 2}),
        (3, "StepCompleted", {"stepId": "a", "status": "failed"}),
        # The server was restarted, and runs the step again.
        (4, *started),
        (5, "StepStarted", {"stepId": "b"}),
        (6, "StepCompleted", {"stepId": "b", "status": "completed"}),
        # Of a step without an id, as servers may send it.
        (6, "StepStarted", {"attempt": 1}),
        (7, "StepCompleted", {"status": "completed"}),
        # Of a run that a step has created.
        (1, "StepStarted", {"stepId": "inner", "attempt": 1, "runId": str(UUID(int=2))}),
        (9, "ItemCompleted", {"runId": str(UUID(int=2))}),
        (9, "Strange", {}),
    ]
    (item,) = read_from(do, events, ["running"]).items
    assert item == TimelineItem(
        0,
        ExecutionStatus.RUNNING,
        second(2),
        None,
        (
            TimelineStep("a", StepStatus.RUNNING, second(2), None, 2),
            TimelineStep("b", StepStatus.COMPLETED, second(5), second(6), 1),
            TimelineStep("late", StepStatus.BLOCKED, None, None, 0),
        ),
    )
    # A run that was cancelled ends with the last of its steps that has finished.
    (ended,) = read_from(do, events, ["cancelled"], status="cancelled").items
    assert (ended.status, ended.completed_at) == (ExecutionStatus.CANCELLED, second(6))


def test_items_of_a_run_with_events(do: Driver) -> None:
    events: list[tuple[float, str, dict[str, Any]]] = [
        (2, "ItemCompleted", {"itemIndex": 1}),
        (3, "StepStarted", {"itemIndex": 3, "stepId": "a"}),
        (4, "StepCompleted", {"itemIndex": 3, "stepId": "a", "status": "completed"}),
        (6, "ItemCompleted", {"itemIndex": 3}),
        (7, "RunCompleted", {"status": "completed"}),
    ]
    statuses = ["cancelled", "completed", "completed", "completed"]
    found = read_from(do, events, statuses, status="completed", completedAt=second(7).isoformat())
    assert [(one.started_at, one.completed_at) for one in found.items] == [
        # Of some, nothing is known.
        (None, None),
        (None, second(2)),
        (None, None),
        (second(3), second(6)),
    ]
    assert [len(one.steps) for one in found.items] == [0, 0, 0, 1]
    assert [one.status.value for one in found.items] == statuses
    assert found.end == second(7)


@pytest.mark.parametrize(
    ("statuses", "limit", "shown", "omitted"),
    [
        # The second takes longest; the third has not ended, and of the first, nothing is known.
        ("cancelled completed running completed", 2, [2, 1], (2, 0)),
        ("cancelled completed running completed", 3, [2, 1, 3], (1, 0)),
        ("failed completed failed failed", 2, [0, 1], (2, 2)),
        # Places that the slowest do not need are for more of the failed.
        ("failed completed failed failed", 3, [0, 2, 1], (1, 1)),
        ("failed failed failed completed failed", 4, [0, 1, 2, 3], (1, 1)),
    ],
)
def test_the_items_that_a_timeline_has(
    do: Driver, statuses: str, limit: int, shown: list[int], omitted: tuple[int, int]
) -> None:
    events: list[tuple[float, str, dict[str, Any]]] = [
        *((1, "StepStarted", {"itemIndex": index, "stepId": "a"}) for index in (1, 2, 3)),
        (5, "ItemCompleted", {"itemIndex": 3}),
        (9, "ItemCompleted", {"itemIndex": 1}),
    ]
    found = read_from(do, events, statuses.split(), limit=limit)
    assert [item.index for item in found.items] == shown
    assert (found.omitted_items, found.omitted_failed_items) == omitted


def test_items_of_a_server_without_events(do: Driver) -> None:
    steps = [{"stepId": "s", "stepIndex": 0, "status": "failed", "component": "/x"}]
    details: list[dict[str, Any]] = [
        {"itemIndex": 0, "status": "failed", "input": 1, "steps": steps},
        {"itemIndex": 1, "status": "running", "input": 1, "steps": []},
    ]
    details[0]["completedAt"] = second(9).isoformat()
    found = read_from(do, None, ["failed", "running"], details=details)
    failed = TimelineStep("s", StepStatus.FAILED)
    assert found.items == (
        TimelineItem(0, ExecutionStatus.FAILED, None, second(9), (failed,)),
        TimelineItem(1, ExecutionStatus.RUNNING, None, None, ()),
    )
    # One of several has its own steps.
    assert read_from(do, None, ["failed", "running"], details=details, limit=1).items == (
        found.items[0],
    )
    (item,) = read_from(do, None, ["completed"]).items
    completed = tuple(TimelineStep(name, StepStatus.COMPLETED) for name in "ab")
    assert item == TimelineItem(0, ExecutionStatus.COMPLETED, None, second(1), completed)
    message = r"GET http://server.invalid/api/v1/runs/[-\d]+: 200, but .* is not what"
    with pytest.raises(errors.InvalidAnswer, match=message):
        read_from(do, None, ["completed"] * 2, details=[{"itemIndex": "x"}])


@pytest.mark.skipif(VERSION == "0.9.0", reason="it creates no run in progress")
def test_a_cancelled_run(do: Driver, client: Any, fifo: Callable[[], Path]) -> None:
    handle = do(client.submit(READ_FILE, {"path": str(fifo())}))
    do(handle.cancel())
    found: Timeline = do(handle.timeline())
    assert found.run.status is ExecutionStatus.CANCELLED
    assert "cancelled" in found.to_text()
    assert 'class="status cancelled"' in found.to_html()


def test_the_failed_and_the_slowest_items_of_ten_thousand(server: StepflowServer) -> None:
    inputs = [{"prompt": "x"} if number % 1000 else {} for number in range(10_000)]
    with SyncStepflowClient(server.url) as client:
        handle = client.submit_batch(ASK, inputs)
        handle.results(timeout=300)
        found = handle.timeline()
    assert found.run.items.total == 10_000
    assert [item.index for item in found.items[:10]] == list(range(0, 10_000, 1000))
    slowest = found.items[10:]
    assert len(slowest) == 10
    assert {item.status for item in slowest} == {ExecutionStatus.COMPLETED}
    if HAS_EVENTS:
        lengths = [item.seconds or 0 for item in slowest]
        assert lengths == sorted(lengths, reverse=True)
        assert lengths[0] > 0
    if HAS_STEPS_OF_ITEMS:
        assert {step for item in found.items for step in statuses(item)} == {"ask"}
    assert (found.omitted_items, found.omitted_failed_items) == (9_980, 0)
    assert "9,980 items left out: shown are failed items, then the slowest" in found.to_text()
    assert "10,000 items: 9,990 completed, 10 failed" in found.to_text()
    assert "9,980 items left out" in found.to_html()


def test_items_that_are_running_are_the_slowest(do: Driver) -> None:
    times = ["2026-01-01T00:00:01Z", None, "2026-01-01T00:00:03Z"]
    items = [
        {"itemIndex": index, "status": "completed", "completedAt": time}
        if time
        else {"itemIndex": index, "status": "running"}
        for index, time in enumerate(times)
    ]
    run = {
        "runId": str(UUID(int=1)),
        "rootRunId": str(UUID(int=1)),
        "flowId": "0" * 64,
        "status": "running",
        "items": {"total": 3, "completed": 2, "running": 1, "failed": 0, "cancelled": 0},
        "createdAt": "2026-01-01T00:00:02Z",
        "createdAtSeqno": 0,
    }
    server = MockServer(
        {
            "GET /runs": {"runs": [run]},
            # A run in progress has no details.
            "GET /runs/{run_id}": {**run, "itemDetails": []},
            "GET /runs/{run_id}/items": {"itemCount": 3, "items": items},
            "GET /runs/{run_id}/events": httpx.Response(404),
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    found: Timeline = do(client.handle(UUID(int=1)).timeline(items=2))
    do(client.close())
    assert [item.index for item in found.items] == [1, 2]
    # Clocks of two machines differ.
    ended = found.run.model_copy(
        update={"completed_at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}
    )
    assert dataclasses.replace(found, run=ended).seconds == 0.0


def test_half_of_the_places_are_for_the_slowest(do: Driver, client: Any) -> None:
    handle = do(client.submit_batch(ASK, [{"prompt": "x"} if n % 10 else {} for n in range(100)]))
    do(handle.results(timeout=60))
    short: Timeline = do(handle.timeline(items=5))
    assert [item.status.value for item in short.items] == ["failed"] * 3 + ["completed"] * 2
    assert (short.omitted_items, short.omitted_failed_items) == (95, 7)
    assert "95 items left out, 7 of the 10 failed ones among them" in short.to_text()
    assert short.to_text(width=1) == short.to_text(width=40)
    # Steps can be read again.
    assert all(statuses(item) for item in short.items) is HAS_STEPS_OF_ITEMS
    every: Timeline = do(handle.timeline(items=100))
    assert [item.index for item in every.items] == list(range(100))


def test_a_run_without_steps_or_items(do: Driver, client: Any) -> None:
    handle = do(client.submit({"name": "none", "steps": [], "output": 1}, {}))
    do(handle.result(timeout=60))
    found: Timeline = do(handle.timeline())
    assert found.items[0].steps == ()
    assert "no steps" in found.to_text()
    assert "no steps" in found.to_html()
    if NUMBERS >= (0, 11):
        empty: Timeline = do(do(client.submit_batch(ASK, [])).timeline())
        assert (empty.items, empty.omitted_items) == ((), 0)
        assert "0 items" in empty.to_text()


def test_a_run_that_is_gone(do: Driver, client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    run_id = str(uuid4())
    with pytest.raises(errors.NotFound):
        do(client.handle(run_id).timeline())
    assert cli.run(["--url", client.url.removesuffix("/api/v1"), "timeline", run_id]) == 1
    error = capfd.readouterr().err
    assert run_id in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("items", [0, -1, 1.5, True, None])
def test_a_limit_that_is_none(do: Driver, client: Any, items: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="maximum number of items"):
        do(client.handle(uuid4()).timeline(items=items))


def test_the_forms(server: StepflowServer) -> None:
    name = "<b>&\x1b[31m\u202e"
    flow = {**CHAIN, "name": name, "output": {"$step": name}}
    step = {"id": name, "component": "/create_messages", "input": {"user_prompt": "x"}}
    with SyncStepflowClient(server.url) as client:
        handle = client.submit({**flow, "steps": [step]}, {})
        handle.result(timeout=60)
        found = handle.timeline()
    text = found.to_text(width=60)
    assert str(found) == found.to_text(width=80)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert all(line.isprintable() for line in text.splitlines())
    assert found.to_text(ascii_only=True).isascii()
    assert ("█" in text) is HAS_EVENTS
    page = found.to_html()
    # A single class would lose to the rules that notebook applications have for tables.
    assert not re.search(r"(?<!\.stepflow-timeline)\.stepflow-timeline ", page)
    assert "<b>&\x1b" not in page
    assert "&lt;b&gt;&amp;\\x1b[31m\\u202e" in page
    shown: Any = found
    assert shown._repr_html_() == page
    document = found.to_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["runId"] == str(handle.id)
    assert document["items"][0]["steps"][0]["stepId"] == name
    assert repr(found) == f"Timeline(run_id='{handle.id}', status='completed', 1 of 1 items)"


@pytest.mark.parametrize("latest", range(6))
def test_the_end_is_the_latest_time(latest: int) -> None:
    created, ended, *times = (second(9 if at == latest else 1) for at in range(6))
    fields = {**RUNNING["summary"], "status": "completed", "createdAt": created}
    run = RunSummary.model_validate({**fields, "completedAt": ended})
    step = TimelineStep("a", StepStatus.COMPLETED, times[2], times[3])
    blocked = TimelineStep("b", StepStatus.BLOCKED)
    items = (
        TimelineItem(0, ExecutionStatus.RUNNING, None, None, ()),
        TimelineItem(1, ExecutionStatus.COMPLETED, times[0], times[1], (step, blocked)),
    )
    assert Timeline(run, items, 0, 0, True).end == second(9)
    # A run in progress has no end, and perhaps no items.
    running = RunSummary.model_validate(fields)
    assert Timeline(running, items, 0, 0, True).end == second(1 if latest == 1 else 9)
    assert Timeline(running, (), 0, 0, True).end == created


def test_the_document() -> None:
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(seconds=1.5)
    run = RunSummary.model_validate(
        {**RUNNING["summary"], "status": "completed", "flowName": "f", "completedAt": end}
    )
    completed = StepStatus.COMPLETED, start, end
    steps = TimelineStep("a", *completed, 2), TimelineStep("b", StepStatus.BLOCKED)
    items = TimelineItem(7, ExecutionStatus.FAILED, start, None, steps)
    assert Timeline(run, (items,), 5, 3, True).to_dict() == {
        "runId": str(run.run_id),
        "flowId": "0" * 64,
        "flowName": "f",
        "status": "completed",
        "createdAt": "2026-01-01T00:00:00+00:00",
        "completedAt": "2026-01-01T00:00:01.500000+00:00",
        "seconds": 1.5,
        "itemCount": 1,
        "omittedItems": 5,
        "omittedFailedItems": 3,
        "hasStepTimes": True,
        "items": [
            {
                "itemIndex": 7,
                "status": "failed",
                "startedAt": "2026-01-01T00:00:00+00:00",
                "completedAt": None,
                "seconds": None,
                "steps": [
                    {
                        "stepId": "a",
                        "status": "completed",
                        "startedAt": "2026-01-01T00:00:00+00:00",
                        "completedAt": "2026-01-01T00:00:01.500000+00:00",
                        "seconds": 1.5,
                        "attempts": 2,
                    },
                    {
                        "stepId": "b",
                        "status": "blocked",
                        "startedAt": None,
                        "completedAt": None,
                        "seconds": None,
                        "attempts": None,
                    },
                ],
            }
        ],
    }


def test_the_command(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    with SyncStepflowClient(server.url) as client:
        handle = client.submit_batch(ASK, [{"prompt": "x"}, {}, {"prompt": "y"}])
        handle.results(timeout=60)
        found = handle.timeline(items=2)

    def command(*arguments: str) -> tuple[str, str]:
        assert cli.run(["timeline", str(handle.id), *arguments]) == 0
        sys.stdout.flush()
        return capfd.readouterr()

    assert json.loads(command("--items", "2", "--json")[0]) == found.to_dict()
    out, err = command("--items", "2")
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0][:3] == ["1", "ask" if HAS_STEPS_OF_ITEMS else "", "failed"]
    assert len(rows) == 2
    assert "1 item left out" in err
    if HAS_EVENTS:
        start, end = map(datetime.datetime.fromisoformat, rows[0][3:5])
        assert (end - start).total_seconds() == float(rows[0][5])
        assert command() == ("".join(f"{line}\n" for line in command()[0].splitlines()), "")
