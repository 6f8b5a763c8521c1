"""What sees to it that a server ends with the process that started it, however that ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence

from stepflow_runtime._fork import Held

# A shell becomes the server, after it has left a guard beside it. The guard waits for the end of a
# pipe whose other end only this process holds: the kernel closes it when this process is gone,
# SIGKILL included. Then the guard kills its session until nobody is left: the server, and the
# workers that the server has started, each in a process group of its own. There is no moment
# without a guard, since it is there before the server is.
#
# PR_SET_PDEATHSIG would need code between fork and exec, depends on the thread that forks, does not
# reach the workers, and exists on Linux alone.
#
# It ignores SIGPIPE as well: this process may be gone before the guard says who it is.
#
# Descriptor 2 is the pipe: a shell may know none above 9. `kill -0` tells zombies and the processes
# that looked from those that are left. Without /proc (macOS) or without grep the guard reaches the
# server's process group, and its children.
_SCRIPT = r"""
guard() {
    trap '' HUP INT PIPE QUIT TERM
    PATH=/usr/bin:/bin
    read -r own _ < /proc/self/stat || own=0
    echo "{\"guard\":$own}"
    read -r _ <&2
    [ "$own" = 0 ] && pkill -KILL -P $$
    found=$own
    while [ "$found" != 0 ]; do
        found=0
        for stat in $(grep -lsE "^[0-9]+ \(.*\) [^ZX] [0-9]+ [0-9]+ $$ " /proc/[0-9]*/stat); do
            pid=${stat#/proc/} pid=${pid%/stat}
            [ "$pid" = "$own" ] || { kill -KILL "$pid" && found=$pid; }
        done
    done
    kill -KILL 0
}
guard < /dev/null &
exec "$@" 2>&1
"""

#: The exit codes of a shell that cannot become the program it was to become.
NOT_EXECUTED = (126, 127)


class Guarded:
    """A process that is killed, with all that it has started, when this process ends.

    Args:
        command: The program, an absolute path, and its arguments.
        env: Its environment, whole.
        stdin: Whether it gets a pipe as its standard input.
        kept_open: File descriptors that it inherits.

    Raises:
        OSError: The system starts no more processes.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        env: Mapping[str, str],
        *,
        stdin: bool,
        kept_open: Sequence[int],
    ) -> None:
        reading, self._writing = _pipe()
        try:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT, "stepflow-guard", *command],
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=reading,
                env=env,
                pass_fds=kept_open,
                start_new_session=True,
            )
        except BaseException:
            self._writing.close()
            raise
        finally:
            os.close(reading)

    def kill(self) -> None:
        """Has the guard kill everything; the output ends when it has."""
        self._writing.close()


def reap(guard: int | None) -> None:
    """Takes the exit code of a guard that has become this process's own child.

    So it does where this process has the number 1, as the only program of a container does.

    Args:
        guard: Process id of a guard whose output has ended.
    """
    if guard:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(guard, 0)


def _pipe() -> tuple[int, Held]:
    reading = -1

    def open_both() -> int:
        nonlocal reading
        reading, writing = os.pipe()
        return writing

    writing = Held(open_both)
    return reading, writing
