"""A failed start reports why and what to do, on one line, and leaves nothing open."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import wait_until
from stepflow_runtime import RestartPolicy, StepflowRuntime, _guard, _start_errors, errors
from stepflow_runtime._binary import find_binary
from tools.pytest.support import check_frames


def failed(match: str, *arguments: Any, **options: Any) -> errors.StartFailed:
    """Start a runtime that must fail, and return the error."""
    with pytest.raises(errors.StartFailed, match=match) as caught:
        StepflowRuntime.start(*arguments, **options)
    assert "\n" not in str(caught.value)
    # Neither more nor less than this: the class is not guessed.
    assert type(caught.value) is errors.StartFailed
    return caught.value


def script(path: Path, text: str) -> Path:
    """Write a shell script that stands for a server."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


STARTING = 'echo "Starting Stepflow server: port=0, config=None"\n'


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGTERM])
def test_a_server_that_a_signal_kills_is_no_wrong_config(
    number: signal.Signals, tmp_path: Path
) -> None:
    killed = script(tmp_path / "server", f"{STARTING}kill -{number.value} $$")
    error = failed(
        rf"the Stepflow server was killed by signal {number.value} \({number.name}\) during"
        r" startup: Starting Stepflow server: port=0, config=None\. ",
        binary=killed,
    )
    assert error.exit_code == -number
    # Not even if it has printed something else before.
    killed = script(tmp_path / "server", f"echo '{SERVER_ERROR}'\nkill -{number.value} $$")
    failed(f"was killed by signal {number.value} ", binary=killed)
    assert ("memory ran out" in str(error)) == (number == signal.SIGKILL)


def test_a_server_that_exits_without_reading_its_config(tmp_path: Path) -> None:
    # More than a pipe holds.
    config = {"plugins": {}, "routes": {}, "x-note": "x" * 1_000_000}
    failed(
        r"exit code 3\): it printed nothing", config, binary=script(tmp_path / "server", "exit 3")
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("exec sleep 600", "has not printed its port"),
        ("exec sleep 600 >&- 2>&-", "has closed its output without printing its port"),
        ("echo '{\"port\":9}'\nexec sleep 600", "does not answer its health check"),
    ],
)
def test_a_server_that_is_not_ready_in_time(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(errors.StartTimeout) as caught:
        StepflowRuntime.start(
            binary=script(tmp_path / "server", f"{STARTING}{text}"), startup_timeout=2
        )
    assert str(caught.value).startswith(
        f"the Stepflow server {problem} within startup_timeout=2 s; its last line: Starting"
        " Stepflow server: port=0, config=None; raise startup_timeout"
    )
    assert caught.value.exit_code is None and caught.value.last_log_lines


@pytest.mark.parametrize("reason", ["data_dir", "config", "components"])
def test_a_server_that_does_not_report_its_version_in_time(reason: str, tmp_path: Path) -> None:
    """It is started for that first where the start depends on it."""
    StepflowRuntime.start(data_dir=tmp_path / "data").stop()
    options: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        "config": {"plugins": {}, "routes": {}, "recovry": {}},
        "components": [len],
    }
    binary = script(tmp_path / "server", "exec sleep 600")
    with pytest.raises(errors.StartTimeout, match="printed its port within startup_timeout=1 s"):
        StepflowRuntime.start(binary=binary, startup_timeout=1, **{reason: options[reason]})
    StepflowRuntime.start(data_dir=tmp_path / "data").stop()


def test_a_server_that_exits_after_it_has_announced_its_port(tmp_path: Path) -> None:
    binary = script(tmp_path / "server", "echo '{\"port\":9}'\nexit 5")
    error = failed(r"exited during startup \(exit code 5\): it printed nothing\.", binary=binary)
    assert error.exit_code == 5


def test_a_server_that_accepts_connections_and_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        announced = f"echo '{{\"port\":{silent.getsockname()[1]}}}'\nexec sleep 600"
        with pytest.raises(errors.StartTimeout) as caught:
            StepflowRuntime.start(
                binary=script(tmp_path / "server", announced), startup_timeout=1.5
            )
    assert str(caught.value).startswith(
        "the Stepflow server does not answer its health check within startup_timeout=1.5 s; its"
        " last line: it printed nothing; raise startup_timeout"
    )


def test_a_server_whose_first_answers_are_odd(tmp_path: Path) -> None:
    """Such as those of a proxy, or of a program that had the port before."""
    answers = [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: odd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nCONTENT-length: 2\r\n\r\n{}",
    ]
    sent: list[bytes] = []

    def answer() -> None:
        while len(sent) < len(answers):
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                sent.append(answers[len(sent)])
                connection.sendall(sent[-1])

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        binary = script(tmp_path / "server", f"echo '{{\"port\":{port}}}'\nexec sleep 600")
        with StepflowRuntime.start(binary=binary, shutdown_timeout=0) as runtime:
            assert runtime.port == port
            assert sent == answers
        thread.join()


def test_a_signal_without_a_name(tmp_path: Path) -> None:
    failed(r"killed by signal 40 \(unknown\)", binary=script(tmp_path / "server", "kill -40 $$"))


def test_a_port_that_the_system_refuses(tmp_path: Path) -> None:
    # Only root may use some, which tests often are.
    refused = SERVER_ERROR.replace(
        "load configuration: no",
        "create executor: Failed to create service from configuration: Configuration error: Failed"
        " to bind gRPC port: Permission denied (os error 13)",
    )
    binary = script(tmp_path / "server", f"echo '{refused}'\nexit 1")
    failed("Permission denied .os error 13.. Choose another port", binary=binary)


SERVER_ERROR = (
    '{"level":"ERROR","target":"stepflow_server","message":"Server error: Failed to load'
    ' configuration: no"}'
)


@pytest.mark.parametrize(
    "text",
    [
        # A known error, and an exit code that contradicts it.
        f"echo '{SERVER_ERROR}'\nexit 3",
        # It is not the port, or not the last error, that is known.
        f"echo '{SERVER_ERROR.replace('load configuration', 'start server')}'\nexit 1",
        f"echo '{SERVER_ERROR}\n{SERVER_ERROR.replace('load configuration', 'x')}'\nexit 1",
        # An error of another part of the server, with a word of a known one.
        f"echo '{SERVER_ERROR.replace('stepflow_server', 'sqlx')}'\nexit 1",
        "echo 'error: Address already in use: the executor config in the State store'\nexit 1",
        f"{STARTING}exit 1",
        f"{STARTING}exit 0",
    ],
)
def test_words_in_a_log_are_no_cause(text: str, tmp_path: Path) -> None:
    code = text[-1]
    failed(
        rf"the Stepflow server exited during startup \(exit code {code}\): .*\. See .last_log_",
        binary=script(tmp_path / "server", text),
    )


def test_a_panic_is_told_with_its_cause(tmp_path: Path) -> None:
    frames = "".join(
        f"  {n}: 0xffff - <function>\\n         at src/file.rs:1\\n" for n in range(40)
    )
    panic = (
        "thread 'main' panicked at src/main.rs:1:5:\\nOS cannot spawn worker thread: no more\\n"
        f"stack backtrace:\\n{frames}thread 'main' panicked at src/other.rs:2:5:\\nanother"
    )
    failed(
        r"panicked at src/main.rs:1:5: OS cannot spawn worker thread: no more\. ",
        binary=script(tmp_path / "server", f'printf "{panic}\\nnote: run with\\n"; exit 101'),
    )


def test_no_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell = str(tmp_path / "sh")
    for module in (_guard, _start_errors):
        monkeypatch.setattr(module, "SHELL", shell)
    error = failed(
        f"cannot start the Stepflow server: {shell}: No such file.*; .*needs a POSIX shell",
        env={"KEY": "s3cr3t-value"},
    )
    # Nor does a variable of `subprocess`.
    check_frames(error, "s3cr3t-value")


def test_a_shell_that_exits_before_it_becomes_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell = script(tmp_path / "sh", '[ "$3" != stepflow-server ] || exit 4\nexec /bin/sh "$@"')
    monkeypatch.setattr(_guard, "SHELL", str(shell))
    init = subprocess.Popen.__init__

    def wait_for_exit(process: subprocess.Popen[bytes], arguments: Any, **options: Any) -> None:
        init(process, arguments, **options)
        if "stepflow-server" in arguments:
            # It will never read that it may continue.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    monkeypatch.setattr(subprocess.Popen, "__init__", wait_for_exit)
    failed(r"the Stepflow server exited during startup \(exit code 4\): it printed nothing\.")


def test_a_deleted_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for name in ("binary", "config", "data_dir"):
        relative: dict[str, Any] = {name: "x"}
        with pytest.raises(errors.InvalidInput, match=f"{name} is 'x', but .* no longer exists"):
            StepflowRuntime.start(**relative)
    binary = find_binary(None)
    advice = "The current working directory no longer exists: change to another"
    failed(rf"killed by signal 6.*panicked at .*Os .*NotFound.*\. {advice}\.", binary=binary)
    config: dict[str, Any] = {"plugins": {}}
    refused = pytest.raises(errors.ConfigInvalid, match="missing field")
    with refused:
        StepflowRuntime.start(config, binary=binary)


@pytest.mark.parametrize("is_left", [False, True])
def test_a_restart_in_a_deleted_working_directory(
    is_left: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with StepflowRuntime.start(restart_policy=RestartPolicy.ON_FAILURE, max_restarts=1) as runtime:
        if is_left:
            monkeypatch.chdir(tmp_path)
        folder.rmdir()
        os.kill(runtime.pid, signal.SIGKILL)
        wait_until(lambda: "failed" in repr(runtime), "it is not restarted any more")
        with pytest.raises(errors.ServerCrashed) as caught:
            runtime.sync_client.health()
    reason = "the current working directory no longer exists; change to another; it was restarted"
    if is_left:
        reason = f"{folder}: No such file or directory; "
    assert str(caught.value).startswith(f"cannot start the Stepflow server: {reason}")


@pytest.mark.parametrize("refused", [1, 2])
@pytest.mark.parametrize(
    ("number", "match"),
    [
        (errno.EAGAIN, "Resource temporarily unavailable; end other processes"),
        (errno.ENOMEM, "Cannot allocate memory; free memory"),
        (errno.ENFILE, "Too many open files in system; close files in other processes"),
    ],
)
def test_no_more_processes(
    refused: int, number: int, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = subprocess.Popen.__init__
    calls: list[int] = []

    def refuse(*arguments: Any, **options: Any) -> None:
        calls.append(1)
        if len(calls) == refused:
            raise OSError(number, os.strerror(number))
        init(*arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    before = {*os.listdir("/proc/self/fd")}
    error = failed(f"cannot start the Stepflow server: {match}")
    assert isinstance(error.__cause__, OSError) and error.__cause__.errno == number
    assert {*os.listdir("/proc/self/fd")} <= before


def test_too_many_open_files(tmp_path: Path) -> None:
    with StepflowRuntime.start():
        pass
    before = {*os.listdir("/proc/self/fd")}
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    outcomes: list[bool] = []
    # With a limit for each of the files that a start opens, up to the first that is enough.
    first = min(set(range(1000)) - set(map(int, before)))
    # Before 3.12, Python itself leaves a pipe open where a Popen finds no room for the next one.
    leaks = sys.version_info < (3, 12)
    for limit in range(first, first + 100, 3 if leaks else 1):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            try:
                StepflowRuntime.start(data_dir=tmp_path / "data").stop()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except errors.StepflowError as error:
            # SQLite does not say why it cannot open the server's database.
            assert re.search("Too many open files|unable to open database", str(error)), error
            assert "\n" not in str(error) and "built for this machine" not in str(error)
            assert not isinstance(error, errors.ConfigInvalid)
            outcomes.append(False)
        else:
            outcomes.append(True)
        assert leaks or {*os.listdir("/proc/self/fd")} <= before
        if outcomes[-1]:
            break
    assert outcomes[-1] and len(outcomes) > 2


def test_no_file_for_the_health_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket, "socket", refuse)
    message = "cannot start the Stepflow server: Too many open files; close files, or raise the"
    failed(message, startup_timeout=5)


def test_a_restart_that_the_system_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    init = subprocess.Popen.__init__
    refused: list[int] = []

    def refuse(*arguments: Any, **options: Any) -> None:
        if len(refused) < 2:
            refused.append(1)
            raise OSError(errno.EMFILE, "Too many open files")
        init(*arguments, **options)

    with StepflowRuntime.start(restart_policy=RestartPolicy.ON_FAILURE) as runtime:
        pid = runtime.pid
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: runtime.pid != pid and runtime.is_alive, "the server is started again")
    assert len(refused) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*arguments: Any) -> int:
        raise OSError(number, os.strerror(number))

    before = {*os.listdir("/proc/self/fd")}
    monkeypatch.setattr(os, "pwrite", refuse)
    match = f"{os.strerror(number)}; free space on that disk"
    with pytest.raises(errors.RuntimeFailure, match=match):
        StepflowRuntime.start(data_dir=tmp_path)
    assert {*os.listdir("/proc/self/fd")} <= before


@pytest.mark.parametrize("fault", ["exits", "is killed", "is no program", "name", "value", "port"])
def test_no_variable_of_a_frame_shows_the_environment(fault: str, tmp_path: Path) -> None:
    secret = "s3cr3t-value"
    server = script(tmp_path / "server", "kill -9 $$" if fault == "is killed" else "exit 3")
    if fault == "is no program":
        server.write_bytes(b"\x7fELF")
    env = {"KEY": secret, "A=": "a"} if fault == "name" else {"KEY": secret}
    if fault == "value":
        env["OTHER"] = f"{secret}\0"
    with pytest.raises(errors.StepflowError) as caught:
        StepflowRuntime.start(binary=server, env=env, port=-1 if fault == "port" else 0)
    check_frames(caught.value, secret)


_WITHOUT_POSIX = """
import os, select, signal, sys

sys.modules["fcntl"] = None
for module, names in (
    (os, ("fork", "register_at_fork", "waitid", "geteuid", "O_CLOEXEC", "O_NOFOLLOW")),
    (select, ("poll", "epoll")),
    (signal, ("SIGKILL", "SIGHUP", "SIGCHLD")),
):
    for name in names:
        delattr(module, name)
os.uname = lambda: None

import platform

platform.system = lambda: "Windows"

from stepflow_runtime import StepflowRuntime, errors, pytest_plugin, runtime

try:
    StepflowRuntime.start(data_dir="data")
except errors.BinaryUnusable as error:
    print(error)
"""


def test_windows_cannot_start_a_server(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_POSIX],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith(
        "the runtime cannot start a Stepflow server on Windows, only on Linux and macOS; start one"
    )
    assert done.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())
