"""Ties the server's life to this process, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from stepflow_api.support import Hidden
from stepflow_runtime._constants import GUARD_RETRY_SECONDS, SHELL
from stepflow_runtime._fork import held_pipe
from stepflow_runtime._loopback import LoopbackBinds
from stepflow_runtime._start_errors import start_thread

# Everything below depends on one pipe. Only this process has its write end, so the kernel closes it
# when this process ends, SIGKILL included. Two mechanisms react to that:
#
# - On Linux, the kernel itself kills the server's process group: the server inherits the read end,
#   whose owner is that group and whose signal is SIGKILL (F_SETOWN, F_SETSIG, O_ASYNC). No other
#   process takes part, so nothing can be killed first to prevent it.
# - A guard, a shell that waits for the end of the pipe, kills the server's whole session: workers
#   are in process groups of their own. It is a child of this process, which waits for it: a guard
#   that is killed is replaced at once, and no guard becomes a zombie of a PID 1 that does not reap.
#
# PR_SET_PDEATHSIG would need code between fork and exec, and fires when the forking thread ends.

# Nothing ties the server to this process before the pipe is set up, so a shell waits for a line
# before it becomes the server. If this process ends first, the server never runs.
_SERVER_SCRIPT = 'read -r _ && exec "$@"'

# Without /proc (macOS) or grep, the guard reaches the server's process group and its children.
# `kill` fails for processes that ended in the meantime, so the loop ends when nothing is left.
_GUARD_SCRIPT = r"""
trap '' HUP INT QUIT TERM
PATH=/usr/bin:/bin
read -r _
[ -r /proc/self/stat ] || pkill -KILL -P "$1"
found=$1
while [ "$found" ]; do
    found=
    for stat in $(grep -lsE "^[0-9]+ \(.*\) [^ZX] [0-9]+ [0-9]+ $1 " /proc/[0-9]*/stat); do
        pid=${stat#/proc/} pid=${pid%/stat}
        kill -KILL "$pid" && found=$pid
    done
done
kill -KILL "-$1"
exit 0
"""

#: Exit codes of a shell that cannot execute a program.
NOT_EXECUTED = (126, 127)


class Guarded:
    """A process that is killed, with everything that it has started, when this process ends.

    Args:
        command: Absolute path of the program, and its arguments.
        env: Its complete environment.
        kept_open: File descriptors that it inherits.
        loopback: Whether its TCP listeners are redirected to loopback.
        folder: Its working directory; by default that of this process.

    Raises:
        LoopbackUnavailable: This system cannot redirect them.
        OSError: The system has no more processes, threads or files.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        env: Hidden[Mapping[str, str]],
        *,
        kept_open: Sequence[int],
        loopback: bool = False,
        folder: str | None = None,
    ) -> None:
        self._closing = threading.Event()
        self._reading, self._writing = held_pipe()
        self._binds = LoopbackBinds(self._reading.descriptor) if loopback else None
        self._watcher = threading.Thread(target=self._watch, name="stepflow-guard", daemon=True)

        def popen() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [SHELL, "-c", _SERVER_SCRIPT, "stepflow-server", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=env.value,
                cwd=folder,
                pass_fds=(*kept_open, self._reading.descriptor),
                start_new_session=True,
            )

        try:
            self.process = popen() if self._binds is None else self._binds.start(popen)
            try:
                # If the kernel takes part, the server can start while the guard does.
                if is_tied := _tie(self._reading.descriptor, self.process.pid):
                    self._release()
                self._guard = self._start_guard()
                if not is_tied:
                    self._release()
                start_thread(self._watcher)
            except BaseException:
                self._abort()
                raise
        except OSError as error:
            self._close()
            # The frames of subprocess have the environment as a variable.
            raise error.with_traceback(None) from None
        except BaseException:
            self._close()
            raise

    @property
    def bind_problem(self) -> str:
        """Why one of its `bind` calls was refused; empty if none was."""
        return "" if self._binds is None else self._binds.problem

    def kill(self) -> None:
        """Kill the server and everything that it has started; `wait` waits for that."""
        self._closing.set()
        self._writing.close()

    def wait(self) -> None:
        """Wait until everything has been killed. The server's process must have exited."""
        if self._watcher is not threading.current_thread():
            self._watcher.join()

    def _release(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            # Does not block, since the pipe is empty.
            os.write(self.process.stdin.fileno(), b"\n")

    def _start_guard(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [SHELL, "-c", _GUARD_SCRIPT, "stepflow-guard", str(self.process.pid)],
            stdin=self._reading.descriptor,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # It needs no variables, and with some a shell does not start.
            env={},
            # A terminal sends its signals to the program's session.
            start_new_session=True,
        )

    def _watch(self) -> None:
        # A guard exits with 0 when it has killed everything. Where the program ignores SIGCHLD, the
        # exit code is always 0, and a guard that exits early must have been killed.
        pause = 0.0
        while self._guard.wait() != 0 or not self._closing.is_set():
            # A guard that cannot be started, or exits at once, must not keep a processor busy.
            time.sleep(pause)
            pause = GUARD_RETRY_SECONDS
            with contextlib.suppress(OSError):
                self._guard = self._start_guard()
        self._close()

    def _abort(self) -> None:
        self.kill()
        with self.process:
            self.process.kill()
        guard = getattr(self, "_guard", None)
        if guard is not None:
            guard.wait()

    def _close(self) -> None:
        self._writing.close()
        if self._binds is not None:
            # Its thread polls the descriptor that is closed next.
            self._binds.wait()
        self._reading.close()


def _tie(reading: int, group: int) -> bool:
    """Have the kernel kill a process group when the write end of a pipe is closed."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.fcntl(reading, fcntl.F_SETOWN, -group)
        fcntl.fcntl(reading, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:
        # An emulated kernel may lack them.
        return False
    return True
