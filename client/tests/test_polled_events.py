"""The events of a run on servers that tell none: what can be seen of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from client.tests.support import CHAIN, READ_FILE, Driver, release, wait_until, watch
from stepflow_api.models import ExecutionStatus, StepStatus
from stepflow_api.testing import MockRequest, MockServer, finished_run
from stepflow_client import SyncStepflowClient, errors, events

VERSION = os.environ["STEPFLOW_SERVER_VERSION"]


def test_what_is_seen_of_a_run_has_the_same_types(do: Driver, client: Any) -> None:
    handle = do(client.submit(CHAIN, {"prompt": "x"}))
    do(handle.result(timeout=60))
    seen = do(handle.events(timeout=60))
    assert [type(event) for event in seen] == [
        events.RunCreated,
        *[events.StepStarted, events.StepCompleted] * 3,
        events.RunCompleted,
    ]
    assert [event.sequence_number for event in seen] == list(range(8))
    assert {event.run_id for event in seen} == {handle.id}
    steps = [event for event in seen if isinstance(event, events.StepCompleted)]
    assert [(step.step_id, step.step_index, step.status) for step in steps] == [
        (f"step{number}", number, StepStatus.COMPLETED) for number in range(3)
    ]
    starts = [event for event in seen if isinstance(event, events.StepStarted)]
    assert [(step.step_index, step.attempt) for step in starts] == [(n, None) for n in range(3)]
    run = do(handle.status())
    assert seen[0].timestamp == run.created_at
    assert (seen[0].item_count, seen[0].flow_id) == (1, run.flow_id)
    assert (seen[-1].timestamp, seen[-1].status) == (run.completed_at, ExecutionStatus.COMPLETED)


def test_since_is_the_first_number_given(do: Driver, client: Any) -> None:
    handle = do(client.submit(CHAIN, {"prompt": "x"}))
    do(handle.result(timeout=60))
    for since in (0, 3, 7, 8, 1000):
        numbers = [event.sequence_number for event in do(handle.events(since=since, timeout=60))]
        assert numbers == list(range(since, 8))


def test_each_item_has_its_steps(do: Driver, client: Any) -> None:
    handle = do(client.submit_batch(CHAIN, [{"prompt": "x"}] * 4))
    first, *steps, last = do(handle.events(timeout=60))
    assert isinstance(first, events.RunCreated)
    assert isinstance(last, events.RunCompleted)
    ended = {
        (one.item_index, one.step_id) for one in steps if isinstance(one, events.StepCompleted)
    }
    expected = {(item, f"step{number}") for item in range(4) for number in range(3)}
    # 0.9 does not tell which item a step is of.
    assert ended == (set() if VERSION == "0.9.0" else expected)
    assert len(steps) == 2 * len(ended)


def test_what_fails_is_told(do: Driver, client: Any) -> None:
    handle = do(client.submit(READ_FILE, {"path": "/nowhere"}))
    *_, step, run = do(handle.events(timeout=60))
    assert (step.step_id, step.status) == ("read", StepStatus.FAILED)
    assert run.status is ExecutionStatus.FAILED


def test_an_unknown_run_is_told(do: Driver, client: Any) -> None:
    with pytest.raises(errors.NotFound) as caught:
        do(client.handle(UUID(int=1)).events())
    assert not isinstance(caught.value, errors.Unsupported)


def test_steps_may_come_later_than_their_run(do: Driver) -> None:
    step = {"stepId": "one", "component": "/c", "status": "completed"}
    runs = iter([*["running"] * 3, "completed"])
    skipped = {"stepId": "two", "component": "/c", "status": "skipped"}
    steps: Iterator[dict[str, Any]] = iter([{}, {}, {"one": step, "two": skipped}])
    finished: Any = finished_run(1)["GET /runs/{run_id}"]
    run = {**finished, "completedAt": "2026-02-01T00:00:00Z"}
    server = MockServer(
        {
            "GET /runs/{run_id}/events": httpx.Response(404),
            "GET /runs": lambda request: {"runs": [{**run, "status": next(runs)}]},
            "GET /runs/{run_id}/steps": lambda request: {"steps": next(steps)},
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    seen = do(client.handle(run["runId"]).events())
    kinds = ["RunCreated", "StepStarted", "StepCompleted", "StepCompleted", "RunCompleted"]
    assert [event.kind for event in seen] == kinds
    # The server knows when the run was created and completed; steps have no times.
    times = [datetime.fromisoformat(run[name]) for name in ("createdAt", "completedAt")]
    assert [seen[0].timestamp, seen[-1].timestamp] == times
    do(client.close())


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_step_that_runs_for_several_polls_starts_and_ends_once(do: Driver, status: str) -> None:
    states = iter(["running", "running", "running", status, status])
    waiting = {"stepId": "two", "component": "/c", "status": "running"}
    runs = iter(["running"] * 6)
    finished: Any = finished_run(1)["GET /runs/{run_id}"]
    server = MockServer(
        {
            "GET /runs/{run_id}/events": httpx.Response(404),
            "GET /runs": lambda request: {"runs": [{**finished, "status": next(runs, "failed")}]},
            "GET /runs/{run_id}/steps": lambda request: {
                "steps": {
                    "one": {"stepId": "one", "component": "/c", "status": next(states, status)},
                    "two": waiting,
                }
            },
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    created, *of_steps, ended = do(client.handle(finished["runId"]).events(timeout=20))
    assert (created.kind, ended.kind, ended.status) == ("RunCreated", "RunCompleted", "failed")
    assert [(one.kind, one.step_id, one.step_index) for one in of_steps] == [
        ("StepStarted", "one", 0),
        ("StepStarted", "two", 1),
        ("StepCompleted", "one", 0),
    ]
    assert of_steps[-1].status == status
    do(client.close())


def test_the_pauses_between_two_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("stepflow_api._exchange.driver.time", SimpleNamespace(sleep=pauses.append))
    finished: Any = finished_run(1, 2)["GET /runs/{run_id}"]
    done = {"one": {"stepId": "one", "component": "/c", "status": "completed"}}
    states = ["running"] * 9 + ["completed"]
    left: list[str] = []

    def steps(request: MockRequest) -> dict[str, Any]:
        # The step of the second item ends with the run.
        has_ended = request.query["itemIndex"] == "0" or not left
        return {"steps": done if has_ended else {}}

    server = MockServer(
        {
            "GET /runs/{run_id}/events": httpx.Response(404),
            "GET /runs": lambda request: {"runs": [{**finished, "status": left.pop(0)}]},
            "GET /runs/{run_id}/steps": steps,
            "GET /runs/{run_id}/items": {"itemCount": 0, "items": []},
        }
    )
    doubled = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5, 0.5]
    with SyncStepflowClient("http://x", server_version="0.11.1", transport=server) as client:
        handle = client.handle(finished["runId"])
        left += states
        handle.results(on_progress=lambda progress: None)
        assert pauses == doubled
        left += states
        pauses.clear()
        server.requests.clear()
        assert len(list(handle.events())) == 6
        # The first poll is for whether the run exists, and the second has the first events.
        assert pauses == doubled[:8]
        asked = [one.query["itemIndex"] for one in server.requests if "steps" in one.path]
        # What has ended is not asked for again.
        assert (asked.count("0"), asked.count("1")) == (1, 9)


def test_asking_for_steps_takes_of_the_same_time(do: Driver) -> None:
    finished: Any = finished_run(1)["GET /runs/{run_id}"]
    server = MockServer(
        {
            "GET /runs/{run_id}/events": httpx.Response(404),
            "GET /runs": {"runs": [finished]},
            "GET /runs/{run_id}/steps": httpx.Response(503, headers={"retry-after": "5"}),
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    with pytest.raises(errors.Timeout):
        do(client.handle(finished["runId"]).events(timeout=0.2))
    do(client.close())


def test_polling_takes_of_the_same_time(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.0)
    finished: Any = finished_run(1)["GET /runs/{run_id}"]
    answers = iter([{"runs": [finished]}])
    server = MockServer(
        {
            "GET /runs/{run_id}/events": httpx.Response(404),
            # The first poll is for whether the run exists.
            "GET /runs": lambda request: next(answers, 503),
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    with pytest.raises(errors.Timeout):
        do(client.handle(finished["runId"]).events(timeout=0))
    do(client.close())


def test_a_deadline_ends_the_polls(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("stepflow_client._requests.deadline.time", clock)
    finished: Any = finished_run(1)["GET /runs/{run_id}"]

    def runs(request: MockRequest) -> Any:
        nonlocal now
        now += 100
        return {"runs": [{**finished, "status": "running"}]}

    server = MockServer(
        {
            "GET /runs/{run_id}/events": httpx.Response(404),
            "GET /runs": runs,
            "GET /runs/{run_id}/steps": {"steps": {}},
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    with pytest.raises(errors.Timeout, match=r"^run [-\d]+ was not seen to end") as caught:
        do(client.handle(finished["runId"]).events(timeout=350))
    assert (caught.value.run_id, caught.value.seconds) == (UUID(finished["runId"]), 350)
    assert now == 400
    do(client.close())


# 0.9 creates no run in progress.
if VERSION != "0.9.0":

    def test_it_goes_on_until_the_run_ends(
        do: Driver, client: Any, fifo: Callable[[], Path]
    ) -> None:
        path = fifo()
        handle = do(client.submit(READ_FILE, {"path": str(path)}))
        seen: list[events.RunEvent] = []
        # A busy machine needs longer for the event that is there.
        for seconds in (0.2, 5, 50):
            with pytest.raises(errors.Timeout):
                watch(do, handle, seen.append, timeout=seconds)
            if seen:
                break
        assert isinstance(seen[0], events.RunCreated)

        def go_on(event: events.RunEvent) -> None:
            if isinstance(event, events.RunCreated):
                wait_until(lambda: release(path), "the step opens the file")

        kinds = [event.kind for event in watch(do, handle, go_on, timeout=60)]
        assert kinds == ["RunCreated", "StepStarted", "StepCompleted", "RunCompleted"]

    def test_a_cancelled_run_ends_it(do: Driver, client: Any, fifo: Callable[[], Path]) -> None:
        handle = do(client.submit(READ_FILE, {"path": str(fifo())}))
        do(handle.cancel())
        last = do(handle.events(timeout=60))[-1]
        assert isinstance(last, events.RunCompleted)
        assert last.status is ExecutionStatus.CANCELLED
