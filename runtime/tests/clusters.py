"""What the tests of several servers have in common."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import command_line, descendants
from stepflow_client import FlowBuilder, SyncStepflowClient
from stepflow_runtime import ComponentContext, StepflowCluster, component


class Work:
    """A component that counts its calls, and waits in the step that a test holds."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[int, int]] = Counter()
        self.runs: Counter[str | None] = Counter()
        self.go_on = threading.Event()
        self.go_on.set()
        self.held_step = -1
        self._lock = threading.Lock()

    def component(self) -> Callable[..., Any]:
        @component
        def work(number: int, step: int, context: ComponentContext) -> int:
            with self._lock:
                self.calls[number, step] += 1
                self.runs[context.run_id] += 1
            if step == self.held_step:
                self.go_on.wait(60)
            return number

        return work

    def hold(self, step: int) -> None:
        self.held_step = step
        self.go_on.clear()

    def release(self) -> None:
        self.go_on.set()


def flow_of(steps: int) -> dict[str, Any]:
    builder = FlowBuilder("work")
    value: Any = builder.input["number"]
    for step in range(steps):
        value = builder.step(f"step{step}", "/python/work", {"number": value, "step": step})
    return builder.build(output=value).to_dict()


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.release()


#: Creates a client that begins with another server of a cluster than the first.
Clients = Callable[[StepflowCluster, int], SyncStepflowClient]


@pytest.fixture
def clients() -> Iterator[Clients]:
    with ExitStack() as opened:

        def create(cluster: StepflowCluster, first: int) -> SyncStepflowClient:
            urls = cluster.urls[first:] + cluster.urls[:first]
            return opened.enter_context(SyncStepflowClient(urls))

        yield create


@pytest.fixture
def cluster(tmp_path: Path, work: Work) -> Iterator[StepflowCluster]:
    with StepflowCluster.start(data_dir=tmp_path / "data", components=[work.component()]) as it:
        yield it


def etcd_url(data_dir: Path) -> str:
    """Return the URL of the etcd that a cluster with a data_dir has started."""
    for pid in descendants():
        options = command_line(pid).split(b"\0")
        if os.fsencode(data_dir / "etcd") in options:
            return options[options.index(b"--listen-client-urls") + 1].decode()
    raise AssertionError("there is no etcd")
