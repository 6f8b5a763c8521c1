"""The launcher: what it starts is the real server, and nothing of it is ever left behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.pytest.support import wait_until
from tools.spec.server import ServerError, StepflowServer
from tools.spec.tests.waiting import wait_for_end, wait_for_text

Executable = Callable[[str], Path]
End = Callable[[StepflowServer], None]


def is_healthy(server: StepflowServer) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == http.HTTPStatus.OK


def start_error(server: StepflowServer) -> str:
    """Returns the message of a start that fails, which must be one line."""
    with pytest.raises(ServerError) as error:
        server.start()
    message = str(error.value)
    assert "\n" not in message
    assert "\x1b" not in message
    assert not server.is_running
    return message


def test_start_waits_until_the_server_takes_runs(binary: Path, executable: Executable) -> None:
    # As servers from 0.12 on print it, with the last line long after the server is healthy.
    late = executable(
        f"""
        "{binary}" "$@" | {{
            echo "gRPC services available on 127.0.0.1:1"
            while IFS= read -r line; do
                case $line in *"Recovering pending runs"*|*"rphan claiming"*) continue ;; esac
                printf '%s\\n' "$line"
                case $line in *"server starting on"*)
                    sleep 0.3
                    echo "Recovering pending runs" ;;
                esac
            done
        }}
        """
    )
    with StepflowServer(late) as server:
        assert "Recovering pending runs" in server.output()


def test_a_later_server_may_say_so_in_other_words(
    binary: Path, executable: Executable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.spec.server._TAKES_RUNS_SECONDS", 0.1)
    other = executable(
        f"""
        echo "gRPC services available on 127.0.0.1:1"
        "{binary}" "$@" | sed -u -e "/Recovering pending runs/d" -e "/rphan claiming/d"
        """
    )
    with StepflowServer(other) as server:
        assert is_healthy(server)


def test_serves_until_the_block_ends(binary: Path) -> None:
    server = StepflowServer(binary)
    server.stop()
    assert not server.is_running
    with pytest.raises(ZeroDivisionError), server:
        assert server.is_running
        assert is_healthy(server)
        raise ZeroDivisionError
    assert not server.is_running
    assert "Graceful shutdown complete" in server.output()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    with pytest.raises(ConnectionRefusedError):
        is_healthy(server)
    server.kill()


@pytest.mark.parametrize("end", [StepflowServer.stop, StepflowServer.kill, None])
def test_restarts_on_the_same_port(binary: Path, end: End | None) -> None:
    with StepflowServer(binary) as server:
        port, pid = server.port, server.pid
        if end:
            end(server)
            with pytest.raises(ConnectionRefusedError):
                is_healthy(server)
        server.restart()
        assert (server.port, server.pid != pid) == (port, True)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert is_healthy(server)


@pytest.mark.parametrize("level", ["error", "trace"])
def test_finds_the_port_among_other_lines(binary: Path, level: str) -> None:
    environment = {"STEPFLOW_LOG_LEVEL": level, "STEPFLOW_OTHER_LOG_LEVEL": level}
    with StepflowServer(binary, environment=environment) as server:
        lines = server.output().splitlines()
        assert f'{{"port":{server.port}}}' in lines
        assert (len(lines) == 1) == (level == "error")


def test_does_not_start_twice(binary: Path) -> None:
    with StepflowServer(binary) as server:
        with pytest.raises(RuntimeError, match="already started"):
            server.start()
        assert is_healthy(server)


def test_does_not_take_options_from_the_environment(
    binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFLOW_CONFIG", "/nowhere")
    monkeypatch.setenv("STEPFLOW_PORT", "1")
    with StepflowServer(binary) as server:
        assert is_healthy(server)


def test_reads_more_output_than_a_pipe_holds(binary: Path, executable: Executable) -> None:
    chatty = executable(
        f'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "{"x" * 80}"; done\n'
        f'echo \'{{"port":1,"not":"it"}}\'; echo {{nor this; exec {binary} "$@"'
    )
    with StepflowServer(chatty) as server:
        assert is_healthy(server)
        assert "x" * 80 in server.output()


def test_ends_what_the_server_has_started(
    binary: Path,
    executable: Executable,
    tmp_path: Path,
) -> None:
    child = tmp_path / "child"
    parent = executable(f'sleep 1000 & echo $! > {child}; exec {binary} "$@"')
    for end in (StepflowServer.stop, StepflowServer.kill):
        with StepflowServer(parent) as server:
            pid = int(wait_for_text(child))
            end(server)
        wait_for_end(pid)


@pytest.mark.parametrize("how", ["killed", "left"])
def test_ends_with_the_process_that_started_it(
    how: str,
    binary: Path,
    executable: Executable,
    tmp_path: Path,
) -> None:
    child = tmp_path / "child"
    parent = executable(f'sleep 1000 & echo $! > {child}; exec {binary} "$@"')
    # The thread that starts the server ends long before the process does.
    program = f"""
        import http.client, os, sys, threading
        from tools.spec.server import StepflowServer
        server = StepflowServer({str(parent)!r})
        thread = threading.Thread(target=server.start)
        thread.start()
        thread.join()
        for _ in range(2):
            print(server.pid, server.port, flush=True)
            sys.stdin.readline()
        os._exit(0)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        assert process.stdin and process.stdout
        pid, port = map(int, process.stdout.readline().split())
        socket.create_connection(("127.0.0.1", port)).close()
        os.kill(pid, 0)
        if how == "killed":
            process.kill()
        else:
            process.stdin.write("\n\n")
            process.stdin.flush()
        process.wait()
        wait_for_end(pid)
        wait_for_end(int(wait_for_text(child)))


def test_interrupted_start_leaves_nothing(
    executable: Executable,
) -> None:
    silent = StepflowServer(executable("exec sleep 1000"))

    def interrupt() -> None:
        # Earlier it interrupts Popen, which then warns of a process that it does not wait for.
        wait_until(has_process, "the server has its process")
        signal.raise_signal(signal.SIGINT)

    def has_process() -> bool:
        with contextlib.suppress(RuntimeError):
            return bool(silent.pid)
        return False

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        silent.start()
    thread.join()
    wait_for_end(silent.pid)


def test_says_that_the_port_is_taken(binary: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        server = StepflowServer(binary, port=other.getsockname()[1])
        assert "Address already in use (os error 98)" in start_error(server)


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (None, 0, "No such file or directory"),
        (b"", 0o600, "Permission denied"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), 0o700, "Exec format error"),
    ],
)
def test_says_that_the_file_cannot_be_executed(
    tmp_path: Path, content: bytes | None, mode: int, problem: str
) -> None:
    file = tmp_path / "server"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    assert start_error(StepflowServer(file)) == (
        f"cannot start the Stepflow server {file}: {problem}; check that the file is an executable"
        " for this machine, and that it can start processes"
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"arguments": ["--nonsense"]}, "(exit code 2): error: unexpected argument '--nonsense'"),
        ({"config": {"plugins": {"x": {"type": "y"}}}}, "unknown variant `y`, expected one of"),
    ],
)
def test_says_what_the_server_refuses(binary: Path, options: Any, problem: str) -> None:
    assert problem in start_error(StepflowServer(binary, **options))


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo going down; kill -KILL $$", "exited during startup (signal 9): going down"),
        ("exit 3", "exited during startup (exit code 3): (nothing)"),
        # It keeps the output open.
        ("sleep 1000 & echo bad luck; exit 1", "exited during startup (exit code 1): bad luck"),
        (
            "echo thinking; exec sleep 1000",
            "after 2 s: it has not printed its port; its last output: thinking",
        ),
        ("""echo '{"port":1}'; exec sleep 1000""", "http://127.0.0.1:1/api/v1/health does not"),
        ("trap '' TERM; while :; do sleep 1000; done", "it has not printed its port"),
    ],
)
def test_says_why_a_server_does_not_serve(
    executable: Executable, script: str, problem: str
) -> None:
    assert problem in start_error(StepflowServer(executable(script), start_timeout=2.0))
