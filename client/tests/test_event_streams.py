"""What a client makes of the events that a server sends, in any order and number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from client.tests.support import RUNNING, Driver
from stepflow_api.testing import MockServer
from stepflow_client import errors, events
from stepflow_client.timeline import Timeline


def fails_at_the_second_failure(
    do: Driver,
    streams: Iterator[list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    timeout: float | None = None,
) -> list[events.RunEvent]:
    """Return the events in streams, of which two in a row may not fail."""
    monkeypatch.setattr("stepflow_client._core.events.RECONNECT_SECONDS", 1e-9)
    server = MockServer(
        {
            "GET /runs": {"runs": [RUNNING["summary"]]},
            "GET /runs/{run_id}/events": lambda request: next(streams),
        },
        version="0.13.0",
    )
    client = do.client("http://server.invalid", server_version="0.13.0", transport=server)
    try:
        seen: list[events.RunEvent] = do(client.handle(UUID(int=1)).events(timeout=timeout))
    finally:
        do(client.close())
    return seen


def step(number: int) -> dict[str, Any]:
    time = "2026-01-01T00:00:00Z"
    return {"sequence_number": number, "timestamp": time, "kind": "StepSlept", "data": {}}


DONE = {**step(9), "kind": "RunCompleted", "data": {"runId": str(UUID(int=1)), "status": 2}}


def test_an_event_ends_a_series_of_failures(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = iter([[], [step(1)], [], [step(1), step(2)], [], [DONE]])
    seen = fails_at_the_second_failure(do, streams, monkeypatch)
    assert [event.sequence_number for event in seen] == [1, 2, 9]


def test_streams_without_events_fail_in_the_end(
    do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An event that was returned before is none.
    streams = iter([[step(1)], [step(1)], [step(1)]])
    with pytest.raises(errors.ConnectionLost, match="ended the event stream before the run's last"):
        fails_at_the_second_failure(do, streams, monkeypatch)
    assert next(streams, None) is None


def test_a_deadline_is_the_only_end_of_streams_without_events(
    do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = iter([[step(1)], [], [], [], [DONE]])
    seen = fails_at_the_second_failure(do, streams, monkeypatch, timeout=60)
    assert [event.sequence_number for event in seen] == [1, 9]


def test_the_end_of_another_run_is_not_that_of_this_one(
    do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**DONE, "sequence_number": 1, "data": {"runId": str(UUID(int=2)), "status": 2}}
    seen = fails_at_the_second_failure(do, iter([[other, step(2), DONE]]), monkeypatch)
    assert [event.sequence_number for event in seen] == [1, 2, 9]


def test_a_run_that_has_finished_ends_with_its_last_number(do: Driver) -> None:
    finished = {**RUNNING["summary"], "status": 2, "finishedAtSeqno": 9}
    # The connection ends before the run's last event.
    # What comes after the last event is not of this run.
    streams: Iterator[list[Any]] = iter([[step(9), DONE, step(10)], [step(9), DONE], [step(9)]])
    server = MockServer(
        {
            "GET /runs": {"runs": [finished]},
            "GET /runs/{run_id}/events": lambda request: next(streams),
        },
        version="0.13.0",
    )
    client = do.client("http://server.invalid", server_version="0.13.0", transport=server)
    handle = client.handle(UUID(int=1))
    # All that is there is returned, however short the time.
    assert [event.kind for event in do(handle.events(timeout=0))] == ["StepSlept", "RunCompleted"]
    assert [event.kind for event in do(handle.events(since=9))] == ["StepSlept", "RunCompleted"]
    assert [event.kind for event in do(handle.events())] == ["StepSlept"]
    assert do(handle.events(since=10)) == []
    do(client.close())


def test_what_the_events_say_of_steps(do: Driver) -> None:
    run_id = str(UUID(int=1))
    run = {
        "runId": run_id,
        "rootRunId": run_id,
        "flowId": "0" * 64,
        "status": 3,
        "items": {"total": 1, "completed": 0, "running": 0, "failed": 1, "cancelled": 0},
        "createdAt": "2026-01-01T00:00:00Z",
        "completedAt": "2026-01-01T00:00:09Z",
        "createdAtSeqno": 0,
        "finishedAtSeqno": 9,
    }

    def at(second: int) -> str:
        return f"2026-01-01T00:00:{second:02}Z"

    def event(second: int, kind: str, step: str = "", **fields: Any) -> dict[str, Any]:
        place = {"step_id": step, "step_index": "cab".index(step)} if step else {}
        same = {"sequence_number": second, "timestamp": at(second), "kind": kind}
        return same | {"run_id": run_id, "item_index": 0} | place | fields

    journal = [
        event(1, "StepsNeeded", step_ids=["c", "a", "b"]),
        event(2, "StepStarted", "a", attempt=1),
        event(3, "StepStarted", "b", attempt=1, run_id=str(UUID(int=2))),
        event(3, "StepCompleted", "a", status=3),
        event(4, "StepStarted", "a", attempt=2),
        event(5, "StepCompleted", "a", status=2),
        event(6, "StepStarted", "b", attempt=2),
        event(7, "StepCompleted", "b", status=3),
        # By a server that was restarted.
        event(8, "StepStarted", "b", attempt=1),
        event(9, "ItemCompleted"),
        event(9, "RunCompleted", status=3),
    ]
    server = MockServer(
        {"GET /runs": {"runs": [run]}, "GET /runs/{run_id}/events": journal}, version="0.13.0"
    )
    client = do.client("http://server.invalid", server_version="0.13.0", transport=server)
    found: Timeline = do(client.handle(run_id).timeline())
    do(client.close())
    document = found.items[0].to_dict()
    steps = document.pop("steps")
    assert (document["startedAt"], document["completedAt"]) == (
        at(2)[:-1] + "+00:00",
        at(9)[:-1] + "+00:00",
    )
    shown = [
        (one["stepId"], one["status"], one["startedAt"], one["completedAt"], one["attempts"])
        for one in steps
    ]
    # What has not started comes with the last that has.
    assert shown == [
        ("a", "completed", "2026-01-01T00:00:02+00:00", "2026-01-01T00:00:05+00:00", 2),
        ("c", "blocked", None, None, 0),
        ("b", "running", "2026-01-01T00:00:06+00:00", None, 2),
    ]
