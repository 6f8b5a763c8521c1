"""The launcher: what it starts is the real server, and nothing of it is ever left behind."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
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

from tools.spec.server import DEFAULT_CONFIG, ServerError, StepflowServer

Executable = Callable[[str], Path]
WaitForEnd = Callable[[int], None]
WaitForText = Callable[[Path], str]


def ask(server: StepflowServer, method: str, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v1{path}", content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        assert response.status < 300, answer
        return json.loads(answer)
    finally:
        connection.close()


def is_healthy(server: StepflowServer) -> bool:
    return bool(ask(server, "GET", "/health")["status"])


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
                case $line in *"Recovering pending runs"*) continue ;; esac
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


def test_serves_until_the_block_ends(binary: Path) -> None:
    with StepflowServer(binary) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.is_running
        assert is_healthy(server)
        os.kill(server.pid, 0)
    assert not server.is_running
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    with pytest.raises(ConnectionRefusedError):
        is_healthy(server)


def test_a_stopped_server_ends_by_itself(binary: Path) -> None:
    with StepflowServer(binary) as server:
        server.stop()
        assert "Graceful shutdown complete" in server.output()


def test_stops_when_the_block_fails(binary: Path) -> None:
    with pytest.raises(ZeroDivisionError), StepflowServer(binary) as server:
        raise ZeroDivisionError
    assert not server.is_running


def test_two_servers_have_two_ports(binary: Path) -> None:
    with StepflowServer(binary) as one, StepflowServer(binary) as two:
        assert one.port != two.port
        assert is_healthy(one)
        assert is_healthy(two)


def test_stop_and_kill_can_be_repeated(binary: Path) -> None:
    server = StepflowServer(binary)
    server.stop()
    with server:
        server.stop()
        server.stop()
        server.kill()
    assert not server.is_running


def test_does_not_start_twice(binary: Path) -> None:
    with StepflowServer(binary) as server:
        with pytest.raises(RuntimeError, match="already started"):
            server.start()
        assert is_healthy(server)


def test_has_neither_port_nor_pid_before_the_start(binary: Path) -> None:
    server = StepflowServer(binary)
    assert not server.is_running
    assert server.output() == ""
    for name in ("port", "url", "pid"):
        with pytest.raises(RuntimeError, match="before it is started"):
            getattr(server, name)


@pytest.mark.parametrize("end", [StepflowServer.stop, StepflowServer.kill])
def test_restarts_on_the_same_port(binary: Path, end: Callable[[StepflowServer], None]) -> None:
    with StepflowServer(binary) as server:
        port, pid = server.port, server.pid
        end(server)
        with pytest.raises(ConnectionRefusedError):
            is_healthy(server)
        server.restart()
        assert (server.port, server.pid != pid) == (port, True)
        assert is_healthy(server)


def test_restart_ends_the_running_one(binary: Path) -> None:
    with StepflowServer(binary) as server:
        pid = server.pid
        server.restart()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert is_healthy(server)


def test_has_the_builtin_components_by_default(binary: Path) -> None:
    with StepflowServer(binary) as server:
        names = [info["component"] for info in ask(server, "GET", "/components")["components"]]
    assert "/load_file" in names


def test_takes_another_configuration(binary: Path, tmp_path: Path) -> None:
    database = tmp_path / "stepflow.db"
    storage = {"type": "sqlite", "databaseUrl": f"sqlite:{database}?mode=rwc"}
    with StepflowServer(binary, config={**DEFAULT_CONFIG, "storageConfig": storage}):
        assert database.exists()


def test_does_not_take_options_from_the_environment(
    binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFLOW_CONFIG", "/nowhere")
    monkeypatch.setenv("STEPFLOW_PORT", "1")
    with StepflowServer(binary) as server:
        assert is_healthy(server)


@pytest.mark.parametrize("level", ["error", "info", "trace"])
def test_finds_the_port_among_other_lines(binary: Path, level: str) -> None:
    environment = {"STEPFLOW_LOG_LEVEL": level, "STEPFLOW_OTHER_LOG_LEVEL": level}
    with StepflowServer(binary, environment=environment) as server:
        lines = server.output().splitlines()
        assert f'{{"port":{server.port}}}' in lines
        assert (len(lines) == 1) == (level == "error")


def test_arguments_reach_the_server(binary: Path) -> None:
    with StepflowServer(binary, arguments=["--log-format", "json"]) as server:
        assert json.loads(server.output().splitlines()[0])["level"] == "INFO"


def test_reads_more_output_than_a_pipe_holds(binary: Path, executable: Executable) -> None:
    chatty = executable(
        f'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "{"x" * 80}"; done\n'
        f'echo \'{{"port":1,"not":"it"}}\'; echo {{nor this; exec {binary} "$@"'
    )
    with StepflowServer(chatty) as server:
        assert is_healthy(server)
        assert "x" * 80 in server.output()


def test_drains_the_output_while_the_server_runs(binary: Path) -> None:
    noisy = {"STEPFLOW_LOG_LEVEL": "trace", "STEPFLOW_OTHER_LOG_LEVEL": "trace"}
    with StepflowServer(binary, environment=noisy) as server:
        first = server.output()
        for _ in range(300):
            assert is_healthy(server)
        assert first not in server.output()


def test_kills_a_server_that_does_not_end_by_itself(binary: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "input.json"
    os.mkfifo(fifo)
    step = {"id": "wait", "component": "/load_file", "input": {"path": str(fifo)}}
    flow = {"name": "waits", "steps": [step], "output": {"$step": "wait"}}
    with StepflowServer(binary, stop_timeout=0.3) as server:
        flow_id = ask(server, "POST", "/flows", {"flow": flow})["flowId"]
        ask(server, "POST", "/runs", {"flowId": flow_id, "input": [{}]})
        # Opening it blocks until the step reads, and the step reads until this is closed.
        with fifo.open("wb"):
            server.stop()
            assert not server.is_running


def test_ends_what_the_server_has_started(
    binary: Path,
    executable: Executable,
    tmp_path: Path,
    wait_for_end: WaitForEnd,
    wait_for_text: WaitForText,
) -> None:
    child = tmp_path / "child"
    parent = executable(f'sleep 1000 & echo $! > {child}; exec {binary} "$@"')
    for end in (StepflowServer.stop, StepflowServer.kill):
        with StepflowServer(parent) as server:
            pid = int(wait_for_text(child))
            end(server)
        wait_for_end(pid)


def test_does_not_wait_for_a_process_that_has_left_the_group(
    binary: Path, executable: Executable, tmp_path: Path, wait_for_text: WaitForText
) -> None:
    child = tmp_path / "child"
    parent = executable(f"setsid sh -c 'echo $$ > {child}; exec sleep 1000' & exec {binary} \"$@\"")
    with StepflowServer(parent) as server:
        pid = int(wait_for_text(child))
    try:
        assert not server.is_running
        os.kill(pid, 0)
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["killed", "left"])
def test_ends_with_the_process_that_started_it(
    how: str,
    binary: Path,
    executable: Executable,
    tmp_path: Path,
    wait_for_end: WaitForEnd,
    wait_for_text: WaitForText,
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
    wait_for_end: WaitForEnd,
    wait_until: Callable[[Callable[[], object], str], None],
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


def test_says_that_the_binary_is_missing(tmp_path: Path) -> None:
    message = start_error(StepflowServer(tmp_path / "none"))
    assert message.startswith(f"cannot start the Stepflow server {tmp_path}/none: there is no such")


def test_says_that_the_binary_is_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in start_error(StepflowServer(tmp_path))


def test_says_that_the_binary_is_not_executable(executable: Executable) -> None:
    path = executable("")
    path.chmod(0o600)
    message = start_error(StepflowServer(path))
    assert f"the file is not executable; run: chmod +x {path}" in message


def test_says_that_the_binary_is_for_another_machine(executable: Executable) -> None:
    path = executable("")
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    message = start_error(StepflowServer(path))
    assert message.endswith("Exec format error; use a binary that is built for this machine")


def test_says_that_no_process_can_be_started(binary: Path) -> None:
    # Starting a server takes more than two files.
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, limits[1]))
    try:
        message = start_error(StepflowServer(binary))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert "Too many open files; see whether this machine can start one more" in message


def test_says_what_the_server_dislikes_about_its_arguments(binary: Path) -> None:
    message = start_error(StepflowServer(binary, arguments=["--nonsense"]))
    assert (
        "ended before it served (exit code 2): error: unexpected argument '--nonsense'" in message
    )


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({}, "missing field `plugins` at line 1 column 2"),
        ({"plugins": {"x": {"type": "y"}}}, "unknown variant `y`, expected one of `stepflow`"),
        (
            {**DEFAULT_CONFIG, "routes": {"/x": [{"plugin": "nope"}]}},
            "plugin not found: nope",
        ),
    ],
)
def test_says_what_is_wrong_with_the_configuration(
    binary: Path, config: dict[str, Any], cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "full")
    message = start_error(StepflowServer(binary, config=config))
    assert "ended before it served (exit code 1): Server error: Failed to" in message
    assert cause in message
    assert ".rs:" not in message
    assert "backtrace" not in message


def test_says_that_the_port_is_taken(binary: Path) -> None:
    server = StepflowServer(binary)
    with server:
        pass
    with socket.create_server(("0.0.0.0", server.port)):
        assert "Address already in use (os error 98)" in start_error(server)


def test_says_that_the_server_was_killed(executable: Executable) -> None:
    message = start_error(StepflowServer(executable("echo going down; kill -KILL $$")))
    assert "ended before it served (signal 9): going down" in message


def test_says_that_the_server_ends_silently(executable: Executable) -> None:
    message = start_error(StepflowServer(executable("exit 3")))
    assert "ended before it served (exit code 3): (nothing)" in message


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "echo thinking; exec sleep 1000",
            "it has not printed its port; its last output: thinking",
        ),
        ("exec >&- 2>&-; exec sleep 1000", "it has closed its output without printing its port"),
        ("""echo '{"port":1}'; exec sleep 1000""", "http://127.0.0.1:1/api/v1/health does not"),
        ("trap '' TERM; while :; do sleep 1000; done", "it has not printed its port"),
    ],
)
def test_gives_up_on_a_server_that_does_not_serve(
    executable: Executable, script: str, problem: str
) -> None:
    message = start_error(StepflowServer(executable(script), start_timeout=2.0))
    assert "gave up on the Stepflow server" in message
    assert f"after 2 s: {problem}" in message


def test_fails_although_a_child_holds_the_output(
    executable: Executable, tmp_path: Path, wait_for_text: WaitForText, wait_for_end: WaitForEnd
) -> None:
    child = tmp_path / "child"
    script = executable(f"sleep 1000 & echo $! > {child}; echo bad luck; exit 1")
    assert "(exit code 1): bad luck" in start_error(StepflowServer(script))
    wait_for_end(int(wait_for_text(child)))
