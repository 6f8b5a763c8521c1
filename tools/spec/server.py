"""Runs the real Stepflow server for as long as a block of code needs it.

Everything in this repository that talks to a real server starts it here::

    with StepflowServer(os.environ["STEPFLOW_SERVER_BINARY"]) as server:
        client = Client(base_url=server.url)

A server never outlives the process that started it, however that process ends.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

#: Only the builtin components, and no retry of a step that fails: a test of a failure is quick.
DEFAULT_CONFIG: Mapping[str, Any] = {
    "plugins": {"builtin": {"type": "builtin"}},
    # A server from 0.13 on takes route keys as literal prefixes and needs the "/" route.
    "routes": {"/{*component}": [{"plugin": "builtin"}], "/": [{"plugin": "builtin"}]},
    "retry": {"transportMaxRetries": 0},
}

# Leads the server's process group and waits for its own standard input to close, which happens
# when the process that holds the other end is gone, SIGKILL included. Unlike PR_SET_PDEATHSIG this
# depends on no thread of that process, and it reaches what the server itself has started.
_GUARD = ("/bin/sh", "-c", "read -r _; kill -KILL 0")

_KEPT_LINES = 200
_POLL_SECONDS = 0.005

# Maximum time to wait for the log line of a server from 0.12 on that can execute runs; a later
# version may word it differently.
_TAKES_RUNS_SECONDS = 10.0

# How long to wait for the end of an output that a child of the server may still hold open.
_OUTPUT_END_SECONDS = 1.0

_ANSI_CODE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LOG_PREFIX = re.compile(r"^\S+Z?\s+(?:ERROR|WARN|INFO|DEBUG|TRACE)\s+\S+:\s+(?:\S+\.rs:\d+\s+)?")
_TREE_GLYPHS = "│├╰╴─▶━ \t"


class ServerError(Exception):
    """The server could not be started; the message is one line that says why."""


class StepflowServer:
    """A Stepflow server on a free port of this machine; a context manager.

    Args:
        binary: Path of the server's executable.
        config: The server's configuration, handed over on its standard input. By default
            `DEFAULT_CONFIG`.
        arguments: Further command-line arguments.
        environment: Variables set for the server on top of this process's own. Inherited
            `STEPFLOW_*` variables are dropped, since the server would take them as options.
        start_timeout: Seconds until a server that does not answer counts as failed.
        stop_timeout: Seconds that the server gets to exit before it is killed.
        port: Port to listen on; 0 for one that is free.
    """

    def __init__(
        self,
        binary: str | os.PathLike[str],
        *,
        config: Mapping[str, Any] = DEFAULT_CONFIG,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        start_timeout: float = 30.0,
        stop_timeout: float = 5.0,
        port: int = 0,
    ) -> None:
        self._binary = Path(binary).absolute()
        self._config = json.dumps(config).encode()
        self._arguments = tuple(arguments)
        self._environment = dict(environment or {})
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._port = port
        self._guard: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: _Output | None = None

    @property
    def port(self) -> int:
        """The port that the server listens on; kept after a stop, for `restart`."""
        if not self._port:
            raise RuntimeError("the server has no port before it is started")
        return self._port

    @property
    def url(self) -> str:
        """The server's address, without the API's path prefix."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the server, or of its last run when it is stopped."""
        if self._process is None:
            raise RuntimeError("the server has no process before it is started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the server and wait until it answers.

        Returns:
            The server itself.

        Raises:
            ServerError: It cannot be started, ends early, or does not answer in time. Nothing of it
                is left running.
        """
        if self._guard is not None:
            raise RuntimeError("the server is already started; stop it first")
        self._check_binary()
        deadline = time.monotonic() + self._start_timeout
        try:
            self._spawn()
            self._port = self._wait_for_port(deadline)
            self._wait_for_health(deadline)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End the server: SIGTERM, then SIGKILL for whatever is left of its process group."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._stop_timeout)
        self.kill()

    def kill(self) -> None:
        """End the server's whole process group at once with SIGKILL, as a crash would."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        # The guard is not reaped yet, so its group's number cannot belong to anyone else.
        os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
        _close(guard.stdin)
        if self._process is not None:
            self._process.wait()
            _close(self._process.stdin)
        if self._output is not None:
            self._output.wait_for_end()

    def restart(self) -> None:
        """Stop the server, unless it is dead already, and start it on the same port."""
        self.stop()
        self.start()

    def output(self) -> str:
        """Return the last lines that the server has printed, without colour codes."""
        return "" if self._output is None else "\n".join(self._output.lines())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _check_binary(self) -> None:
        if not self._binary.is_file():
            problem = "it is a folder" if self._binary.is_dir() else "there is no such file"
            remedy = "pass the path of the stepflow-server binary"
        elif not os.access(self._binary, os.X_OK):
            problem, remedy = "the file is not executable", f"run: chmod +x {self._binary}"
        else:
            return
        raise ServerError(f"cannot start the Stepflow server {self._binary}: {problem}; {remedy}")

    def _spawn(self) -> None:
        self._process = self._output = None
        try:
            self._guard = subprocess.Popen(
                _GUARD,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
            self._process = subprocess.Popen(
                [self._binary, "--port", str(self._port), "--config-stdin", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._server_environment(),
                process_group=self._guard.pid,
            )
        except OSError as error:
            raise ServerError(
                f"cannot start the Stepflow server {self._binary}: {_cause(error)}"
            ) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._output = _Output(self._process.stdout)
        # A server that refuses its arguments ends without reading; its exit is reported later.
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(self._config)

    def _server_environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("STEPFLOW_")}
        own = {
            "RUST_BACKTRACE": "0",
            "STEPFLOW_LOG_LEVEL": "info",
            "STEPFLOW_OTHER_LOG_LEVEL": "warn",
        }
        return inherited | own | self._environment

    def _wait_for_port(self, deadline: float) -> int:
        assert self._output is not None
        while not self._output.port_or_end.wait(_POLL_SECONDS):
            self._check_alive(deadline, "it has not printed its port")
        if self._output.port is None:
            # Its output has ended, so its exit is a matter of moments, if it is not a strange one.
            while True:
                self._check_alive(deadline, "it has closed its output without printing its port")
                time.sleep(_POLL_SECONDS)
        return self._output.port

    def _wait_for_health(self, deadline: float) -> None:
        # Servers up to 0.11 print the port just before they serve it.
        while not self._is_healthy():
            self._check_alive(deadline, f"{self.url}/api/v1/health does not answer with 200")
            time.sleep(_POLL_SECONDS)
        assert self._output is not None
        self._output.takes_runs.wait(_TAKES_RUNS_SECONDS)

    def _is_healthy(self) -> bool:
        # http.client, since urllib would send even this request through a configured proxy.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1.0)
        try:
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _check_alive(self, deadline: float, problem: str) -> None:
        assert self._process is not None and self._output is not None
        exit_code = self._process.poll()
        if exit_code is not None:
            self._output.wait_for_end()
            how = f"exit code {exit_code}" if exit_code >= 0 else f"signal {-exit_code}"
            raise ServerError(
                f"the Stepflow server {self._binary} ended before it served ({how}): "
                f"{self._output.summary()}"
            )
        if time.monotonic() >= deadline:
            raise ServerError(
                f"gave up on the Stepflow server {self._binary} after {self._start_timeout:g} s: "
                f"{problem}; its last output: {self._output.summary()}"
            )


class _Output:
    """What a server prints: read all the time, since a full pipe would block the server."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.port: int | None = None
        self.port_or_end = threading.Event()
        self.takes_runs = threading.Event()
        self.takes_runs.set()
        self._stream = stream
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._thread = threading.Thread(target=self._read, name="stepflow-output", daemon=True)
        self._thread.start()

    def lines(self) -> list[str]:
        """Return the last lines."""
        return list(self._lines)

    def summary(self) -> str:
        """Return the last message on one line, without Rust's decoration."""
        lines = list(self._lines)
        starts = [number for number, line in enumerate(lines) if _LOG_PREFIX.match(line)]
        message = lines[starts[-1] if starts else 0 :]
        parts = [_LOG_PREFIX.sub("", line).strip(_TREE_GLYPHS) for line in message]
        return ": ".join(p for p in parts if p and not p.startswith("at ")) or "(nothing)"

    def wait_for_end(self) -> None:
        """Wait until everything is read, if no process outside the group holds the pipe open."""
        self._thread.join(_OUTPUT_END_SECONDS)

    def _read(self) -> None:
        with self._stream:
            for raw in self._stream:
                line = _ANSI_CODE.sub("", raw.decode("utf-8", "replace").rstrip())
                self._lines.append(line)
                # Servers from 0.12 on are healthy before they can execute runs.
                if self.port is None and "gRPC services available" in line:
                    self.takes_runs.clear()
                elif "Recovering pending runs" in line:
                    self.takes_runs.set()
                if self.port is None:
                    self.port = _announced_port(line)
                    if self.port is not None:
                        self.port_or_end.set()
        self.takes_runs.set()
        self.port_or_end.set()


def _announced_port(line: str) -> int | None:
    """Return N when the line is the announcement `{"port":N}`."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    port = value.get("port")
    return port if value.keys() == {"port"} and isinstance(port, int) else None


def _cause(error: OSError) -> str:
    if error.errno == errno.ENOEXEC:
        return f"{error.strerror}; use a binary that is built for this machine"
    return f"{error.strerror}; see whether this machine can start one more process"


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.close()
