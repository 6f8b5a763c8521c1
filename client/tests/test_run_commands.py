"""The commands that follow and list runs, and what they say of failures."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from client.tests.commands import Command, Screen
from client.tests.commands import command as command
from client.tests.commands import read_file as read_file
from client.tests.support import CHAIN, VERSION, release, wait_until
from stepflow_api.models import Flow
from stepflow_client import SyncStepflowClient, cli
from stepflow_client.events import RunEvent, parse_event
from stepflow_client.sync_handle import SyncRunHandle
from tools.spec.server import StepflowServer

HAS_EVENTS = tuple(map(int, VERSION.split("."))) >= (0, 12)


@pytest.fixture
def chain(tmp_path: Path) -> str:
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(CHAIN), encoding="utf-8")
    return str(path)


def test_following_a_run(command: Command, chain: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["run", chain, "--input", '{"prompt": "x"}', "--follow", "--json"]) == 0
    sys.stdout.flush()
    out, err = capfd.readouterr()
    # The result alone is on standard output.
    assert json.loads(out)["outcome"] == "success"
    lines = [line.split(" ", 1) for line in err.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time, _ in lines)
    steps = [
        f"{kind} item 0 step step{number}{status}"
        for number in range(3)
        for kind, status in (("StepStarted", ""), ("StepCompleted", " completed"))
    ]
    assert [words for _, words in lines] == [*steps, "RunCompleted completed"]


@pytest.mark.skipif(VERSION == "0.9.0", reason="it creates no run in progress")
def test_following_is_live(
    command: Command,
    read_file: str,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = fifo()
    errors = tmp_path / "stderr"
    run_id = command("submit", read_file, "--input", json.dumps({"path": str(path)})).strip()

    def end() -> None:
        if HAS_EVENTS:
            wait_until(lambda: "StepStarted" in errors.read_text(), "the step is shown")
        wait_until(lambda: release(path), "the step reads the FIFO")

    thread = threading.Thread(target=end)
    with errors.open("w", buffering=1) as file:
        monkeypatch.setattr(sys, "stderr", file)
        thread.start()
        assert cli.run(["wait", run_id, "--follow"]) == 0
        thread.join()
    assert "StepCompleted item 0 step read completed" in errors.read_text()


def rows(shown: str) -> list[str]:
    """Return the rows of the last table that a terminal shows, with single spaces."""
    text = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\r", "\n", shown)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    start = max(number for number, line in enumerate(lines) if line.startswith("step "))
    return [line for line in lines[start + 1 :] if line and not line.startswith("items ")]


def test_following_on_a_terminal(
    server: StepflowServer,
    chain: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    screen = Screen(monkeypatch, "stderr")
    shown = rows(screen("run", chain, "--input", '{"prompt": "x"}', "--follow"))
    duration = r"[\d.]+ m?s" if HAS_EVENTS else ".+"
    for number, row in enumerate(shown):
        assert re.fullmatch(f"step{number} completed {duration}", row)
    assert len(shown) == 3
    path = tmp_path / "inputs.jsonl"
    path.write_text('{"prompt": "x"}\n' * 3, encoding="utf-8")
    shown = rows(screen("run", chain, "--inputs", str(path), "--follow"))
    # The steps of a batch's items are not known before 0.10.
    assert shown == [f"step{number} 0 3 0" for number in range(0 if VERSION == "0.9.0" else 3)]


def events_of(*steps: tuple[str, float, int, dict[str, Any]]) -> list[RunEvent]:
    """Return the events of a run: the kind of each, its seconds, its step, and other fields."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        parse_event(
            {
                "sequenceNumber": number,
                "timestamp": (start + timedelta(seconds=seconds)).isoformat(),
                "kind": kind,
                "runId": str(UUID(int=1)),
                "itemIndex": 0,
                "stepIndex": step,
                **fields,
            }
        )
        for number, (kind, seconds, step, fields) in enumerate(steps)
    ]


def test_durations_of_steps_on_a_terminal(
    command: Command, chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all attempts; 0 if the server's clock was set back."""
    run_id = command("submit", chain, "--input", '{"prompt": "x"}').strip()
    given = events_of(
        ("StepStarted", 0, 0, {"stepId": "again", "attempt": 1}),
        ("StepStarted", 1, 1, {"stepId": "back"}),
        ("StepStarted", 2, 0, {"stepId": "again", "attempt": 2}),
        ("StepStarted", 2, 2, {}),
        ("StepStarted", 2, 3, {}),
        ("StepCompleted", -9, 1, {"stepId": "back", "status": "completed"}),
        ("StepCompleted", 3, 0, {"stepId": "again", "status": "completed"}),
        ("StepCompleted", 4, 2, {"status": "failed"}),
    )
    monkeypatch.setattr(SyncRunHandle, "events", lambda *_, **__: (one for one in given))
    shown = rows(Screen(monkeypatch, "stderr")("wait", run_id, "--follow"))
    assert shown == [
        "again completed 3.00 s",
        "back completed 0.00 ms",
        "2 failed 2.00 s",
        "3 running -",
    ]


def test_submit_does_not_follow(command: Command, chain: str) -> None:
    assert "use `run --follow`" in command("submit", chain, "--follow", code=2)


def test_events(command: Command, chain: str) -> None:
    run_id = command("submit", chain, "--input", '{"prompt": "x"}').strip()
    command("wait", run_id)
    for options in ((), ("--follow",)):
        lines = command("events", run_id, *options).splitlines()
        assert "RunCreated" in lines[0]
        assert lines[-1].endswith("RunCompleted completed")
        assert sum("StepCompleted" in line for line in lines) == 3
    documents = [json.loads(line) for line in command("events", run_id, "--json").splitlines()]
    last = documents[-1]
    assert last["kind"] == "RunCompleted"
    since = str(last["sequenceNumber"])
    assert len(command("events", run_id, "--since", since).splitlines()) == 1


@pytest.mark.skipif(VERSION == "0.9.0", reason="it creates no run in progress")
def test_events_so_far(command: Command, read_file: str, fifo: Callable[[], Path]) -> None:
    path = fifo()
    run_id = command("submit", read_file, "--input", json.dumps({"path": str(path)})).strip()
    # It ends, though the run does not.
    lines = command("events", run_id).splitlines()
    assert "RunCreated" in lines[0]
    assert "RunCompleted" not in lines[-1]
    error = command("events", run_id, "--follow", "--timeout", "0.2", code=3)
    assert f"run {run_id} did not finish within --timeout 0.2 s" in error
    release(path)


def test_events_of_a_run_that_is_gone(command: Command) -> None:
    error = command("events", str(uuid4()), code=1)
    assert "not found" in error
    assert error.count("\n") == 1


def test_pages_of_runs(server: StepflowServer, command: Command) -> None:
    name = f"flow-{uuid4()}"
    flow = Flow(name=name, steps=[], output=1)
    with SyncStepflowClient(server.url) as client:
        ids = [str(client.submit(flow, {}).id) for _ in range(5)][::-1]

    def listed(*options: str) -> list[str]:
        lines = command("runs", "--flow-name", name, *options).splitlines()
        return [line.split("\t")[0] for line in lines]

    assert listed() == ids
    assert listed("--limit", "2") == ids[:2]
    assert listed("--limit", "2", "--page", "2") == ids[2:4]
    assert listed("-L", "2", "--page", "3") == ids[4:]
    assert listed("-L", "2", "--page", "4") == []
    assert listed("-L", "0") == []
    for page, shown in (("1", ids[:2]), ("2", ids[2:4]), ("3", ids[4:])):
        options = ("--flow-name", name, "-L", "2", "--page", page, "--json")
        lines = command("runs", *options).splitlines()
        assert [json.loads(line)["runId"] for line in lines] == shown


def test_ids_can_be_pasted(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    name = f"{uuid4()}-" + "long name " * 20
    flow = Flow(name=name, steps=[], output=1)
    with SyncStepflowClient(server.url) as client:
        handles = [client.submit_batch(flow, [1] * 1000) for _ in range(2)]
        for handle in handles:
            handle.results(timeout=60)
    shown = Screen(monkeypatch)("runs", "--flow-name", name, "-L", "1")
    header, line = shown.splitlines()
    assert header.split() == ["run", "status", "items", "age", "flow"]
    # On one line, with nothing but the flow's name cut.
    assert re.fullmatch(rf"{handles[1].id}  completed  1000/1000 +\d+ \w+  {name[:5]}\S*… *", line)
    assert len(line) <= 80
    assert capfd.readouterr().err == "There are more runs: --page 2\n"


def test_a_failure_says_the_step(
    command: Command, read_file: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", read_file, "--input", '{"path": "/nowhere"}']
    error = command(*arguments, code=1)
    assert error.count("\n") == 1
    assert 'the flow failed: step "read" failed' in error
    assert re.search(r"\(code -?\d+\)", error)
    details = command(*arguments, "--verbose", code=1).splitlines()
    assert (
        details[0]
        == error.rstrip("\n").rpartition(" (run ")[0] + details[0][details[0].rindex(" (run ") :]
    )
    assert details[1].startswith('step "read" failed (code ')
    inputs = tmp_path / "inputs.jsonl"
    inputs.write_text('{"path": "/nowhere"}\n' * 7, encoding="utf-8")
    assert cli.run(["run", read_file, "--inputs", str(inputs)]) == 1
    lines = capfd.readouterr().err.splitlines()
    failed = [line for line in lines if re.match(r"item \d+ failed: ", line)]
    assert [line.split()[1] for line in failed] == ["0", "1", "2", "3", "4"]
    assert all('step "read" failed' in line for line in failed)
    assert "7 of 7 items failed" in lines[-1]


@pytest.mark.skipif(VERSION == "0.9.0", reason="it creates no run in progress")
def test_the_timeout_counts_from_the_start(
    command: Command,
    read_file: str,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Creating the run and waiting for it have one deadline."""
    path = fifo()
    clock, submit, passed = time.monotonic, SyncStepflowClient.submit, 0.0

    def slow(*arguments: Any, **options: Any) -> Any:
        nonlocal passed
        handle = submit(*arguments, **options)
        passed += 1000
        return handle

    monkeypatch.setattr(time, "monotonic", lambda: clock() + passed)
    monkeypatch.setattr(SyncStepflowClient, "submit", slow)
    arguments = ("--input", json.dumps({"path": str(path)}), "--timeout", "1000")
    assert "did not finish within --timeout 1000 s" in command("run", read_file, *arguments, code=3)
    release(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "no-uuid"),
        ("timeline", str(uuid4())),
        ("events", "no-uuid"),
        ("events", str(uuid4()), "--since", "0"),
        ("--url", "http://127.0.0.1:9/other", "submit", "{chain}", "--timeout", "0.1"),
        ("--url", "{url}/prefix", "runs"),
        ("--url", "nothing", "runs"),
        ("wait", str(uuid4()), "--timeout", "0"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_messages_have_no_words_of_python(
    command: Command, chain: str, arguments: tuple[str, ...]
) -> None:
    values = {"chain": chain, "url": os.environ["STEPFLOW_URL"]}
    assert cli.run([one.format(**values) for one in arguments]) > 0
    error = command.capfd.readouterr().err
    assert error.startswith("stepflow-client: ")
    assert error.count("\n") == 1
    assert not re.search(r"\w\(\)|handle\(|argument|timeout=|base_url|=True|Error\b", error), error
