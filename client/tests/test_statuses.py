"""Which states end a wait, on servers that report them by name and by number."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from client.tests.support import Driver
from stepflow_api.models import ExecutionStatus
from stepflow_client import errors, events

RUN_ID = UUID(int=1)

#: The number that servers from 0.12 on send, and whether a wait ends.
STATUSES = {
    ExecutionStatus.RUNNING: (1, False),
    ExecutionStatus.COMPLETED: (2, True),
    ExecutionStatus.FAILED: (3, True),
    ExecutionStatus.CANCELLED: (4, True),
    ExecutionStatus.PAUSED: (5, False),
    ExecutionStatus.RECOVERY_FAILED: (6, True),
}

STEP = {"stepId": "a", "stepIndex": 0, "itemIndex": 0, "status": 2}

VERSIONS = ("0.11.1", "0.13.0")


class Server:
    """Reports a run with one status after another, and then always with the last one.

    Args:
        version: Whose answers it sends.
        statuses: The statuses.
        items: Items of the run.
    """

    def __init__(self, version: str, statuses: Iterable[ExecutionStatus], items: int = 1) -> None:
        self._is_transcoded = version >= "0.12"
        self._statuses = list(statuses)
        self._items = items
        self.asked: list[httpx.URL] = []
        self.read_timeouts: list[float] = []
        self.reported: list[ExecutionStatus] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(request.url)
        self.read_timeouts.append(request.extensions["timeout"]["read"])
        if path.endswith("/events"):
            return httpx.Response(404)
        if path.endswith("/items"):
            return httpx.Response(200, json=self._all_items())
        if path.endswith("/steps"):
            return httpx.Response(200, json={"steps": [STEP] if self._is_transcoded else {}})
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        self.reported.append(status)
        run: dict[str, Any] = {
            "runId": str(RUN_ID),
            "rootRunId": str(RUN_ID),
            "flowId": "0" * 64,
            "status": STATUSES[status][0] if self._is_transcoded else status.value,
            "items": {
                "total": self._items,
                "completed": 0,
                "running": 0,
                "failed": 0,
                "cancelled": 0,
            },
            "createdAt": "2026-01-01T00:00:00Z",
            "createdAtSeqno": 0,
        }
        if path.endswith("/runs"):
            return httpx.Response(200, json={"runs": [run]})
        if self._is_transcoded:
            return httpx.Response(200, json={"summary": run, "steps": []})
        return httpx.Response(200, json={**run, "itemDetails": []})

    def _all_items(self) -> dict[str, Any]:
        if self._is_transcoded:
            return {"results": [{"itemIndex": index, "status": 3} for index in range(self._items)]}
        items = [
            {"itemIndex": index, "status": "failed", "input": None} for index in range(self._items)
        ]
        return {"itemCount": self._items, "items": items}

    def waits(self) -> list[int]:
        """The seconds of each requested wait."""
        return [int(url.params["timeoutSecs"]) for url in self.asked if "wait" in url.params]


WAITS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "result": (1, lambda handle: handle.result(timeout=20)),
    "results": (1, lambda handle: handle.results(timeout=20)),
    "results of several": (2, lambda handle: handle.results(timeout=20)),
    "results with progress": (
        2,
        lambda handle: handle.results(timeout=20, on_progress=lambda progress: None),
    ),
}


def client_of(do: Driver, server: Server, version: str) -> Any:
    transport = httpx.MockTransport(server)
    return do.client("http://other.invalid", server_version=version, transport=transport)


def wait_for(
    do: Driver, server: Server, version: str, wait: Callable[[Any], Any]
) -> errors.RunError | None:
    """Wait for the run, whatever its status, and return the error."""
    client = client_of(do, server, version)
    found = None
    try:
        do(wait(client.handle(RUN_ID)))
    except errors.RunError as error:
        found = error
    do(client.close())
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two polls of a run."""
    monkeypatch.setattr("stepflow_client._core.status.PROGRESS_SECONDS", 0.0)


def test_every_status_is_known() -> None:
    assert set(STATUSES) == set(ExecutionStatus)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_wait_ends_with_the_run(
    do: Driver, status: ExecutionStatus, name: str, version: str
) -> None:
    items, wait = WAITS[name]
    ends = STATUSES[status][1]
    after = [] if ends else [ExecutionStatus.COMPLETED]
    server = Server(version, [status, *after], items)
    error = wait_for(do, server, version, wait)
    assert isinstance(error, errors.RunCancelled) is (status is ExecutionStatus.CANCELLED)
    assert error is None or error.run_id == RUN_ID
    assert server.reported == [status, *after]
    # A response to a wait contains all items, so several are not waited for again.
    assert items == 1 or len(server.waits()) <= 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_cancelling_waits_for_the_end(do: Driver, status: ExecutionStatus, version: str) -> None:
    ended = [ExecutionStatus.COMPLETED]
    running = [ExecutionStatus.RUNNING] if version >= "0.12" else []
    server = Server(version, [*running, status, *([] if STATUSES[status][1] else ended)])
    client = client_of(do, server, version)
    run = do(client.handle(RUN_ID).cancel(wait=True, timeout=20))
    assert run.status is (status if STATUSES[status][1] else ExecutionStatus.COMPLETED)
    do(client.close())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_events_end_with_the_run(
    do: Driver, status: ExecutionStatus, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(version, [status, *([] if STATUSES[status][1] else [ExecutionStatus.FAILED])])
    monkeypatch.setattr("stepflow_client._core.polled_events.PROGRESS_SECONDS", 0.0)
    client = client_of(do, server, version)
    *_, last = do(client.handle(RUN_ID).events(timeout=20))
    assert isinstance(last, events.RunCompleted)
    assert last.status is (status if STATUSES[status][1] else ExecutionStatus.FAILED)
    do(client.close())


def test_waits_are_short(do: Driver) -> None:
    server = Server("0.11.1", [*[ExecutionStatus.RUNNING] * 7, ExecutionStatus.COMPLETED])
    wait_for(do, server, "0.11.1", lambda handle: handle.result())
    assert server.waits() == [1] * 8
    # A response that takes as long as the server may wait does not come too late, and a dead
    # connection is noticed soon, whatever the client's timeout.
    assert 5 < min(server.read_timeouts) < 15
    server = Server("0.11.1", [ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED])
    wait_for(do, server, "0.11.1", lambda handle: handle.result(timeout=0.9))
    assert server.waits() == [1] * 2
    # To check once is not to wait.
    for items in (1, 2):
        server = Server("0.11.1", [ExecutionStatus.RUNNING], items)
        with pytest.raises(errors.Timeout):
            wait_for(do, server, "0.11.1", lambda handle: handle.results(timeout=0))
        assert server.waits() == [0]


@pytest.mark.parametrize("name", WAITS)
def test_a_deadline_ends_a_wait(do: Driver, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    items, wait = WAITS[name]
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("stepflow_client._requests.deadline.time", clock)
    server = Server("0.11.1", [ExecutionStatus.RUNNING], items)

    def slow(request: httpx.Request) -> httpx.Response:
        nonlocal now
        now += 6
        assert now < 100
        return server(request)

    client = do.client("http://other.invalid", transport=httpx.MockTransport(slow))
    with pytest.raises(errors.Timeout, match=f"^run {RUN_ID} was not seen to end .*=20 s") as one:
        do(wait(client.handle(RUN_ID)))
    assert (one.value.run_id, one.value.seconds, len(server.asked)) == (RUN_ID, 20, 4)
    do(client.close())


@pytest.mark.parametrize("items", [1, 2])
@pytest.mark.parametrize("on_progress", [None, id])
def test_a_run_that_has_finished_is_no_timeout(do: Driver, on_progress: Any, items: int) -> None:
    server = Server("0.11.1", [ExecutionStatus.COMPLETED], items)
    client = client_of(do, server, "0.11.1")
    results = do(client.handle(RUN_ID).results(timeout=0, on_progress=on_progress))
    assert len(results) == items
    do(client.close())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*WAITS, "events"])
def test_a_run_that_another_run_has_started(do: Driver, name: str, version: str) -> None:
    items, wait = WAITS.get(name, (1, lambda handle: handle.events(timeout=20)))
    server = Server(version, [ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED], items)

    def without_it(request: httpx.Request) -> httpx.Response:
        # Listed are runs that no other has started.
        is_list = request.url.path.endswith("/runs")
        return httpx.Response(200, json={"runs": []}) if is_list else server(request)

    client = do.client(
        "http://other.invalid",
        server_version=version,
        transport=httpx.MockTransport(without_it),
    )
    with contextlib.suppress(errors.RunError):
        do(wait(client.handle(RUN_ID)))
    assert server.reported[-1] is ExecutionStatus.COMPLETED
    do(client.close())


def test_progress_is_reported_when_it_has_changed(do: Driver) -> None:
    server = Server("0.11.1", [*[ExecutionStatus.RUNNING] * 3, ExecutionStatus.COMPLETED], 2)
    found: list[Any] = []
    wait_for(do, server, "0.11.1", lambda handle: handle.results(on_progress=found.append))
    assert len(found) == 1 and found[0].total == 2
