"""A server that exits or is killed: reports, restarts, and errors of its callers."""

from __future__ import annotations

import asyncio
import collections
import errno
import gc
import json
import logging
import os
import pickle
import random
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.programs import program
from runtime.tests.support import ECHO, READ_FILE, descendants, exists, release, wait_until
from stepflow_client import errors as client_errors
from stepflow_runtime import ALL_BUILTINS, RestartPolicy, StepflowRuntime, errors
from stepflow_runtime._binary import find_binary
from stepflow_runtime._process import ServerProcess


def kill(runtime: StepflowRuntime, number: signal.Signals = signal.SIGKILL) -> int:
    """Ends a server, and returns the process id that it had."""
    pid = runtime.pid
    os.kill(pid, number)
    return pid


def wait_for_restart(runtime: StepflowRuntime, pid: int) -> None:
    """Waits until another process serves."""
    wait_until(lambda: runtime.pid != pid and runtime.is_alive, "the server is started again")


def prepared_server(folder: Path, command: str) -> tuple[Path, Path]:
    """Make a server that runs a command before its start while a file exists; return both.

    `{0}` in the command is the file.
    """
    binary, file = folder / "server", folder / "file"
    binary.write_text(
        f'#!/bin/sh\n[ ! -e "{file}" ] || {command.format(file)}\n'
        f'exec "{find_binary(None)}" "$@"\n',
        encoding="utf-8",
    )
    binary.chmod(0o755)
    return binary, file


def test_without_a_restart_calls_say_what_happened() -> None:
    crashes: list[tuple[int, list[str]]] = []
    with StepflowRuntime.start(on_crash=lambda code, lines: crashes.append((code, lines))) as one:
        one.sync_client.run(ECHO, 1)
        kill(one)
        with pytest.raises(errors.ServerCrashed, match="signal 9") as caught:
            # The first may still find the connection that is being closed.
            for _ in range(3):
                try:
                    one.sync_client.run(ECHO, 1)
                except client_errors.RunOutcomeUnknown:
                    continue
        wait_until(lambda: crashes, "on_crash is called")
        assert not one.is_alive
        assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
        assert caught.value.exit_code == -9 and len(caught.value.last_log_lines) > 1
        # One of them is enough for a message.
        assert " | " not in str(caught.value)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (again.exit_code, str(again)) == (-9, str(caught.value))
        with pytest.raises(errors.ServerCrashed):
            asyncio.run(one.run(ECHO, 1))
        with pytest.raises(errors.ServerCrashed):
            _ = one.url
        assert one.recent_logs()
    assert [code for code, _ in crashes] == [-9]
    assert crashes[0][1] and all("\n" not in line for line in crashes[0][1])


def test_every_caller_gets_an_error_of_its_own() -> None:
    caught: list[errors.ServerCrashed] = []
    with StepflowRuntime.start() as runtime:
        kill(runtime)
        wait_until(lambda: not runtime.is_alive, "the server is dead")

        def call() -> None:
            with pytest.raises(errors.ServerCrashed) as error:
                while True:
                    _ = runtime.url
            caught.append(error.value)

        for _ in range(2):
            call()
    one, other = caught
    # Raising the same object again would add to its traceback, and mix those of threads.
    assert one is not other
    assert str(one) == str(other) and one.last_log_lines == other.last_log_lines


def test_nobody_else_gets_the_port_before_the_restart() -> None:
    bound: list[OSError | None] = []

    def bind(code: int, lines: list[str]) -> None:
        with socket.socket() as other:
            try:
                other.bind(("127.0.0.1", port))
            except OSError as error:
                bound.append(error)
            else:
                bound.append(None)

    with StepflowRuntime.start(restart_policy=RestartPolicy.ON_FAILURE, on_crash=bind) as runtime:
        port = runtime.port
        wait_for_restart(runtime, kill(runtime))
    assert bound[0] is not None and bound[0].errno == errno.EADDRINUSE


@pytest.mark.parametrize("policy", [RestartPolicy.ON_FAILURE, RestartPolicy.ALWAYS])
def test_a_killed_server_is_started_again_on_its_port(policy: RestartPolicy) -> None:
    with StepflowRuntime.start(restart_policy=policy) as runtime:
        url = runtime.url
        for number in range(3):
            pid = kill(runtime)
            assert runtime.sync_client.validate(ECHO).is_valid
            wait_for_restart(runtime, pid)
            assert runtime.url == url
            assert asyncio.run(runtime.run(ECHO, number)).output == number


def test_a_server_that_ended_well_is_started_again_only_where_asked() -> None:
    with StepflowRuntime.start(restart_policy=RestartPolicy.ALWAYS) as runtime:
        wait_for_restart(runtime, kill(runtime, signal.SIGTERM))
    with StepflowRuntime.start(restart_policy=RestartPolicy.ON_FAILURE) as runtime:
        kill(runtime, signal.SIGTERM)
        wait_until(lambda: not runtime.is_alive, "the server has ended")
        with pytest.raises(errors.ServerCrashed, match="exit code 0") as caught:
            runtime.sync_client.health()
        assert caught.value.exit_code == 0


@pytest.mark.parametrize(
    ("command", "ending"),
    [("exit 5", "exited (exit code 5)"), ("kill -ABRT $$", "was killed by signal 6 (SIGABRT)")],
)
def test_the_last_words_of_a_server_are_reported_and_logged(
    command: str, ending: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    binary = tmp_path / "server"
    binary.write_text(
        f'#!/bin/sh\nexec 3<&0\n"{find_binary(None)}" "$@" <&3 &\n'
        f"trap 'kill $!; wait $!; echo last words; {command}' TERM\nwait\n",
        encoding="utf-8",
    )
    binary.chmod(0o755)
    with StepflowRuntime.start(binary=binary) as runtime:
        kill(runtime, signal.SIGTERM)
        wait_until(lambda: "failed" in repr(runtime), "the server has exited")
        with pytest.raises(errors.ServerCrashed) as caught:
            runtime.sync_client.health()
    message = str(caught.value)
    assert message == (
        f"the Stepflow server {ending}: last words; start another runtime, or set restart_policy"
    )
    assert ("stepflow_runtime", logging.ERROR, message) in caplog.record_tuples


def test_restarts_have_a_limit() -> None:
    crashes: list[int] = []
    with StepflowRuntime.start(
        restart_policy=RestartPolicy.ON_FAILURE,
        max_restarts=2,
        on_crash=lambda code, lines: crashes.append(code),
    ) as runtime:
        for _ in range(2):
            wait_for_restart(runtime, kill(runtime))
        kill(runtime)
        wait_until(lambda: not runtime.is_alive and len(crashes) == 3, "the last crash is told")
        with pytest.raises(errors.ServerCrashed, match="2 times"):
            runtime.sync_client.health()


def test_only_restarts_in_a_row_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepflow_runtime._supervisor.STEADY_SECONDS", 0.0)
    # The first in a row comes at once.
    for name in ("FIRST_RESTART_DELAY", "LAST_RESTART_DELAY"):
        monkeypatch.setattr(f"stepflow_runtime._supervisor.{name}", 3600.0)
    with StepflowRuntime.start(restart_policy=RestartPolicy.ON_FAILURE, max_restarts=1) as runtime:
        for _ in range(3):
            wait_for_restart(runtime, kill(runtime))


@pytest.mark.parametrize("kept", ["data_dir", "config"])
def test_a_restart_after_the_program_has_changed_its_working_directory(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All paths may be relative."""
    first, other = tmp_path / "first", tmp_path / "other"
    first.mkdir()
    other.mkdir()
    monkeypatch.chdir(first)
    Path("server").symlink_to(find_binary(None))
    options: dict[str, Any] = {"data_dir": "data"}
    if kept == "config":
        storage = {"type": "sqlite", "databaseUrl": "sqlite:a.db?mode=rwc"}
        Path("config.json").write_text(
            json.dumps({**ALL_BUILTINS, "storageConfig": storage}), encoding="utf-8"
        )
        options = {"config": "config.json"}
    with StepflowRuntime.start(
        binary="server", restart_policy=RestartPolicy.ALWAYS, **options
    ) as runtime:
        handle = runtime.sync_client.submit(ECHO, 7)
        assert handle.result().output == 7
        monkeypatch.chdir(other)
        wait_for_restart(runtime, kill(runtime))
        assert handle.result().output == 7
    assert not list(other.iterdir())


def test_a_server_that_is_being_restarted_is_not_alive(tmp_path: Path) -> None:
    binary, gate = prepared_server(tmp_path, 'cat "{0}" > "{0}.read"')
    with StepflowRuntime.start(binary=binary, restart_policy=RestartPolicy.ALWAYS) as runtime:
        os.mkfifo(gate)
        url, pid = runtime.url, kill(runtime)
        wait_until(lambda: runtime.pid != pid, "another process is started")
        assert not runtime.is_alive
        assert repr(runtime) == f"<StepflowRuntime {url} not alive>"
        wait_until(lambda: release(gate), "the process waits")
        wait_until(lambda: runtime.is_alive, "the server is started again")


def test_calls_outlast_a_restart_that_takes_longer_than_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary, gate = prepared_server(tmp_path, 'cat "{0}" > "{0}.read"')
    retries: collections.Counter[int] = collections.Counter()

    def random_number() -> float:
        retries[threading.get_ident()] += 1
        # By default, a client gives up after 4.
        return 0.02 if retries[threading.get_ident()] <= 5 else 1.0

    with StepflowRuntime.start(binary=binary, restart_policy=RestartPolicy.ALWAYS) as runtime:
        unbound = runtime.client

        async def in_its_loop() -> None:
            await runtime.client.health()

        ways = (
            runtime.sync_client.health,
            lambda: asyncio.run(in_its_loop()),
            lambda: asyncio.run(unbound.health()),
        )
        os.mkfifo(gate)
        monkeypatch.setattr(random, "random", random_number)
        pid = kill(runtime)
        wait_until(lambda: runtime.pid != pid, "another process is started")
        with ThreadPoolExecutor(len(ways)) as pool:
            calls = [pool.submit(way) for way in ways]
            wait_until(
                lambda: sorted(retries.values())[-3:] >= [5] * 3 and len(retries) >= 3,
                "each client tries again and again",
            )
            wait_until(lambda: release(gate), "the process waits")
            for call in calls:
                call.result(60)


@pytest.mark.parametrize("end", ["a block", "a program"])
def test_a_server_has_time_to_exit(end: str, tmp_path: Path) -> None:
    binary, exited = tmp_path / "server", tmp_path / "exited"
    binary.write_text(
        f'#!/bin/sh\nexec 3<&0\n"{find_binary(None)}" "$@" <&3 &\n'
        f"trap 'kill $!; wait $!; echo $? > \"{exited}\"; exit' TERM\nwait\n",
        encoding="utf-8",
    )
    binary.chmod(0o755)
    if end == "a block":
        with StepflowRuntime.start(binary=binary):
            pass
    else:
        with program(f"runtime = StepflowRuntime.start(binary={str(binary)!r})") as ending:
            assert ending.wait(60) == 0
    assert exited.read_text(encoding="utf-8") == "0\n"


def test_a_server_that_does_not_exit_is_killed() -> None:
    runtime = StepflowRuntime.start(shutdown_timeout=0.1)
    pid = runtime.pid
    os.kill(pid, signal.SIGSTOP)
    runtime.stop()
    assert not exists(pid)


def test_a_restart_that_fails_is_told(tmp_path: Path) -> None:
    binary, broken = tmp_path / "server", tmp_path / "broken"
    binary.write_text(
        f'#!/bin/sh\nif [ -e "{broken}" ]; then echo "error: it is broken"; exit 7; fi\n'
        f'exec "{find_binary(None)}" "$@"\n',
        encoding="utf-8",
    )
    binary.chmod(0o755)
    with StepflowRuntime.start(
        binary=binary, restart_policy=RestartPolicy.ALWAYS, max_restarts=4
    ) as runtime:
        broken.touch()
        killed = time.monotonic()
        kill(runtime)
        with pytest.raises(errors.ServerCrashed, match=r"it is broken.*4 times") as caught:
            runtime.sync_client.health()
        # Of the start that the message is about.
        assert caught.value.exit_code == 7
        assert caught.value.last_log_lines == ["error: it is broken"]
        # The first restart comes at once, the others after 0.1, 0.2 and 0.4 s.
        assert time.monotonic() - killed >= 0.7


def test_a_restart_without_the_executable(tmp_path: Path) -> None:
    """It is no start of a server that failed, so the crash before it is described."""
    binary, _ = prepared_server(tmp_path, "exit 7")
    with StepflowRuntime.start(
        binary=binary, restart_policy=RestartPolicy.ALWAYS, max_restarts=1
    ) as runtime:
        binary.unlink()
        kill(runtime)
        wait_until(lambda: "failed" in repr(runtime), "it is not restarted any more")
        with pytest.raises(errors.ServerCrashed) as caught:
            runtime.sync_client.health()
    assert re.match(
        rf"cannot start the Stepflow server {re.escape(str(binary))}: .*not found.*; it was"
        r" restarted 1 times \(max_restarts\)$",
        str(caught.value),
    )
    assert caught.value.exit_code == -9
    assert any("Starting Stepflow server" in line for line in caught.value.last_log_lines)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Return level and text of what the runtime has logged, besides its warning of open ports."""
    return [
        (level, text)
        for name, level, text in caplog.record_tuples
        if name == "stepflow_runtime" and "every network interface" not in text
    ]


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_crashes_and_restarts_are_logged(
    kind: type[BaseException], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    binary, broken = prepared_server(tmp_path, "exit 7")

    def fail(code: int, lines: list[str]) -> None:
        raise kind("on purpose")

    with StepflowRuntime.start(
        binary=binary, restart_policy=RestartPolicy.ALWAYS, max_restarts=2, on_crash=fail
    ) as runtime:
        broken.touch()
        kill(runtime)
        wait_until(lambda: "failed" in repr(runtime), "it is not restarted any more")
    failure = (
        "the Stepflow server exited during startup (exit code 7): it printed nothing. See"
        " .last_log_lines."
    )
    assert logged(caplog) == [
        (
            logging.WARNING,
            "the Stepflow server was killed by signal 9 (SIGKILL); it is restarted",
        ),
        (logging.ERROR, "on_crash failed"),
        (logging.WARNING, f"restart 1 of 2: {failure}"),
        (logging.WARNING, f"restart 2 of 2: {failure}"),
        (logging.ERROR, f"{failure}; it was restarted 2 times (max_restarts)"),
    ]
    (traceback,) = [one.exc_info for one in caplog.records if one.exc_info]
    assert traceback[0] is kind


@pytest.mark.parametrize("policy", RestartPolicy)
def test_a_stop_is_no_crash(policy: RestartPolicy, caplog: pytest.LogCaptureFixture) -> None:
    crashes: list[int] = []
    with StepflowRuntime.start(
        restart_policy=policy, on_crash=lambda code, lines: crashes.append(code)
    ):
        pass
    assert not crashes and not logged(caplog)


def test_a_stop_between_two_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("FIRST_RESTART_DELAY", "LAST_RESTART_DELAY"):
        monkeypatch.setattr(f"stepflow_runtime._supervisor.{name}", 3600.0)
    binary, broken = prepared_server(tmp_path, "exit 7")
    with StepflowRuntime.start(binary=binary, restart_policy=RestartPolicy.ALWAYS) as runtime:
        broken.touch()
        kill(runtime)
        wait_until(lambda: len(logged(caplog)) == 2, "the first restart has failed")
    # Neither are further restarts tried, nor is it an error that there are none.
    assert [level for level, _ in logged(caplog)] == [logging.WARNING] * 2
    assert repr(runtime) == "<StepflowRuntime stopped>"


def test_a_stop_during_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    binary, hangs = prepared_server(tmp_path, "exec sleep 600")
    with StepflowRuntime.start(binary=binary, restart_policy=RestartPolicy.ALWAYS) as runtime:
        hangs.touch()
        pid = kill(runtime)
        wait_until(lambda: runtime.pid != pid, "another process is started")
    # That it does not become ready is no failure.
    assert len(logged(caplog)) == 1
    assert repr(runtime) == "<StepflowRuntime stopped>"


def test_a_runtime_that_is_forgotten_while_a_process_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The garbage collector waits for no thread, such as the one that restarts the server."""
    made, forgotten = threading.Event(), threading.Event()

    class Slow(ServerProcess):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.set()
            assert forgotten.wait(60)

    runtime = StepflowRuntime.start(restart_policy=RestartPolicy.ALWAYS)
    monkeypatch.setattr("stepflow_runtime._supervisor.ServerProcess", Slow)
    kill(runtime)
    assert made.wait(60)
    del runtime
    gc.collect()
    forgotten.set()
    wait_until(lambda: not descendants(), "everything is gone")


def test_calls_know_of_a_crash_when_on_crash_is_called() -> None:
    known: list[bool] = []

    def call(code: int, lines: list[str]) -> None:
        with pytest.raises(errors.ServerCrashed, match="killed by signal 9"):
            _ = runtime.url
        known.append("failed" in repr(runtime))

    with StepflowRuntime.start(on_crash=call) as runtime:
        kill(runtime)
        wait_until(lambda: "failed" in repr(runtime), "the crash is noticed")
    assert known == [True]


def test_delays_between_restarts_grow_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unbounded, the last of these delays would take an hour."""
    monkeypatch.setattr("stepflow_runtime._supervisor.FIRST_RESTART_DELAY", 0.01)
    monkeypatch.setattr("stepflow_runtime._supervisor.LAST_RESTART_DELAY", 0.02)
    binary, broken = prepared_server(tmp_path, "exit 7")
    with StepflowRuntime.start(
        binary=binary, restart_policy=RestartPolicy.ALWAYS, max_restarts=20
    ) as runtime:
        broken.touch()
        kill(runtime)
        wait_until(lambda: "failed" in repr(runtime), "it is not restarted any more")
        with pytest.raises(errors.ServerCrashed, match="20 times"):
            runtime.sync_client.health()


def test_on_crash_may_stop_the_runtime_and_may_fail() -> None:
    done = threading.Event()

    def stop(code: int, lines: list[str]) -> None:
        runtime.stop()
        done.set()
        raise ValueError("on purpose")

    with StepflowRuntime.start(restart_policy=RestartPolicy.ALWAYS, on_crash=stop) as runtime:
        kill(runtime)
        assert done.wait(60)
    assert not runtime.is_alive


def test_a_waiting_caller_gets_its_result_over_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    os.mkfifo(path)
    with StepflowRuntime.start(
        ALL_BUILTINS, data_dir=tmp_path / "data", restart_policy=RestartPolicy.ON_FAILURE
    ) as runtime:
        outputs: list[object] = []
        handle = runtime.sync_client.submit(READ_FILE, {"path": str(path)})
        thread = threading.Thread(target=lambda: outputs.append(handle.result().output))
        thread.start()
        wait_for_restart(runtime, kill(runtime))
        wait_until(lambda: release(path), "the step is run again")
        thread.join()
        assert outputs == [42]


def test_killing_the_server_in_the_middle_of_100_runs_loses_no_result(tmp_path: Path) -> None:
    flow = {
        "name": "long",
        "steps": [
            {"id": f"s{n}", "component": "/put_blob", "input": {"data": {"$input": "$"}}}
            for n in range(3)
        ],
        "output": {"$input": "$"},
    }
    for step in flow["steps"]:
        step["input"]["blob_type"] = "data"  # type: ignore[index]
    finished: dict[int, str] = {}

    async def main() -> list[object]:
        async with StepflowRuntime.start(
            data_dir=tmp_path, restart_policy=RestartPolicy.ON_FAILURE
        ) as runtime:
            client = runtime.client

            async def one(number: int) -> object:
                handle = await client.submit(flow, number)
                result = await handle.result()
                finished[number] = str(handle.id)
                return result.output

            tasks = [asyncio.create_task(one(number)) for number in range(100)]
            while len(finished) < 20:
                await asyncio.sleep(0.001)
            done_before = dict(finished)
            pid = kill(runtime)
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(wait_for_restart, runtime, pid)
            for number, run_id in done_before.items():
                assert (await client.handle(run_id).result()).output == number
            return list(outcomes)

    outcomes = asyncio.run(main())
    assert len(outcomes) == 100
    lost = 0
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, client_errors.RunOutcomeUnknown), repr(outcome)
            lost += 1
        else:
            assert outcome == number
    assert lost < 80
