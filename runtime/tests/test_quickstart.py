"""The command of the README: what it prints, with which code it ends, and what it leaves."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.examples.example import BUILTIN, Example
from runtime.tests.support import exists, wait_until
from stepflow_runtime._binary import find_binary

FOLDER = Path("runtime/examples")
COMMAND = [sys.executable, "-m", "runtime.examples.quickstart"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture
def server_pids(tmp_path: Path) -> tuple[Path, Callable[[], list[int]]]:
    """A server's binary that notes its process, and the processes that it has noted."""
    notes = tmp_path / "pids"
    notes.touch()
    binary = tmp_path / "server"
    binary.write_text(f'#!/bin/sh\necho $$ >> {notes}\nexec {find_binary(None)} "$@"\n')
    binary.chmod(0o755)
    return binary, lambda: [int(line) for line in notes.read_text().split()]


def start(*arguments: str | Path, binary: Path | None = None) -> subprocess.Popen[str]:
    variables = {} if binary is None else {"STEPFLOW_SERVER_BINARY": str(binary)}
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env={**ENVIRONMENT, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def quickstart(*arguments: str | Path, binary: Path | None = None) -> tuple[int, str, str]:
    process = start(*arguments, binary=binary)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def values(text: str) -> list[object]:
    """Return the JSON documents that begin on lines of their own."""
    decoder = json.JSONDecoder()
    return [
        decoder.raw_decode(text, match.start())[0]
        for match in re.finditer(r"^[{\[](?=[\n\"{])", text, re.MULTILINE)
    ]


def test_prints_plain_lines_on_a_pipe(
    server_pids: tuple[Path, Callable[[], list[int]]],
) -> None:
    binary, pids = server_pids
    code, out, err = quickstart(binary=binary)
    assert (code, "quickstart" in err) == (0, False)
    assert out.startswith("Starting a Stepflow server\nVersion 0.11.1 at http://127.0.0.1:")
    assert "\x1b" not in out
    expected = [output for name in BUILTIN for output in Example.read(FOLDER / name).expected]
    assert values(out) == expected
    assert re.findall(r"^\[(\d)/3\] (\w+): \w", out, re.MULTILINE) == [
        (str(number), name) for number, name in enumerate(BUILTIN, 1)
    ]
    assert re.findall(r"^(\d runs?), as expected, in \d+ ms$", out, re.MULTILINE) == [
        "1 run",
        "3 runs",
        "1 run",
    ]
    assert out.splitlines()[-1].startswith("The server is stopped; all of it took ")
    assert [exists(pid) for pid in pids()] == [False]


def test_shows_progress_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        COMMAND,
        env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "120"},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:
        # The end of a terminal that nobody holds any more.
        pass
    os.close(ours)
    assert process.wait(60) == 0
    text = shown.decode()
    assert "Starting a Stepflow server" in text
    assert "1 run, 0 done" in text
    assert re.search(r"3 runs, \d done", text)
    assert text.count("as expected") == 3


def changed(tmp_path: Path, name: str, file: str, text: str) -> Path:
    folder = tmp_path / name
    shutil.copytree(FOLDER / name, folder, copy_function=shutil.copyfile)
    (folder / file).write_text(text, encoding="utf-8")
    return folder


def test_ends_with_1_where_an_output_is_another(tmp_path: Path) -> None:
    folder = changed(tmp_path, "blob_chain", "expected.json", '{"blob_id": "other"}')
    code, out, _ = quickstart(folder, FOLDER / "batch_map")
    assert code == 1
    assert '-  "blob_id": "other"' in out
    assert "1 run, not as expected" in out
    assert "3 runs, as expected" in out


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("flow.yaml", "steps: [", "flow.yaml' is not valid YAML"),
        ("flow.yaml", "steps: []\noutput: {$step: nope}\n", "is invalid"),
        ("flow.yaml", "steps: []\noutput: {$input: nope}\n", "not found"),
        ("input.json", "{", "input.json is no valid JSON"),
    ],
)
def test_a_mistake_is_told_on_one_line(tmp_path: Path, file: str, text: str, problem: str) -> None:
    code, _, err = quickstart(changed(tmp_path, "blob_chain", file, text))
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("quickstart: ")]
    assert problem in line
    assert "Traceback" not in err


def test_a_folder_without_an_example_is_told(tmp_path: Path) -> None:
    code, out, err = quickstart(tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(f"quickstart: cannot read {tmp_path}/input.json: No such file")
    assert err.count("\n") == 1


def test_a_server_that_cannot_start_is_told(tmp_path: Path) -> None:
    code, _, err = quickstart(binary=tmp_path / "nowhere")
    assert code == 1
    assert err.startswith("quickstart: cannot start the Stepflow server")
    assert err.count("\n") == 1


#: Takes minutes, as far as this test is concerned.
ENDLESS = """
description: Goes round and round
steps:
  - id: rounds
    component: /iterate
    input:
      initial_input: 0
      max_iterations: 4000000000
      flow: { $literal: { steps: [], output: { next: 0 } } }
output: { $step: rounds }
"""


def test_ctrl_c_during_a_run_leaves_nothing(
    tmp_path: Path, server_pids: tuple[Path, Callable[[], list[int]]]
) -> None:
    binary, pids = server_pids
    process = start(changed(tmp_path, "blob_chain", "flow.yaml", ENDLESS), binary=binary)
    assert process.stdout is not None
    wait_for = next(line for line in process.stdout if "round and round" in line)
    assert wait_for
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "quickstart: interrupted; the server is stopped"
    assert "Traceback" not in out + err
    assert [exists(pid) for pid in pids()] == [False]


def test_ctrl_c_during_the_start_leaves_nothing(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    binary = tmp_path / "server"
    binary.write_text(f"#!/bin/sh\necho $$ > {note}.part\nmv {note}.part {note}\nexec sleep 600\n")
    binary.chmod(0o755)
    process = start(binary=binary)
    wait_until(note.exists, "the server is started")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert not exists(int(note.read_text()))


def test_sigkill_leaves_nothing(
    tmp_path: Path, server_pids: tuple[Path, Callable[[], list[int]]]
) -> None:
    binary, pids = server_pids
    process = start(changed(tmp_path, "blob_chain", "flow.yaml", ENDLESS), binary=binary)
    assert process.stdout is not None
    assert next(line for line in process.stdout if "round and round" in line)
    process.kill()
    process.communicate(timeout=60)
    (pid,) = pids()
    wait_until(lambda: not exists(pid), "the server is gone")


def test_a_reader_that_has_enough_leaves_nothing(
    server_pids: tuple[Path, Callable[[], list[int]]],
) -> None:
    binary, pids = server_pids
    process = start(binary=binary)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(60)
    wait_until(lambda: not any(map(exists, pids())), "the server is gone")
