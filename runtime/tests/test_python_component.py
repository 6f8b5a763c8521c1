"""A flow with a step that is a Python function, served by a worker that the server starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.examples.python_component.run import config
from runtime.tests.support import descendants, exists, wait_until
from stepflow_runtime import StepflowRuntime

FOLDER = Path("runtime/examples/python_component")
FLOW = FOLDER / "flow.yaml"
WORKER = os.path.abspath(os.environ["WORKER"])
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
INPUT = json.loads((FOLDER / "input.json").read_text(encoding="utf-8"))


@pytest.fixture
def runtime() -> Iterator[StepflowRuntime]:
    with StepflowRuntime.start(config([WORKER])) as runtime:
        yield runtime


def test_the_example_prints_its_output() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtime.examples.python_component.run", WORKER],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout) == EXPECTED


def test_a_flow_calls_the_function(runtime: StepflowRuntime) -> None:
    run = runtime.sync_client.run
    assert run(FLOW, INPUT).output == EXPECTED
    assert run(FLOW, {"text": "Ja ja nein"}).output == {"words": 3, "most_common": "ja"}


def test_proxies_of_the_environment_are_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.com")
    # The server calls its worker by HTTP, and itself reads the proxies.
    with StepflowRuntime.start(config([WORKER])) as runtime:
        assert runtime.sync_client.run(FLOW, INPUT).output == EXPECTED


def test_what_the_function_raises_fails_the_run(runtime: StepflowRuntime) -> None:
    result = runtime.sync_client.run(FLOW, {"text": ""})
    assert result.error is not None
    assert "list index out of range" in result.error.message


def test_a_batch_shares_the_worker(runtime: StepflowRuntime) -> None:
    texts = [{"text": "word " * count} for count in range(1, 101)]
    outputs: list[Any] = [one.output for one in runtime.sync_client.run_batch(FLOW, texts)]
    assert [output["words"] for output in outputs] == list(range(1, 101))


def test_the_component_is_listed(runtime: StepflowRuntime) -> None:
    assert runtime.sync_client.run(FLOW, INPUT).is_success
    listed = {one.component: one for one in runtime.sync_client.list_components()}
    count_words = listed["/count_words"]
    assert count_words.description == "Count the words of a text and find the most common one."


def test_the_worker_ends_with_the_runtime(runtime: StepflowRuntime) -> None:
    assert runtime.sync_client.run(FLOW, INPUT).is_success
    pids = descendants(runtime.pid)
    assert pids
    runtime.stop()
    wait_until(lambda: not any(map(exists, pids)), "the worker is gone")


def test_the_worker_ends_with_a_server_that_is_killed(runtime: StepflowRuntime) -> None:
    assert runtime.sync_client.run(FLOW, INPUT).is_success
    pids = descendants(runtime.pid)
    assert pids
    os.kill(runtime.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(exists, pids)), "the worker is gone")
