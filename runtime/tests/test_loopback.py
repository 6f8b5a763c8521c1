"""`listen="loopback"`: only this machine reaches the server, and nothing else changes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.programs import WORKER, gone, program, said
from runtime.tests.support import ECHO, binary_with, exists, session, wait_until
from stepflow_api.support import Hidden
from stepflow_runtime import (
    RestartPolicy,
    StepflowCluster,
    StepflowRuntime,
    _loopback,
    _starting,
    errors,
)
from stepflow_runtime._guard import Guarded
from stepflow_runtime._start_errors import start_thread

#: Binds sockets of many kinds, connects one, and prints the addresses that they got.
SOCKETS = r"""
import json, os, socket, sys
V4, V6, TCP, UDP = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
bound = {}
def bind(name, family, kind, address):
    with socket.socket(family, kind) as one:
        one.bind(address)
        bound[name] = one.getsockname()[0]
bind("tcp", V4, TCP, ("0.0.0.0", 0))
bind("tcp explicit", V4, TCP, ("127.0.0.5", 0))
bind("udp", V4, UDP, ("0.0.0.0", 0))
if socket.has_dualstack_ipv6():
    bind("tcp6", V6, TCP, ("::", 0))
    bind("tcp6 mapped", V6, TCP, ("::ffff:0.0.0.0", 0))
    bind("tcp6 explicit", V6, TCP, ("::1", 0))
if hasattr(socket, "IPPROTO_MPTCP"):
    try:
        with socket.socket(V4, TCP, socket.IPPROTO_MPTCP) as one:
            one.bind(("0.0.0.0", 0))
            bound["mptcp"] = one.getsockname()[0]
    except OSError:
        pass
os.chdir(sys.argv[2])
bind("unix", socket.AF_UNIX, TCP, "relative")
with socket.create_connection(("127.0.0.3", int(sys.argv[1]))) as one:
    bound["connected"] = one.getpeername()[0]
    one.sendall(b"hello")
if os.fork() == 0:
    # A worker's worker.
    bind("descendant", V4, TCP, ("", 0))
    print(json.dumps(bound), flush=True)
    os._exit(0)
os.wait()
"""


def printed(arguments: list[str], problems: list[str] | None = None, *, loopback: bool) -> str:
    """Return what a program prints that runs contained, and add why calls of `bind` failed."""
    path = os.pathsep.join(filter(None, sys.path))
    environment: Hidden[Mapping[str, str]] = Hidden({**os.environ, "PYTHONPATH": path})
    guarded = Guarded([sys.executable, *arguments], environment, kept_open=(), loopback=loopback)
    with guarded.process as process:
        assert process.stdout is not None
        output = process.stdout.read().decode()
        guarded.kill()
    guarded.wait()
    if problems is not None:
        problems.append(guarded.bind_problem)
    return output


@pytest.mark.parametrize("loopback", [True, False])
def test_only_listeners_on_all_addresses_are_redirected(loopback: bool, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.3", 0)) as service:
        arguments = ["-c", SOCKETS, str(service.getsockname()[1]), str(tmp_path)]
        bound = json.loads(printed(arguments, loopback=loopback))
        with service.accept()[0] as connection:
            assert connection.recv(5) == b"hello"
    here, here6 = ("127.0.0.1", "::ffff:127.0.0.1") if loopback else ("0.0.0.0", "::")
    expected = {
        "tcp": here,
        "tcp explicit": "127.0.0.5",
        "udp": "0.0.0.0",
        "tcp6": here6,
        "tcp6 mapped": "::ffff:127.0.0.1" if loopback else "::ffff:0.0.0.0",
        "tcp6 explicit": "::1",
        "mptcp": here,
        "unix": "r",
        "connected": "127.0.0.3",
        "descendant": here,
    }
    assert {"tcp", "udp", "unix", "connected", "descendant"} <= bound.keys()
    assert bound == {name: expected[name] for name in bound}


def test_calls_that_fail_anyway_still_fail() -> None:
    code = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
one = socket.socket()
address = bytes((2, 0)) + bytes(14)
for descriptor, pointer, length in (
    (one.fileno(), None, 16),
    (one.fileno(), ctypes.c_void_p(-1), 16),
    (-1, address, 16),
    (0, address, 16),
    (one.fileno(), address, 1),
    (one.fileno(), address, -1),
):
    assert libc.bind(descriptor, pointer, length) == -1, (descriptor, pointer, length)
one.bind(("", 0))
print(one.getsockname()[0])
# Without an address family, Linux takes all addresses for those of IPv4.
other = socket.socket()
assert libc.bind(other.fileno(), bytes(16), 16) == 0
print(other.getsockname()[0])
"""
    assert printed(["-c", code], loopback=True) == "127.0.0.1\n127.0.0.1\n"


@pytest.mark.parametrize("moment", ["before its call is received", "afterwards"])
def test_a_process_that_is_killed_while_it_binds(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither are later calls refused, nor is anything reported as the server's problem."""
    path = tmp_path / "pid"
    code = """
import os, pathlib, socket, sys
if (child := os.fork()) == 0:
    pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
    socket.socket().bind(("", 0))
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
one = socket.socket()
one.bind(("", 0))
print(one.getsockname()[0])
"""
    killed: list[int] = []

    def kill() -> None:
        if path.exists() and not killed:
            killed.append(int(path.read_text(encoding="utf-8")))
            os.kill(killed[0], signal.SIGKILL)
            wait_until(lambda: not exists(killed[0]), "the process is killed")

    open_memory, ioctl = _loopback._open_memory, fcntl.ioctl  # pyright: ignore[reportPrivateUsage]

    def kill_and_open(process: int) -> Any:
        kill()
        return open_memory(process)

    def kill_and_receive(descriptor: int, request: int, *arguments: Any) -> Any:
        if path.exists() and not killed:
            kill()
            # Newer kernels wait for the next call instead.
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return ioctl(descriptor, request, *arguments)

    if moment == "afterwards":
        monkeypatch.setattr(_loopback, "_open_memory", kill_and_open)
    else:
        monkeypatch.setattr(fcntl, "ioctl", kill_and_receive)
    problems: list[str] = []
    assert printed(["-c", code, str(path)], problems, loopback=True) == "-9\n127.0.0.1\n"
    assert killed and problems == [""]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each server is kept on loopback; the version of none is known beforehand."""
    launched: list[bool] = []
    init = Guarded.__init__

    def note(*arguments: Any, **options: Any) -> None:
        launched.append(options["loopback"])
        init(*arguments, **options)

    monkeypatch.setattr("stepflow_runtime._server_version._known", {})
    monkeypatch.setattr(Guarded, "__init__", note)
    return launched


@pytest.mark.parametrize("listen", ["all", "loopback"])
@pytest.mark.parametrize("reason", ["config", "components", "cluster"])
def test_a_server_that_reports_its_version_is_on_loopback_as_well(
    reason: str, listen: Any, launched: list[bool], tmp_path: Path
) -> None:
    # Not that of a wheel, whose version is known.
    binary = binary_with(tmp_path / "server", "cat")
    options: dict[str, Any] = {"binary": binary, "listen": listen}
    if reason == "config":
        with pytest.raises(errors.InvalidInput, match="did you mean recovery"):
            StepflowRuntime.start({"plugins": {}, "routes": {}, "recovry": {}}, **options)
        assert launched == [listen == "loopback"]
    elif reason == "cluster":
        with pytest.raises(errors.BinaryUnusable, match=r"a cluster needs .* version 0\.13"):
            StepflowCluster.start(data_dir=tmp_path / "data", **options)
        assert launched == [listen == "loopback"]
    else:
        StepflowRuntime.start(components=[len], **options).stop()
        assert launched == [listen == "loopback"] * 2


def test_an_upgrade_and_a_restart_stay_on_loopback(tmp_path: Path, launched: list[bool]) -> None:
    StepflowRuntime.start(data_dir=tmp_path).stop()
    # Now a server is started to report its version, as after an update.
    (tmp_path / "server.json").unlink()
    launched.clear()
    with StepflowRuntime.start(
        data_dir=tmp_path, listen="loopback", restart_policy=RestartPolicy.ON_FAILURE
    ) as runtime:
        assert launched == [True, True]
        pid = runtime.pid
        for _ in range(2):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: runtime.pid != pid and runtime.is_alive, "it is restarted")  # type: ignore[misc]
            pid = runtime.pid
            with socket.socket() as other:
                assert other.connect_ex(("127.0.0.2", runtime.port)) == errno.ECONNREFUSED
            assert runtime.sync_client.run(ECHO, 1).output == 1
        assert launched == [True] * 4


def test_a_port_of_ones_own_choice(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(errors.PortInUse, match=f"Port {port} is taken"):
            StepflowRuntime.start(port=port, listen="loopback")
    with StepflowRuntime.start(port=port, listen="loopback") as runtime:
        assert runtime.port == port


def test_it_ends_with_the_program_and_so_do_its_workers(
    running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    path = tmp_path / "worker.pid"
    code = WORKER.replace("sys.argv[1]", repr(str(path)))
    code = code.replace("start(config)", 'start(config, listen="loopback")')
    running.append(program(code + "block()"))
    server = said(running[0])
    worker = int(path.read_text(encoding="utf-8"))
    assert worker in session(server)
    running[0].kill()
    gone(server)
    assert not exists(worker)


def test_a_forked_child_does_not_hold_the_filter_and_nothing_is_leaked() -> None:
    def notifications() -> int:
        names = (os.readlink(entry) for entry in descriptors if os.path.islink(entry))
        return sum("seccomp" in name for name in names)

    descriptors = [f"/proc/self/fd/{number}" for number in range(256)]
    with StepflowRuntime.start(listen="loopback"):
        assert notifications() == 1
        child = os.fork()
        if child == 0:
            os._exit(notifications())
        assert os.waitpid(child, 0)[1] == 0
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        assert "NoNewPrivs:\t0" in status
    assert notifications() == 0


@pytest.mark.parametrize("moment", ["before the thread", "in the thread", "while waiting"])
def test_ctrl_c_while_the_process_is_started_leaves_nothing(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: Any) -> None:
        if moment == "in the thread":
            start_thread(*arguments)
        raise KeyboardInterrupt

    name = "concurrent.futures.wait" if moment == "while waiting" else "start_thread"
    monkeypatch.setattr(f"stepflow_runtime._loopback.{name}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        StepflowRuntime.start(listen="loopback")


def test_a_system_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EAGAIN, "can't start new thread")

    monkeypatch.setattr("stepflow_runtime._loopback.start_thread", refuse)
    with pytest.raises(errors.StartFailed, match="can't start new thread; end other processes"):
        StepflowRuntime.start(listen="loopback")


def unavailable(match: str, **options: Any) -> None:
    before = {*os.listdir("/proc/self/fd")}
    with pytest.raises(errors.LoopbackUnavailable, match=match) as caught:
        StepflowRuntime.start(listen="loopback", **options)
    message = str(caught.value)
    assert message.startswith('listen="loopback" is not available here: ')
    assert message.endswith('; use listen="all", and restrict access with a firewall')
    assert "\n" not in message
    assert {*os.listdir("/proc/self/fd")} <= before


def test_in_a_contained_process_it_says_that_there_is_a_filter_already() -> None:
    code = """
from stepflow_runtime import StepflowRuntime, errors
try:
    StepflowRuntime.start(listen="loopback")
except errors.LoopbackUnavailable as error:
    print(error)
# The filter that is there covers it.
with StepflowRuntime.start() as runtime:
    print(runtime.port)
"""
    output = printed(["-W", "error", "-c", code], loopback=True)
    assert "another program already receives the seccomp notifications of this process" in output
    assert output.splitlines()[-1].isdigit()


def test_systems_that_cannot_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(_loopback, "_MACHINES", {})
        unavailable("it needs 64-bit Linux on x86-64 or ARM")
    with monkeypatch.context() as patch:
        patch.setattr(_loopback, "_SET_MODE_FILTER", 99)
        unavailable("refuses seccomp notifications .Invalid argument.")
    with monkeypatch.context() as patch:
        patch.setattr(_loopback, "_CONTINUE", 1 << 31)
        unavailable("a `bind` call could not be redirected .*Invalid argument")

    def refuse(process: int) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(_loopback, "_open_memory", refuse)
        unavailable("may not write to the server's memory .Permission denied.")


def test_a_filter_that_has_no_effect_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_loopback, "_USER_NOTIF", _loopback._ALLOW)  # pyright: ignore[reportPrivateUsage]
    unavailable("the server listens on other addresses in spite of the filter")


def test_the_warning_is_for_servers_that_others_can_reach(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_starting, "other_interfaces", lambda: ["eth7"])
    for supported, advice in ((True, 'listen="loopback" or a firewall'), (False, "a firewall")):
        monkeypatch.setattr(_starting, "_warned", threading.Lock())
        monkeypatch.setattr(_starting, "is_supported", lambda supported=supported: supported)
        StepflowRuntime.start(listen="loopback").stop()
        assert not caplog.records
        StepflowRuntime.start().stop()
        (record,) = caplog.records
        assert record.message.endswith(f"restrict access with {advice}")
        caplog.clear()


def test_a_wrapper_script_is_contained(tmp_path: Path) -> None:
    binary = binary_with(tmp_path / "server", "cat")
    with StepflowRuntime.start(binary=binary, listen="loopback") as runtime:
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", runtime.port)) == errno.ECONNREFUSED
        assert runtime.sync_client.run(ECHO, 1).output == 1


def test_other_values_are_rejected() -> None:
    wrong: Any
    for wrong in ("127.0.0.1", None, True):
        with pytest.raises(errors.InvalidInput, match="use 'all' or 'loopback'"):
            StepflowRuntime.start(listen=wrong)
