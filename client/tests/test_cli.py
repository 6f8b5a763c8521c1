"""The command on the real server: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.tests.commands import Command
from client.tests.commands import command as command
from client.tests.commands import read_file as read_file
from client.tests.fault_proxy import Fault, FaultProxy
from client.tests.support import ECHO, release, wait_until
from stepflow_client import SyncStepflowClient, cli
from tools.spec.server import StepflowServer


@pytest.fixture
def echo(tmp_path: Path) -> str:
    path = tmp_path / "echo.yaml"
    path.write_text("name: echo\nsteps: []\noutput: {$input: $}\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("option", ["--input", "--input-file"])
def test_an_input_comes_from_standard_input(
    command: Command, echo: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'"piped"')))
    assert command("run", echo, option, "-") == "piped\n"


@pytest.mark.parametrize("options", [(), ("--data",)])
def test_a_blob_comes_from_standard_input(
    command: Command, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'"piped"')))
    blob_id = command("blob", "put", "-", *options).strip()
    assert command("blob", "get", blob_id) == ("piped\n" if options else '"piped"')


def test_run_prints_the_output(command: Command, echo: str, tmp_path: Path) -> None:
    assert command("run", echo, "--input", '"é text"') == "é text\n"
    assert json.loads(command("run", echo, "--input", '{"a": [1]}')) == {"a": [1]}
    assert command("run", echo) == "{}\n"
    path = tmp_path / "input.yaml"
    path.write_text("a: yes", encoding="utf-8")
    assert json.loads(command("run", echo, "--input-file", str(path))) == {"a": "yes"}
    assert command.json("run", echo, "--input", "5") == {"outcome": "success", "result": 5}


def test_a_failed_flow_ends_with_1(command: Command, read_file: str) -> None:
    arguments = ("run", read_file, "--input", '{"path": "/nowhere"}')
    err = command(*arguments, code=1)
    assert 'the flow failed: step "read" failed: error executing user-defined function' in err
    assert "(run 0" in err
    assert cli.run([*arguments, "--json"]) == 1


def test_a_batch_prints_a_line_each(
    command: Command, echo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inputs.jsonl"
    path.write_text('1\n"two"\n\n \t\n[3]\n', encoding="utf-8")
    lines = command("run", echo, "--inputs", str(path), "--max-concurrency", "2").splitlines()
    assert [json.loads(line)["result"] for line in lines] == [1, "two", [3]]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"4\n5\n")))
    lines = command("run", echo, "--inputs", "-").splitlines()
    assert [json.loads(line)["result"] for line in lines] == [4, 5]
    path.write_text('1\n\n{"a"\n', encoding="utf-8")
    problem = f"line 3 of '{path}' is not valid JSON"
    assert problem in command("run", echo, "--inputs", str(path), code=2)


def test_a_batch_with_failures_ends_with_1(
    command: Command, read_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "inputs.jsonl"
    path.write_text('{"path": "/nowhere"}\n' * 2, encoding="utf-8")
    err = command("run", read_file, "--inputs", str(path), code=1)
    assert "2/2 done, 2 failed" in err
    assert "2 of 2 items failed" in err


def test_the_last_line_of_progress_is_complete(
    proxy: FaultProxy,
    read_file: str,
    fifo: Callable[[], Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path, inputs = fifo(), tmp_path / "inputs.jsonl"
    inputs.write_text(json.dumps({"path": str(path)}), encoding="utf-8")

    def end() -> None:
        # The first poll of the run has been shown when the second one is sent.
        wait_until(lambda: sum("rootRunId" in seen.target for seen in proxy.seen) > 1, "two polls")
        wait_until(lambda: release(path), "the step reads the FIFO")

    thread = threading.Thread(target=end)
    thread.start()
    assert cli.run(["--url", proxy.url, "run", read_file, "--inputs", str(inputs)]) == 0
    thread.join()
    lines = capfd.readouterr().err.splitlines()
    assert "0/1 done" in lines[0] and "1/1 done" in lines[-1]


def test_submit_then_wait_status_cancel(
    command: Command, read_file: str, fifo: Callable[[], Path]
) -> None:
    path = fifo()
    run_id = command("submit", read_file, "--input", json.dumps({"path": str(path)})).strip()
    assert command.json("status", run_id)["status"] == "running"
    assert command("status", run_id) == "running: 0 of 1 items completed, 0 failed, 1 running\n"
    assert f"within --timeout 0.1 s; wait again: stepflow-client wait {run_id}" in command(
        "wait", run_id, "--timeout", "0.1", code=3
    )
    assert command.json("cancel", run_id)["runId"] == run_id
    assert "was cancelled" in command("wait", run_id, code=1)
    release(path)


def test_wait_prints_the_results(command: Command, echo: str, tmp_path: Path) -> None:
    single = command.json("submit", echo, "--input", "7")["runId"]
    assert command("wait", single) == "7\n"
    path = tmp_path / "inputs.jsonl"
    path.write_text("1\n2\n", encoding="utf-8")
    batch = command.json("submit", echo, "--inputs", str(path))["runId"]
    lines = command("wait", batch).splitlines()
    assert [json.loads(line)["result"] for line in lines] == [1, 2]


def test_runs_and_components_are_listed(command: Command, echo: str) -> None:
    run_id = command("submit", echo).strip()
    assert run_id in command("runs", "--flow-name", "echo", "--limit", "100")
    listed = [json.loads(line) for line in command("runs", "--json").splitlines()]
    assert {"runId", "status", "items"} <= set(listed[0])
    assert command("runs", "--status", "paused") == ""
    assert "/load_file\t" in command("components")
    names = [json.loads(line)["component"] for line in command("components", "--json").splitlines()]
    assert "/load_file" in names


def test_validate_tells_errors(command: Command, echo: str, tmp_path: Path) -> None:
    assert command("validate", echo).splitlines()[-1] == "valid"
    assert command.json("validate", echo)["valid"] is True
    path = tmp_path / "bad.yaml"
    path.write_text("steps: []\noutput: {$step: nope}\n", encoding="utf-8")
    assert cli.run(["validate", str(path)]) == 1


def test_blobs_go_there_and_back(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"\x00\xff")
    blob_id = command("blob", "put", str(path)).strip()
    out = tmp_path / "out"
    command("blob", "get", blob_id, "--output", str(out))
    assert out.read_bytes() == b"\x00\xff"
    path.write_text('{"a": 1}', encoding="utf-8")
    blob_id = command.json("blob", "put", str(path), "--data")["blobId"]
    assert command.json("blob", "get", blob_id) == {"a": 1}


def test_variables_and_overrides(
    command: Command, read_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "it.json"
    path.write_text("1", encoding="utf-8")
    overrides = json.dumps({"read": {"input": {"path": str(path)}}})
    assert command("run", read_file, "--overrides", overrides) == "1\n"
    flow = {
        **ECHO,
        "schemas": {"properties": {"variables": {"properties": {"n": {"env_var": "TEST_N"}}}}},
        "output": {"$variable": "n"},
    }
    path.write_text(json.dumps(flow), encoding="utf-8")
    assert command("run", str(path), "--variable", "n=5") == "5\n"
    assert command("run", str(path), "--variable", "n=five") == "five\n"
    monkeypatch.setenv("TEST_N", "env")
    assert command("run", str(path), "--variables-from-env") == "env\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nope"], "No such command"),
        (["run"], "Missing argument"),
        (["run", "nowhere.yaml"], "there is no such file"),
        (["run", "0" * 64, "--input", "{a"], "--input is not valid JSON"),
        (["run", "0" * 64, "--input", "1", "--inputs", "-"], "use one of them"),
        (["run", "0" * 64, "--max-concurrency", "2"], "requires --inputs"),
        (["run", "0" * 64, "--variable", "n"], "is not NAME=VALUE"),
        (["run", "0" * 64, "--overrides", "[]"], "pass an object of step ids"),
        (["status", "abc"], "`stepflow-client runs` lists ids"),
        (["--url", "nonsense", "runs"], "write http://HOST:PORT"),
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str], problem: str) -> None:
    assert problem in command(*arguments, code=2)


def test_no_server_ends_with_3(command: Command, server: StepflowServer, echo: str) -> None:
    with FaultProxy(server.port) as proxy:
        url = proxy.url
    err = command("--url", url, "run", echo, code=3)
    assert err.count("\n") == 1
    assert "is the server running there?" in err


def test_a_lost_answer_to_creating_ends_with_3(
    command: Command, proxy: FaultProxy, echo: str
) -> None:
    proxy.plan = lambda seen: Fault.RESET_AFTER if seen.creates_run else Fault.NONE
    err = command("--url", proxy.url, "run", echo, code=3)
    assert "look in `stepflow-client runs` for a run of flow" in err
    assert err.count("\n") == 1


def test_messages_name_options(command: Command, proxy: FaultProxy, echo: str) -> None:
    run_id = "00000000-0000-0000-0000-000000000001"
    error = command("events", run_id, "--since", str(2**63), code=2)
    assert f"--since is {2**63}; pass the number of an event, or 0 for all events" in error
    error = command("submit", echo, "--timeout", "0", code=3)
    assert re.search(r"within --timeout 0 s; raise --timeout", error)
    proxy.plan = lambda seen: Fault.RESET_BEFORE if seen.creates_run else Fault.NONE
    options = ("--idempotency-key", f"lost {proxy.url}", "--timeout", "0.5")
    error = command("--url", proxy.url, "run", echo, *options, code=3)
    assert "Repeat it with the same --idempotency-key, which finds the run" in error
    assert error.count("\n") == 1


def test_a_server_that_goes_away_while_waiting_ends_with_3(
    command: Command, proxy: FaultProxy, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.05)
    proxy.plan = lambda seen: Fault.RESET_BEFORE if seen.waits else Fault.NONE
    err = command("--url", proxy.url, "run", echo, code=3)
    assert re.search(r"wait again: stepflow-client wait [0-9a-f-]{36}\n$", err)
    assert err.count("\n") == 1


def test_arguments_are_not_expanded_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    # There, typer expands `*`, `~` and `$NAME` in those that it reads itself.
    passed: list[list[str] | None] = []

    def main(arguments: list[str] | None, *_: str, standalone_mode: bool) -> int:
        passed.append(arguments)
        return 0

    monkeypatch.setattr(cli, "get_command", lambda _: SimpleNamespace(main=main))
    monkeypatch.setattr(sys, "argv", ["stepflow-client", "run", "--input", "[1]", "~"])
    assert cli.run() == 0
    assert passed == [["run", "--input", "[1]", "~"]]


def start(server: StepflowServer, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Starts the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "stepflow_client.cli", *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "STEPFLOW_URL": server.url,
            # Buffered, as usual: an empty value is as good as none.
            "PYTHONUNBUFFERED": "",
            "TERM": "xterm",
            "COLUMNS": "120",
        },
        **options,
    )


@pytest.mark.parametrize("batch", [False, True])
def test_ctrl_c_tells_the_run(
    server: StepflowServer,
    proxy: FaultProxy,
    read_file: str,
    fifo: Callable[[], Path],
    tmp_path: Path,
    batch: bool,
) -> None:
    path = fifo()
    input = json.dumps({"path": str(path)})
    (tmp_path / "inputs.jsonl").write_text(input, encoding="utf-8")
    arguments = ("--inputs", str(tmp_path / "inputs.jsonl")) if batch else ("--input", input)
    child = start(server, "--url", proxy.url, "run", read_file, *arguments, stderr=subprocess.PIPE)
    watches = "/runs?" if batch else "wait=true"
    wait_until(lambda: any(watches in seen.target for seen in proxy.seen), "it waits")
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert b"Traceback" not in err
    found = re.search(
        rb"which was not cancelled; wait again: stepflow-client wait ([0-9a-f-]{36})", err
    )
    assert found
    wait_until(lambda: release(path), "the step reads the file")
    with SyncStepflowClient(server.url) as client:
        results = client.handle(found[1].decode()).results()
    assert [result.output for result in results] == [42]


@pytest.mark.parametrize("name", ["run", "blob"])
def test_a_reader_that_has_enough_is_no_error(
    server: StepflowServer, echo: str, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "inputs.jsonl"
    path.write_text("1\n" * 5000, encoding="utf-8")
    arguments = ["run", echo, "--inputs", str(path)]
    if name == "blob":
        with SyncStepflowClient(server.url) as client:
            arguments = ["blob", "get", client.put_blob(b"x" * 1_000_000)]
    child = start(server, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.read(1)
    child.stdout.close()
    assert child.stderr is not None
    err = child.stderr.read()
    child.stderr.close()
    assert child.wait(60) == 0
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


def test_output_that_cannot_be_written_is_told(server: StepflowServer, echo: str) -> None:
    with open("/dev/full", "wb") as full:
        child = start(server, "run", echo, stdout=full, stderr=subprocess.PIPE)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 2
    assert err.startswith(b"stepflow-client: cannot write to standard output: No space left")
    assert err.count(b"\n") == 1


def test_a_terminal_shows_a_bar(server: StepflowServer, echo: str, tmp_path: Path) -> None:
    path = tmp_path / "inputs.jsonl"
    path.write_text("1\n" * 500, encoding="utf-8")
    ours, theirs = pty.openpty()
    child = start(server, "run", echo, "--inputs", str(path), stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    out, _ = child.communicate(timeout=60)
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:
        # The end of a terminal that nobody holds any more.
        pass
    os.close(ours)
    assert child.returncode == 0
    assert out.count(b"\n") == 500
    assert b"500/500 done" in shown
    assert b"0 failed" in shown
    # While it changes, there is no cursor.
    assert b"\x1b[?25l" in shown and b"\x1b[?25h" in shown
