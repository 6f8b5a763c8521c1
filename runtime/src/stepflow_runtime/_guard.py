"""What sees to it that a server ends with the process that started it, however that ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading

from stepflow_runtime._fork import Held

# A shell leads the server's process group and waits for the end of a pipe whose other end only this
# process holds: the kernel closes it when this process is gone, SIGKILL included. Then the
# shell kills its group, which is the server, what the server has started, and itself. There is no
# moment without it: a server that is being started holds the pipe too until it is in the group.
# PR_SET_PDEATHSIG would need code between fork and exec, depends on the thread that forks, does not
# reach what the server starts, and exists on Linux alone.
_COMMAND = ("/bin/sh", "-c", "read -r _; kill -KILL 0")


class Guard:
    """A process group that is killed when this process ends.

    Raises:
        OSError: The system starts no more processes.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        reading, self._writing = _pipe()
        try:
            self._shell = subprocess.Popen(
                _COMMAND,
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                process_group=0,
            )
        except BaseException:
            self._writing.close()
            raise
        finally:
            os.close(reading)

    @property
    def group(self) -> int:
        """Number of the process group, this guard's own until `kill`."""
        return self._shell.pid

    def kill(self) -> None:
        """Kills the whole group at once."""
        with self._lock:
            if self._shell.returncode is None:
                # The shell is not reaped yet, so the number cannot belong to anyone else.
                with contextlib.suppress(OSError):
                    os.killpg(self.group, signal.SIGKILL)
                self._shell.wait()
            self._writing.close()


def _pipe() -> tuple[int, Held]:
    reading = -1

    def open_both() -> int:
        nonlocal reading
        reading, writing = os.pipe()
        return writing

    writing = Held(open_both)
    return reading, writing
