"""Waiting for a run, whichever orchestrator executes it, and what a wait costs on a single one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from client.tests.fault_proxy import FaultProxy
from client.tests.support import ECHO, READ_FILE, VERSION, Driver, release, wait_until
from stepflow_client import SyncStepflowClient, errors
from tools.spec.server import DEFAULT_CONFIG, StepflowServer

#: Seconds from a run's end to the end of a wait for it, and what a busy machine adds.
NOTICED = 1.0 + 2.0

HAS_EVENTS = VERSION >= "0.12"


@pytest.fixture(scope="module")
def orchestrators(
    binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StepflowServer, StepflowServer]]:
    """Two orchestrators on one database, neither of which takes over the other's runs."""
    database = tmp_path_factory.mktemp("shared") / "db"
    config = {
        **DEFAULT_CONFIG,
        "storageConfig": {"type": "sqlite", "databaseUrl": f"sqlite:{database}?mode=rwc"},
        "recovery": {"enabled": False, "maxStartupRecovery": 0},
    }
    with (
        StepflowServer(binary, config=config, arguments=("--orchestrator-id", "a")) as executor,
        StepflowServer(binary, config=config, arguments=("--orchestrator-id", "b")) as other,
    ):
        yield executor, other


@pytest.fixture
def other(orchestrators: tuple[StepflowServer, StepflowServer]) -> Iterator[FaultProxy]:
    """The orchestrator that does not execute the runs."""
    with FaultProxy(orchestrators[1].port) as proxy:
        yield proxy


class Run:
    """A run on one orchestrator that is waited for through the other.

    Args:
        server: The one that executes it.
        paths: What its items read, a FIFO each.
    """

    def __init__(self, server: StepflowServer, paths: list[Path]) -> None:
        self._paths = paths
        self._client = SyncStepflowClient(server.url, server_version=VERSION)
        inputs = [{"path": str(path)} for path in paths]
        self._handle = self._client.submit_batch(READ_FILE, inputs)
        self.id = self._handle.id
        self.ended = 0.0

    def end_once(self, condition: Callable[[], object]) -> threading.Thread:
        """Starts a thread that lets it end once a condition holds, and notes when it did."""

        def end() -> None:
            wait_until(condition, "the run is waited for")
            for path in self._paths:
                wait_until(partial(release, path), "the step opens the file")
            self._handle.results(timeout=60)
            self.ended = time.monotonic()
            self._client.close()

        thread = threading.Thread(target=end)
        thread.start()
        return thread


WAITS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "result": (1, lambda handle: handle.result(timeout=60)),
    "result without a deadline": (1, lambda handle: handle.result()),
    "results": (3, lambda handle: handle.results(timeout=60)),
    "results with progress": (
        3,
        lambda handle: handle.results(timeout=60, on_progress=lambda progress: None),
    ),
}


@pytest.mark.parametrize("short", [10.0, 0.0], ids=["short run", "long run"])
@pytest.mark.parametrize("name", WAITS)
def test_an_end_is_noticed_within_a_second_whoever_executes_the_run(
    do: Driver,
    orchestrators: tuple[StepflowServer, StepflowServer],
    other: FaultProxy,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    short: float,
) -> None:
    monkeypatch.setattr("stepflow_client._run_core.SHORT_WAITS_SECONDS", short)
    items, wait = WAITS[name]
    run = Run(orchestrators[0], [fifo() for _ in range(items)])
    with_events = HAS_EVENTS and items == 1 and not short
    thread = run.end_once(
        lambda: any(
            seen.streams if with_events else seen.waits or "/runs?" in seen.target
            for seen in other.seen
        )
    )
    client = do.client(other.url)
    value = do(wait(client.handle(run.id)))
    noticed = time.monotonic()
    thread.join()
    outputs = [one.output for one in value] if items > 1 else [value.output]
    assert outputs == [42] * items
    assert noticed - run.ended < NOTICED
    assert any(seen.streams for seen in other.seen) == with_events
    do(client.close())


def test_a_run_on_a_single_server_takes_three_requests(
    do: Driver, proxied: Any, proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    flow_id = do(proxied.store_flow(ECHO))
    before = len(proxy.seen)
    assert do(proxied.run(flow_id, 1)).output == 1
    seen = [(one.method, one.waits) for one in proxy.seen[before:]]
    assert seen == [("POST", False), ("GET", True), ("GET", False)]


def test_a_deadline_holds_while_events_are_followed(
    do: Driver,
    client: Any,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stepflow_client._run_core.SHORT_WAITS_SECONDS", 0.0)
    handle = do(client.submit(READ_FILE, {"path": str(fifo())}))
    start = time.monotonic()
    with pytest.raises(errors.Timeout, match=f"run {handle.id} was not seen to end") as caught:
        do(handle.result(timeout=1.5))
    assert 1.5 <= time.monotonic() - start < 1.5 + NOTICED
    assert caught.value.run_id == handle.id


def test_a_run_that_is_cancelled_ends_a_wait_by_events(
    do: Driver,
    proxied: Any,
    proxy: FaultProxy,
    server: StepflowServer,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing in its events says so.
    monkeypatch.setattr("stepflow_client._run_core.SHORT_WAITS_SECONDS", 0.0)
    monkeypatch.setattr("stepflow_client._event_core.EVENTS_SILENCE_SECONDS", 0.5)
    handle = do(proxied.submit(READ_FILE, {"path": str(fifo())}))

    def cancel() -> None:
        waits = (lambda seen: seen.streams) if HAS_EVENTS else (lambda seen: seen.waits)
        wait_until(lambda: any(map(waits, proxy.seen)), "the run is waited for")
        with SyncStepflowClient(server.url, server_version=VERSION) as canceller:
            canceller.handle(handle.id).cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(errors.RunCancelled):
        do(handle.result(timeout=60))
    thread.join()
    wait_until(lambda: proxy.open_streams == 0, "no stream is left open")
