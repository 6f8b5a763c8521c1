"""Workers that execute steps, on servers that need no gRPC for them."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import descendants, exists, processes, wait_until
from runtime.tests.workers import PLUGIN, config, logged, of_level
from stepflow_runtime import RestartPolicy, StepflowRuntime, errors

WORKER = Path("runtime/tests/component_worker.py").absolute()


def flow(**input: Any) -> dict[str, Any]:
    """Return a flow with instructions for the worker."""
    return {
        "name": "do",
        "steps": [{"id": "do", "component": "/w/do", "input": input}],
        "output": {"$step": "do"},
    }


def test_what_a_worker_prints_while_it_works(records: list[logging.LogRecord]) -> None:
    with StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        run = runtime.sync_client.run
        assert run(flow(stdout="in a step", stderr="wrong"), None).output == "done"

        def messages() -> list[str]:
            return [record.getMessage() for record in of_level(records, logging.INFO)]

        expected = [f"{PLUGIN}: {text}" for text in ("starting", "in a step", "wrong")]
        wait_until(lambda: len(messages()) >= 3, "the lines are logged")
        # Not the announcement of its port.
        assert sorted(messages()) == sorted(expected)
        # More than a pipe holds.
        assert run(flow(stdout="x" * 99, times=10_000), None).output == "done"
        wait_until(lambda: len(messages()) >= 10_003, "all lines are logged")
    assert not of_level(records, logging.ERROR)


def test_a_worker_that_exits_later_is_reported_once(records: list[logging.LogRecord]) -> None:
    with StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        client = runtime.sync_client
        client.submit(flow(stderr="no more", exit=3), None)
        # The server starts the worker again, and tries the step again.
        wait_until(lambda: len(of_level(records, logging.ERROR)) > 1, "the exits are reported")
        for record in of_level(records, logging.ERROR)[:2]:
            assert record.getMessage() == (
                f"the worker of plugin {PLUGIN!r} exited (exit code 3); its last lines:"
                " starting | no more"
            )
            assert record.__dict__["plugin"] == PLUGIN
            assert record.__dict__["exit_code"] == 3
            assert record.__dict__["last_lines"] == ["starting", "no more"]
    exits = [
        one for one in records if "no more" in one.getMessage() and one.levelno == logging.INFO
    ]
    # The last one may coincide with the stop.
    assert len(exits) - 1 <= len(of_level(records, logging.ERROR)) <= len(exits)


def test_a_worker_that_goes_on_in_the_background(records: list[logging.LogRecord]) -> None:
    shell = f"'{sys.executable}' '{WORKER}' & exit 0"
    with StepflowRuntime.start(config("/bin/sh", "-c", shell)) as runtime:
        assert runtime.sync_client.run(flow(stdout="in a step"), None).output == "done"
        expected = f"{PLUGIN}: in a step"
        wait_until(lambda: expected in [one.getMessage() for one in records], "it is logged")
        # That its first process has exited is reported, although the start continues.
        wait_until(lambda: of_level(records, logging.ERROR), "the exit is reported")
    (record,) = of_level(records, logging.ERROR)
    assert "exited (exit code 0)" in record.getMessage()


def test_an_announcement_that_arrives_in_pieces() -> None:
    code = (
        "import array, builtins, fcntl, os, runpy, sys, termios\n"
        "def print_bytes(text):\n"
        "    unread = array.array('i', [0])\n"
        "    for byte in text.encode() + bytes([10]):\n"
        "        os.write(1, bytes([byte]))\n"
        "        unread[0] = 1\n"
        "        while unread[0]: fcntl.ioctl(1, termios.FIONREAD, unread)\n"
        "builtins.print = print_bytes\n"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    with StepflowRuntime.start(config(sys.executable, "-c", code, str(WORKER))) as runtime:
        assert runtime.sync_client.run(flow(), None).output == "done"


def test_the_worker_ends_with_a_server_that_crashes(records: list[logging.LogRecord]) -> None:
    with StepflowRuntime.start(
        config("/bin/sh", "-c", f"'{sys.executable}' '{WORKER}' & wait"),
        restart_policy=RestartPolicy.ON_FAILURE,
    ) as runtime:
        pids = {runtime.pid, *descendants(runtime.pid)}
        # The server, the worker's two parents, the shell, and Python.
        assert len(pids) == 5
        os.kill(runtime.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(exists, pids)), "all are gone")
        wait_until(lambda: runtime.is_alive, "the server is started again")
        assert runtime.sync_client.run(flow(stdout="again"), None).output == "done"
    assert not of_level(records, logging.ERROR)


def test_the_worker_ends_with_the_process_that_the_server_started() -> None:
    with StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        (started,) = (pid for pid, parent, _ in processes() if parent == runtime.pid)
        pids = descendants(started)
        assert len(pids) == 2
        # The worker is in the process group that the server signals; its parent is not.
        group = os.getpgid(started)
        assert sorted(os.getpgid(pid) == group for pid in pids) == [False, True]
        os.kill(started, signal.SIGKILL)
        wait_until(lambda: not any(map(exists, pids)), "all are gone")


def test_a_worker_that_failed_in_an_earlier_restart_is_not_reported_again(
    records: list[logging.LogRecord], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    script = f"[ -e '{broken}' ] && rm '{broken}' && exit 3; exec '{sys.executable}' '{WORKER}'"
    with StepflowRuntime.start(
        config("/bin/sh", "-c", script), restart_policy=RestartPolicy.ON_FAILURE
    ) as runtime:
        pid = runtime.pid
        broken.touch()
        os.kill(pid, signal.SIGKILL)
        # By the first restart, which the worker fails.
        wait_until(lambda: not broken.exists(), "the worker is started again")
        wait_until(lambda: runtime.is_alive, "the server is started again")
        assert runtime.sync_client.run(flow(stdout="again"), None).output == "done"
    assert not of_level(records, logging.ERROR)


def test_a_worker_beside_functions_of_this_program() -> None:
    def shout(text: str) -> str:
        return text.upper()

    called = {
        "name": "shout",
        "steps": [{"id": "shout", "component": "/python/shout", "input": {"text": "a"}}],
        "output": {"$step": "shout"},
    }
    with StepflowRuntime.start(config(sys.executable, str(WORKER)), components=[shout]) as runtime:
        assert runtime.sync_client.run(flow(), None).output == "done"
        assert runtime.sync_client.run(called, None).output == "A"


def test_a_start_that_fails_although_the_workers_are_ready() -> None:
    code = (
        "import json, socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "print(json.dumps({'port': server.getsockname()[1]}), flush=True)\n"
        "while True: server.accept()[0].close()"
    )
    message = ""
    # On a busy machine, the worker may need most of the time.
    for seconds in (4, 16, 64):
        with pytest.raises(errors.StartTimeout) as caught:
            StepflowRuntime.start(config(sys.executable, "-c", code), startup_timeout=seconds)
        message = str(caught.value)
        if "may not be ready" not in message:
            break
    assert "may not be ready" not in message


def test_of_two_workers_the_one_that_is_not_ready_is_named() -> None:
    document = config(sys.executable, str(WORKER), plugin="ready")
    document["plugins"]["hanging"] = {
        "type": "stepflow",
        "command": "/bin/sh",
        "args": ["-c", "echo dozing; exec sleep 1000"],
    }
    with pytest.raises(errors.StartTimeout) as caught:
        StepflowRuntime.start(document, startup_timeout=10)
    assert str(caught.value).endswith(
        "; the workers of these plugins may not be ready: 'hanging' (its last line: dozing)"
    )


def test_of_two_workers_the_one_that_fails_is_named() -> None:
    document = config(sys.executable, str(WORKER), plugin="ready")
    document["plugins"]["broken"] = {
        "type": "stepflow",
        "command": "/bin/sh",
        "args": ["-c", "echo why; exit 7"],
    }
    with pytest.raises(errors.WorkerFailed) as caught:
        StepflowRuntime.start(document)
    assert (caught.value.plugin, caught.value.exit_code) == ("broken", 7)
    assert caught.value.last_lines == ["why"]


@pytest.mark.parametrize(
    ("says", "reported"), [("echo dozing", "dozing"), (":", "it printed nothing")]
)
def test_a_worker_that_hangs_in_a_restart(says: str, reported: str, tmp_path: Path) -> None:
    """What it said and did before the restart explains nothing."""
    hangs = tmp_path / "hangs"
    script = (
        f"if [ -e '{hangs}' ]; then {says}; exec sleep 1000; fi;"
        f" echo wrong >&2; exec '{sys.executable}' '{WORKER}'"
    )
    with StepflowRuntime.start(
        config("/bin/sh", "-c", script),
        restart_policy=RestartPolicy.ON_FAILURE,
        max_restarts=1,
        startup_timeout=5,
    ) as runtime:
        hangs.touch()
        os.kill(runtime.pid, signal.SIGKILL)
        wait_until(lambda: "failed" in repr(runtime), "it is not restarted any more")
        last = re.escape(f"may not be ready: {PLUGIN!r} (its last line: {reported})")
        with pytest.raises(errors.ServerCrashed, match=last):
            runtime.sync_client.health()


@pytest.mark.parametrize("name", ["app", "pyapp", "", None])
def test_a_program_that_embeds_python(
    name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a program cannot execute Python code in a file, so the server starts the worker."""
    command, embedding = sys.executable, tmp_path / (name or "none")
    embedding.symlink_to("/bin/false")
    # Python may know no path at all.
    monkeypatch.setattr(sys, "executable", str(embedding) if name else name)
    if name == "pyapp":
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    with StepflowRuntime.start(config(command, "-u", str(WORKER))) as runtime:
        assert runtime.sync_client.run(flow(), None).output == "done"


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_a_handler_that_fails_or_stops_the_runtime(kind: type[BaseException]) -> None:
    def emit(record: logging.LogRecord) -> None:
        if "stop" in record.getMessage():
            runtime.stop()
        raise kind

    with logged(emit), StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        client = runtime.sync_client
        assert client.run(flow(stdout="continue"), None).output == "done"
        # Server 0.9 answers once the run has ended, and so never.
        with contextlib.suppress(errors.StepflowError):
            client.submit(flow(stdout="stop"), None)
        wait_until(lambda: not runtime.is_alive, "the runtime is stopped")
