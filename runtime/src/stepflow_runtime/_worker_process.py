"""Parent process of a worker: passes its output to the runtime and reports its exit.

The server starts this file in the worker's place. It runs without any installed package, so it uses
only the standard library.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys

#: At least the capacity of a pipe.
_CHUNK = 1 << 20
_LONGEST_ANNOUNCEMENT = 4096
#: Exit codes of a shell for a command that cannot be executed, or does not exist.
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
#: Exit codes of a worker that was asked to exit.
_TERMINATED = (0, -signal.SIGTERM, -signal.SIGKILL, 128 + signal.SIGTERM)


class WorkerProcess:
    """A worker, started with its standard output in a pipe of this process.

    Args:
        index: The worker's number in the reports.
        control: File descriptor for reports, one JSON object per line.
        stdout: File descriptor for the worker's standard output.
        stderr: File descriptor for the worker's standard error.
        inherited: All file descriptors of the runtime; the worker inherits none of them.
        server: File descriptor that receives a byte for each signal from the server, and ends when
            the server has killed its child.
        group: Process group that the server signals.
        command: The worker's program and arguments.
    """

    def __init__(
        self,
        index: int,
        control: int,
        stdout: int,
        stderr: int,
        inherited: list[int],
        server: int,
        group: int,
        command: list[str],
    ) -> None:
        self._index = index
        self._control = control
        self._stdout = stdout
        self._line = b""
        self._announced = False
        self._terminated = False
        self._output, writing = os.pipe()
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._server = server
        for descriptor in inherited:
            os.set_inheritable(descriptor, False)
        self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(OSError):
                # The group is gone if the server has already killed its child.
                os.setpgid(0, group)
            _execute(command, writing, stderr)
        os.close(writing)

    def run(self) -> int:
        """Pass on the output until it ends, and return the worker's exit code."""
        code: int | None = None
        sources = [self._output, self._woken, self._server]
        while code is None or self._output in sources:
            ready, _, _ = select.select(sources, (), ())
            if self._woken in ready:
                os.read(self._woken, 4096)
            if self._server in ready and not self._read_signal():
                sources.remove(self._server)
                if code is None:
                    os.kill(self._pid, signal.SIGKILL)
            # Checked before the last read, so that everything the worker wrote is passed on before
            # its exit is reported.
            pid, status = os.waitpid(self._pid, os.WNOHANG) if code is None else (0, 0)
            if self._output in select.select(sources, (), (), 0)[0] and not self._forward():
                sources.remove(self._output)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                if code in _TERMINATED and select.select([self._server], (), (), 0.2)[0]:
                    self._read_signal()
                # A server also signals a worker whose connection broke because it had exited.
                terminated = self._terminated and code in _TERMINATED
                self._report("exited", exit_code=code, terminated=terminated)
        return code

    def _read_signal(self) -> bytes:
        self._terminated = True
        return os.read(self._server, 4096)

    def _forward(self) -> bool:
        data = os.read(self._output, _CHUNK)
        if not self._announced:
            *lines, rest = (self._line + data).split(b"\n")
            self._line = rest[:_LONGEST_ANNOUNCEMENT]
            for line in lines:
                if _is_announcement(line):
                    # Only this line, since the server reads no more: the pipe would fill up and
                    # block the worker.
                    os.write(sys.stdout.fileno(), line + b"\n")
                    self._announced = True
                    self._report("announced")
                    break
        unwritten = memoryview(data)
        while unwritten:
            unwritten = unwritten[os.write(self._stdout, unwritten) :]
        return bool(data)

    def _report(self, event: str, **details: object) -> None:
        report = json.dumps({"worker": self._index, "event": event, **details})
        os.write(self._control, report.encode() + b"\n")


def _is_announcement(line: bytes) -> bool:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "port" in value


def _execute(command: list[str], stdout: int, stderr: int) -> None:
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        # Python ignores these signals, and the worker would inherit that.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        # Otherwise a Python worker buffers some kilobytes before it prints anything.
        os.environ.setdefault("PYTHONUNBUFFERED", "1")
        os.execvp(command[0], command)
    except OSError as error:
        print(f"cannot execute {command[0]!r}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)
    finally:
        os._exit(_NOT_EXECUTABLE)


def main() -> None:
    """Start the worker that the arguments name, and exit with its exit code."""
    index, control, stdout, stderr = (int(argument) for argument in sys.argv[1:5])
    inherited = [int(descriptor) for descriptor in sys.argv[5].split(",")]
    # In hexadecimal, since the server replaces variables in arguments, but not in a command.
    program = os.fsdecode(bytes.fromhex(sys.argv[6]))
    command = [program, *sys.argv[7:]]
    group = os.getpgrp()
    server, signals = os.pipe()
    reporter = os.fork()
    if reporter == 0:
        # In another process group: servers up to 0.11 kill their child's as soon as a worker's
        # connection breaks, and the exit could not be reported.
        os.setpgid(0, 0)
        os.close(signals)
        code = WorkerProcess(
            index, control, stdout, stderr, inherited, server, group, command
        ).run()
        os._exit(code if code >= 0 else 128 - code)
    os.close(server)

    def pass_on(*_: object) -> None:
        with contextlib.suppress(OSError):
            os.write(signals, b"t")

    # The worker receives the signal too, since it is in the same process group.
    signal.signal(signal.SIGTERM, pass_on)
    _, status = os.waitpid(reporter, 0)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
