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
from stepflow_client import SyncStepflowClient
from tools.spec.server import DEFAULT_CONFIG, StepflowServer

#: Seconds from a run's end to the end of a wait for it, and what a busy machine adds.
NOTICED = 1.0 + 2.0


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
        """Start a thread that lets the run end once a condition holds, and records when."""

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


@pytest.mark.parametrize("name", WAITS)
def test_an_end_is_noticed_within_a_second_whoever_executes_the_run(
    do: Driver,
    orchestrators: tuple[StepflowServer, StepflowServer],
    other: FaultProxy,
    fifo: Callable[[], Path],
    name: str,
) -> None:
    items, wait = WAITS[name]
    run = Run(orchestrators[0], [fifo() for _ in range(items)])
    thread = run.end_once(lambda: any(seen.waits or "/runs?" in seen.target for seen in other.seen))
    client = do.client(other.url)
    value = do(wait(client.handle(run.id)))
    noticed = time.monotonic()
    thread.join()
    outputs = [one.output for one in value] if items > 1 else [value.output]
    assert outputs == [42] * items
    assert noticed - run.ended < NOTICED
    do(client.close())


def test_a_run_on_a_single_server_takes_three_requests(
    do: Driver, proxied: Any, proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    flow_id = do(proxied.store_flow(ECHO))
    before = len(proxy.seen)
    assert do(proxied.run(flow_id, 1)).output == 1
    seen = [(one.method, one.waits) for one in proxy.seen[before:]]
    assert seen == [("POST", False), ("GET", True), ("GET", False)]
