"""What a client makes of the events that a server sends, in any order and number."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from client.tests.support import RUNNING, Driver
from stepflow_api.testing import MockServer
from stepflow_client import SyncStepflowClient, errors, events
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
    # What has not started comes last.
    assert shown == [
        ("a", "completed", "2026-01-01T00:00:02+00:00", "2026-01-01T00:00:05+00:00", 2),
        ("b", "running", "2026-01-01T00:00:06+00:00", None, 2),
        ("c", "blocked", None, None, 0),
    ]


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Events, and then the end of the response, or an error of the connection.

    Args:
        *numbers: The events' sequence numbers; 9 is that of the run's last event.
        error: The error.
    """

    def __init__(self, *numbers: int, error: type[httpx.TransportError] | None = None) -> None:
        documents = [DONE if number == 9 else step(number) for number in numbers]
        self._parts = [
            json.dumps(
                {
                    "sequenceNumber": one["sequence_number"],
                    "timestamp": one["timestamp"],
                    "event": {one["kind"]: one["data"]},
                }
            ).encode()
            for one in documents
        ]
        self._error = error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            yield b"data: %b\n\n" % part
        if self._error is not None:
            raise self._error("simulated")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


silent = partial(Stream, error=httpx.ReadTimeout)
cut = partial(Stream, error=httpx.ReadError)

#: Whether the run is running, has finished with an event of number 9, or was cancelled during a
#: step; the streams of its events, no two of which may fail in a row; and the numbers that `events`
#: returns, or its error.
CONNECTIONS: dict[str, tuple[str, list[Stream], list[int] | type[Exception]]] = {
    # A run may do nothing for a long time.
    "silence": ("running", [silent(), silent(), silent(1), silent(1), Stream(9)], [1, 9]),
    "silence, then a cut": ("running", [silent(), cut(), silent(), cut(), Stream(9)], [9]),
    "cuts": ("running", [cut(), cut()], errors.ConnectionLost),
    "ends": ("running", [Stream(), Stream()], errors.ConnectionLost),
    "cuts with events": ("running", [cut(1), cut(1, 2), cut(2, 9)], [1, 2, 9]),
    # Of a finished run, silence is a fault.
    "silence at the end": ("finished", [silent(), silent()], errors.RequestTimeout),
    "silence with events at the end": (
        "finished",
        [silent(1), silent(1, 2), Stream(2, 9)],
        [1, 2, 9],
    ),
    # Of one without a last event, it is the end.
    "cancelled": ("cancelled", [silent(1), silent(1)], [1]),
    "cancelled, slowly": ("cancelled", [silent(1), silent(1, 2), silent(2)], [1, 2]),
    "cancelled, with ends": ("cancelled", [Stream(1), Stream(1)], [1]),
    "cancelled, with cuts": ("cancelled", [cut(1), cut(1), cut(1)], errors.ConnectionLost),
    # Without waiting for more, silence is the end of a run in progress as well.
    "running so far": ("running so far", [silent(1, 2)], [1, 2]),
    "running so far, cut": ("running so far", [cut(1), silent(1, 2)], [1, 2]),
    "finished so far": ("finished so far", [silent(1), Stream(1, 9)], [1, 9]),
}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_what_the_end_of_a_connection_means(
    do: Driver, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("stepflow_client._core.events.RECONNECT_SECONDS", 1e-9)
    state, streams, expected = CONNECTIONS[name]
    state, _, so_far = state.partition(" ")
    more = {"running": {}, "finished": {"status": 2, "finishedAtSeqno": 9}}.get(
        state, {"status": 4}
    )
    opened: list[Stream] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/runs"):
            return httpx.Response(200, json={"runs": [{**RUNNING["summary"], **more}]})
        # A stream is awaited for no longer than it may be silent.
        assert request.extensions["timeout"]["read"] <= 5
        # Before another connection is opened.
        assert all(stream.is_closed for stream in opened)
        fresh = streams[len(opened)]
        opened.append(Stream())
        opened[-1].__dict__.update(vars(fresh), is_closed=False)
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=opened[-1])

    transport = httpx.MockTransport(handle)
    client = do.client("http://server.invalid", server_version="0.13.0", transport=transport)
    found = client.handle(UUID(int=1)).events(follow=not so_far)
    if isinstance(expected, list):
        assert [event.sequence_number for event in do(found)] == expected
    else:
        with pytest.raises(expected):
            do(found)
    assert len(opened) == len(streams)
    assert all(stream.is_closed for stream in opened)
    do(client.close())


@pytest.mark.parametrize("timeout", [None, 0.25])
def test_the_pauses_before_a_connection_is_opened_again(
    monkeypatch: pytest.MonkeyPatch, timeout: float | None
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("stepflow_api._exchange.driver.time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(random, "random", lambda: 1.0)
    streams = iter([[step(1)], [], [], [], [], [step(2)], [], [DONE]])
    server = MockServer(
        {
            "GET /runs": {"runs": [RUNNING["summary"]]},
            "GET /runs/{run_id}/events": lambda request: next(streams),
        },
        version="0.13.0",
    )
    with SyncStepflowClient("http://h", server_version="0.13.0", transport=server) as client:
        if timeout is None:
            assert len(list(client.handle(UUID(int=1)).events())) == 3
            assert pauses == [0.1, 0.2, 0.4, 0.8, 0.1]
        else:
            with monkeypatch.context() as patch:
                clock = SimpleNamespace(monotonic=lambda: 0.0)
                patch.setattr("stepflow_client._requests.deadline.time", clock)
                assert len(list(client.handle(UUID(int=1)).events(timeout=timeout))) == 3
            assert pauses == [0.1, 0.2, 0.25, 0.25, 0.1]


@pytest.mark.parametrize("make", [silent, Stream, cut])
def test_a_deadline_ends_streams_without_events(
    do: Driver, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Stream]
) -> None:
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("stepflow_client._requests.deadline.time", clock)
    opened: list[float] = []

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal now
        if request.url.path.endswith("/runs"):
            return httpx.Response(200, json={"runs": [RUNNING["summary"]]})
        opened.append(now)
        assert len(opened) < 10
        now += 100
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=make())

    transport = httpx.MockTransport(handle)
    client = do.client("http://server.invalid", server_version="0.13.0", transport=transport)
    with pytest.raises(errors.Timeout, match=f"run {UUID(int=1)} was not seen to end") as caught:
        do(client.handle(UUID(int=1)).events(timeout=250))
    assert (caught.value.run_id, caught.value.seconds) == (UUID(int=1), 250)
    assert opened == [0, 100, 200]
    do(client.close())
