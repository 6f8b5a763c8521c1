"""`update_spec`: it stores what the real server serves, and leaves nothing else behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.pytest.forked import run_forked
from tools.pytest.support import wait_until
from tools.spec.tests.waiting import wait_for_end, wait_for_text
from tools.spec.update import main

Executable = Callable[[str], Path]

NEXT = "Next, bring the generated code in line: tools/bazel run //api:update"


class Workspace:
    """A folder with a stored spec, in which the update is run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spec = root / "api/openapi.json"
        self.spec.parent.mkdir(parents=True)

    def start(self, server: Path) -> subprocess.Popen[str]:
        """Starts the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "tools.spec.update", *self._options(server)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self._environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def run(
        self, server: Path, *, environment: Mapping[str, str | None] | None = None, limit: int = -1
    ) -> tuple[int, str, str]:
        """Runs the update in a forked child; returns its exit code and output.

        `limit` is the size that no file it writes can exceed.
        """

        def limited(arguments: list[str]) -> int:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            return main(arguments)

        variables = self._environment(environment)
        done = run_forked(limited, self._options(server), env=variables)
        assert [path.name for path in self.spec.parent.iterdir()] in ([self.spec.name], [])
        return done.returncode, done.stdout, done.stderr

    def fail(
        self, server: Path, *, environment: Mapping[str, str | None] | None = None, limit: int = -1
    ) -> str:
        """Runs an update that must fail and change nothing; returns its message of one line."""
        before = self.spec.read_bytes() if self.spec.exists() else None
        code, output, errors = self.run(server, environment=environment, limit=limit)
        assert (code, output) == (1, "")
        assert errors.count("\n") == 1
        assert (self.spec.read_bytes() if self.spec.exists() else None) == before
        return errors

    def _options(self, server: Path) -> list[str]:
        return [
            f"--server={server}",
            "--spec=api/openapi.json",
            "--update=//api:update_spec",
            "--then=//api:update",
        ]

    def _environment(self, other: Mapping[str, str | None] | None = None) -> dict[str, str]:
        variables = {
            **os.environ,
            "BUILD_WORKSPACE_DIRECTORY": str(self.root),
            **(other or {}),
        }
        return {name: value for name, value in variables.items() if value is not None}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_stores_the_spec_where_there_is_none(
    workspace: Workspace, binary: Path, served: str
) -> None:
    with workspace.start(binary) as process:
        output, errors = process.communicate(timeout=60)
    assert output == f"api/openapi.json: stored; there was none before\n{NEXT}\n"
    assert (process.returncode, errors) == (0, "")
    assert [path.name for path in workspace.spec.parent.iterdir()] == [workspace.spec.name]
    assert workspace.spec.read_text(encoding="utf-8") == served


def test_says_that_nothing_has_changed_and_writes_nothing(
    workspace: Workspace, binary: Path, served: str
) -> None:
    workspace.spec.write_text(served, encoding="utf-8")
    os.utime(workspace.spec, (1, 1))
    code, output, errors = workspace.run(binary)
    assert output == "api/openapi.json is up to date: the server serves the same document.\n"
    assert (code, errors) == (0, "")
    assert workspace.spec.stat().st_mtime == 1


def test_prints_what_has_changed(workspace: Workspace, binary: Path, served: str) -> None:
    stored = json.loads(served)
    schemas = stored["components"]["schemas"]
    del schemas["RunSummary"]["properties"]["flowName"]
    del schemas["FlowError"]
    schemas["Ghost"] = {"type": "string"}
    stored["paths"]["/runs"]["post"]["operationId"] = "submitRun"
    workspace.spec.write_text(json.dumps(stored, indent=2), encoding="utf-8")
    code, output, errors = workspace.run(binary)
    assert output.splitlines() == [
        "api/openapi.json: 2 breaking, 2 compatible: 1 operation renamed, 1 model removed, "
        "1 model changed, 1 model added",
        "  breaking (names): POST /runs (submitRun): renamed to createRun",
        "  breaking (names): Ghost: removed (string)",
        "  compatible: RunSummary.flowName: added (string | null, optional)",
        "  compatible: FlowError: added (object with code, message, data)",
        NEXT,
    ]
    assert (code, errors) == (0, "")
    assert workspace.spec.read_text(encoding="utf-8") == served


@pytest.mark.parametrize(
    ("stored", "change"),
    [
        ("{]", "the stored file is no OpenAPI document: it is not JSON: Expecting property name"),
        ("", "the stored file is no OpenAPI document: it is empty"),
        (None, "only the layout of the file differs"),
    ],
)
def test_repairs_a_stored_file_that_is_broken(
    workspace: Workspace, binary: Path, served: str, stored: str | None, change: str
) -> None:
    text = json.dumps(json.loads(served)) if stored is None else stored
    workspace.spec.write_text(text, encoding="utf-8")
    code, output, _ = workspace.run(binary)
    assert code == 0
    assert output.startswith(f"api/openapi.json: {change}")
    assert workspace.spec.read_text(encoding="utf-8") == served


def test_keeps_the_mode_and_a_link(workspace: Workspace, binary: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.json"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    workspace.spec.symlink_to(target)
    assert workspace.run(binary)[0] == 0
    assert workspace.spec.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.stat().st_size > 10_000


HOLD = "echo $$ > {pid}; exec sleep 1000"
HOLD_STUBBORNLY = "trap '' TERM; echo $$ > {pid}; while :; do sleep 1000; done"
HOLD_THE_SPEC = 'pathlib.Path("{pid}").write_text(f"{{os.getpid()}}\\n")\nthreading.Event().wait()'


@pytest.mark.parametrize(
    ("moment", "number", "stored"),
    [
        ("start", signal.SIGINT, "old\n"),
        ("answer", signal.SIGTERM, "old\n"),
        ("answer", signal.SIGINT, None),
        ("stubborn start", signal.SIGHUP, None),
    ],
)
def test_an_interrupted_update_leaves_the_old_file_and_no_server(
    workspace: Workspace,
    tmp_path: Path,
    executable: Executable,
    odd_server: Executable,
    moment: str,
    number: signal.Signals,
    stored: str | None,
) -> None:
    if stored is not None:
        workspace.spec.write_text(stored, encoding="utf-8")
    pid_file = tmp_path / "pid"
    server = {
        "start": lambda: executable(HOLD.format(pid=pid_file)),
        "stubborn start": lambda: executable(HOLD_STUBBORNLY.format(pid=pid_file)),
        "answer": lambda: odd_server(HOLD_THE_SPEC.format(pid=pid_file)),
    }[moment]()
    with workspace.start(server) as process:
        pid = int(wait_for_text(pid_file))
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert errors == (
        f"update_spec: api/openapi.json is left as it was: interrupted by {number.name}\n"
    )
    assert (process.returncode, output) == (128 + number, "")
    wait_for_end(pid)
    assert [p.read_text(encoding="utf-8") for p in workspace.spec.parent.iterdir()] == (
        [stored] if stored is not None else []
    )


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & (1 << (number - 1)))


@pytest.mark.parametrize("how", ["killed", "interrupted twice"])
def test_an_update_that_cannot_clean_up_leaves_no_server(
    workspace: Workspace,
    tmp_path: Path,
    executable: Executable,
    odd_server: Executable,
    how: str,
) -> None:
    pid_file = tmp_path / "pid"
    server = odd_server(HOLD_THE_SPEC.format(pid=pid_file))
    # What a shell ignores is ignored by what it executes: stopping this one takes its time.
    with workspace.start(executable(f"trap '' TERM; exec {server}")) as process:
        pid = int(wait_for_text(pid_file))
        if how == "killed":
            process.kill()
        else:
            process.send_signal(signal.SIGINT)
            wait_until(lambda: not catches(process.pid, signal.SIGINT), "the first has arrived")
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == -(signal.SIGKILL if how == "killed" else signal.SIGINT)
        wait_for_end(pid)
    assert list(workspace.spec.parent.iterdir()) == []


def test_a_disk_that_is_full_leaves_the_old_file(workspace: Workspace, binary: Path) -> None:
    workspace.spec.write_text("old", encoding="utf-8")
    message = workspace.fail(binary, limit=4096)
    assert "api/openapi.json is left as it was: cannot write" in message
    assert message.endswith("File too large; make that possible and run this again\n")


def test_a_folder_that_cannot_be_written(workspace: Workspace, binary: Path) -> None:
    # Nobody can make a file there, not even root.
    message = workspace.fail(binary, environment={"BUILD_WORKSPACE_DIRECTORY": "/proc/self"})
    assert message.startswith(
        "update_spec: api/openapi.json is left as it was: cannot write /proc/"
    )


def test_a_folder_in_place_of_the_file(workspace: Workspace, binary: Path, tmp_path: Path) -> None:
    root = tmp_path / "other"
    (root / "api/openapi.json").mkdir(parents=True)
    message = workspace.fail(binary, environment={"BUILD_WORKSPACE_DIRECTORY": str(root)})
    assert f"cannot write {root}/api/openapi.json: Is a directory" in message


def test_outside_of_bazel(workspace: Workspace, binary: Path) -> None:
    message = workspace.fail(binary, environment={"BUILD_WORKSPACE_DIRECTORY": None})
    assert message == (
        "update_spec: this works under Bazel only; run: tools/bazel run //api:update_spec\n"
    )


def test_a_server_that_is_missing(workspace: Workspace, tmp_path: Path) -> None:
    assert "No such file or directory" in workspace.fail(tmp_path / "none")


def test_a_server_that_does_not_start(workspace: Workspace, executable: Executable) -> None:
    message = workspace.fail(executable("echo bad; echo luck; exit 7"))
    assert message.endswith("exited during startup (exit code 7): bad | luck\n")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ('self.reply(404, b"")', "(HTTP 404): it is empty; pin a server version"),
        ('self.reply(200, b"")', "(HTTP 200): it is empty; pin a server version"),
        ('self.reply(200, b"<html>")', "(HTTP 200): it is not JSON: Expecting value"),
        ('self.reply(200, b\'{"openapi": "2.0"}\')', "(HTTP 200): its `openapi` field must be 3.x"),
    ],
)
def test_a_server_that_serves_no_spec(
    workspace: Workspace, odd_server: Executable, answer: str, problem: str
) -> None:
    message = workspace.fail(odd_server(answer))
    assert "serves no OpenAPI document at /api/v1/openapi.json " + problem in message


def test_a_server_that_breaks_off_its_answer(workspace: Workspace, odd_server: Executable) -> None:
    message = workspace.fail(odd_server("os._exit(1)"))
    assert "did not answer GET /api/v1/openapi.json: Remote end closed connection" in message
