"""Whatever is killed, and in which order: no server is left, and no zombie."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.tests.programs import WORKER, gone, marked, program, said
from runtime.tests.support import command_line, exists, processes, session, wait_until
from stepflow_runtime import StepflowRuntime, _guard


def guards(parent: int) -> set[int]:
    """Return the guards that a process has started."""
    return {
        pid
        for pid, its_parent, _ in processes()
        if its_parent == parent and b"\0stepflow-guard\0" in command_line(pid)
    }


def guard_of(parent: int, besides: int = 0) -> int:
    """Return a process's guard, once there is one."""
    wait_until(lambda: guards(parent) - {besides}, "there is a guard", seconds=10)
    (guard,) = guards(parent) - {besides}
    return guard


RUNNING = "runtime = StepflowRuntime.start()\nsay(runtime)\nblock()"


def test_a_guard_that_is_killed_is_replaced() -> None:
    with StepflowRuntime.start() as runtime:
        pid = os.getpid()
        guard = guard_of(pid)
        for _ in range(3):
            os.kill(guard, signal.SIGKILL)
            guard = guard_of(pid, besides=guard)
        assert runtime.is_alive and runtime.sync_client.health()


def test_a_guard_is_replaced_once_the_system_has_processes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    init = subprocess.Popen.__init__
    refused: list[int] = []
    pauses: list[float] = []

    def refuse(*arguments: Any, **options: Any) -> None:
        if len(refused) < 2:
            refused.append(1)
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        init(*arguments, **options)

    with StepflowRuntime.start():
        guard = guard_of(os.getpid())
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
        monkeypatch.setattr(_guard, "time", SimpleNamespace(sleep=pauses.append))
        os.kill(guard, signal.SIGKILL)
        guard_of(os.getpid(), besides=guard)
    assert len(refused) == 2
    # Otherwise attempts would keep a processor busy.
    assert pauses == [0.0, 0.2, 0.2]


def test_a_guard_is_replaced_where_the_program_ignores_the_end_of_children(
    running: list[subprocess.Popen[str]],
) -> None:
    running.append(program("signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" + RUNNING))
    server = said(running[0])
    guard = guard_of(running[0].pid)
    os.kill(guard, signal.SIGKILL)
    guard_of(running[0].pid, besides=guard)
    running[0].kill()
    gone(server)


def test_a_crash_is_noticed_where_the_program_ignores_the_end_of_children(
    running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    path = tmp_path / "stderr"
    running.append(
        program(
            f"os.dup2(os.open({str(path)!r}, os.O_WRONLY | os.O_CREAT), 2)\n"
            "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
            "failed = []\n"
            "threading.excepthook = failed.append\n"
            "runtime = StepflowRuntime.start()\n"
            "say(runtime)\n"
            "os.kill(runtime.pid, signal.SIGKILL)\n"
            "while 'failed' not in repr(runtime): time.sleep(0.001)\n"
            "assert not runtime.is_alive and not failed"
        )
    )
    server = said(running[0])
    running[0].communicate(timeout=60)
    assert running[0].returncode == 0
    gone(server)
    # Nor does the guard complain that the server's process group is gone already.
    assert "kill:" not in path.read_text(encoding="utf-8")


def test_a_system_whose_kernel_does_not_kill_the_server(
    running: list[subprocess.Popen[str]],
) -> None:
    """There, the server waits until there is a guard, which kills it."""
    refusing = (
        "import errno, fcntl\n"
        "def refuse(*arguments):\n"
        "    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))\n"
        "fcntl.fcntl = refuse\n"
    )
    running.append(program(refusing + RUNNING))
    server = said(running[0])
    running[0].kill()
    gone(server)


@pytest.mark.parametrize("order", ["guard, program", "program, guard"])
def test_a_program_and_its_guard_killed_at_once_leave_no_server(
    order: str, running: list[subprocess.Popen[str]]
) -> None:
    running.append(program(RUNNING))
    server = said(running[0])
    pids = {"guard": guard_of(running[0].pid), "program": running[0].pid}
    for name in order.split(", "):
        os.kill(pids[name], signal.SIGKILL)
    gone(server)


def test_a_guard_that_cannot_act_leaves_no_server(running: list[subprocess.Popen[str]]) -> None:
    running.append(program(RUNNING))
    server = said(running[0])
    guard = guard_of(running[0].pid)
    # A stopped server does not exit on any other signal than SIGKILL.
    for pid in (guard, server):
        os.kill(pid, signal.SIGSTOP)
    running[0].kill()
    gone(server)
    os.kill(guard, signal.SIGCONT)


def test_a_new_guard_kills_the_workers_too(
    running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    path = tmp_path / "worker.pid"
    running.append(program(WORKER.replace("sys.argv[1]", repr(str(path))) + "block()"))
    server = said(running[0])
    guard = guard_of(running[0].pid)
    worker = int(path.read_text(encoding="utf-8"))
    assert worker in session(server)
    os.kill(guard, signal.SIGKILL)
    guard_of(running[0].pid, besides=guard)
    running[0].kill()
    gone(server)
    assert not exists(worker)


def test_processes_of_any_name_are_killed(
    running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """In the system's list of processes, a name may look like the fields that follow it."""
    path, script = tmp_path / "worker.pid", tmp_path / "A b) S 1 2 3 4"
    worker = tmp_path / "worker"
    script.write_text('#!/bin/sh\nread -r _ < "$0.fifo"\n', encoding="utf-8")
    worker.write_text(f"#!/bin/sh\n'{script}' &\nexec \"$@\"\n", encoding="utf-8")
    for one in (script, worker):
        one.chmod(0o755)
    os.mkfifo(f"{script}.fifo")
    code = WORKER.replace("sys.argv[1]", repr(str(path)))
    code = code.replace('"command": sys.executable', f'"command": {str(worker)!r}')
    code = code.replace('"args": [', '"args": [sys.executable, ')
    running.append(program(code + "block()"))
    server = said(running[0])

    name = f"{script.name}\n"
    wait_until(
        lambda: name in [Path(f"/proc/{pid}/comm").read_text("utf-8") for pid in session(server)],
        "the process has its name",
    )
    running[0].kill()
    gone(server)


def test_signals_of_the_programs_group_do_not_reach_the_guard(
    running: list[subprocess.Popen[str]],
) -> None:
    running.append(program(RUNNING, start_new_session=True))
    server = said(running[0])
    guard = guard_of(running[0].pid)
    assert os.getsid(guard) not in (os.getsid(running[0].pid), server)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        os.kill(guard, number)
    os.killpg(running[0].pid, signal.SIGKILL)
    gone(server)


#: The program is killed after each of its steps: there is no moment in which a server is its own.
@pytest.mark.parametrize("moment", ["server started", "guard to be started", "guard started"])
def test_a_program_that_is_killed_between_the_steps_of_a_start_leaves_nothing(
    moment: str, running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    # A server that prints something then could exit.
    binary = tmp_path / "stepflow-server"
    binary.write_text("#!/bin/sh\nexec sleep 3600\n", encoding="utf-8")
    binary.chmod(0o755)
    code = f"""
import subprocess
init = subprocess.Popen.__init__
steps = []
def step(name):
    steps.append(name)
    if name == {moment!r}:
        os.kill(os.getpid(), signal.SIGKILL)
def init_and_die(*arguments, **options):
    name = "guard" if steps else "server"
    step(name + " to be started")
    init(*arguments, **options)
    step(name + " started")
subprocess.Popen.__init__ = init_and_die
StepflowRuntime.start(binary={str(binary)!r})
"""
    running.append(program(code))
    assert running[0].wait(60) == -signal.SIGKILL
    wait_until(lambda: not marked(), "nothing that was started is left")


#: Stands for a PID 1 that waits for its own child alone: it inherits the orphans of that child.
INIT = """
import ctypes, pathlib, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
print(pathlib.Path("/proc/thread-self/children").read_text())
"""

STARTS = """
import os
from stepflow_runtime import StepflowRuntime, errors
for _ in range(3):
    with StepflowRuntime.start():
        pass
runtime = StepflowRuntime.start()
os.kill(runtime.pid, 9)
while runtime.is_alive:
    pass
try:
    StepflowRuntime.start({"plugins": {}})
except errors.ConfigInvalid:
    pass
"""


def test_under_an_init_that_does_not_reap_no_zombie_is_left() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    orphans = subprocess.run(
        [sys.executable, "-c", INIT, STARTS],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert orphans.split() == []
