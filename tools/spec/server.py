"""Runs the real Stepflow server for as long as a block of code needs it.

Everything in this repository that talks to a real server starts it here::

    with StepflowServer(os.environ["STEPFLOW_SERVER_BINARY"]) as server:
        client = Client(base_url=server.url)

A server never outlives the process that started it, however that process ends.

This is not `stepflow_runtime`: that needs `stepflow_api`, which is compiled from what is read from
a server started here, and tests of an installed `stepflow-api` have no other package.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
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

_POLL_SECONDS = 0.005

_PORT = re.compile(r'^\{"port":(\d+)\}$', re.MULTILINE)
# The first that a server prints once it takes runs, depending on its config.
_TAKES_RUNS = re.compile("Recovering pending runs|orphan claiming")
# How long to wait for it, in seconds; a later version may word it differently.
_TAKES_RUNS_SECONDS = 10.0
_ANSI_CODE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

# Lines of a server's output in an error message.
_LAST_LINES = 10


class ServerError(Exception):
    """The server could not be started; the message is one line that says why."""


class StepflowServer:
    """A Stepflow server on a free port of this machine; a context manager.

    Args:
        binary: Path of the server's executable.
        config: The server's configuration, passed on its standard input. By default
            `DEFAULT_CONFIG`.
        arguments: Further command-line arguments.
        environment: Variables set for the server on top of this process's own. Inherited
            `STEPFLOW_*` variables are dropped, since the server would take them as options.
        start_timeout: Seconds until a server that does not answer counts as failed.
        stop_timeout: Seconds that the server gets to exit before it is killed.
        port: Port to listen on; 0 for one that is free.

    Attributes:
        port: The port, kept after a stop for `restart`; 0 before the start if it was to be free.
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
        self.port = port
        self._binary = Path(binary).absolute()
        self._config = json.dumps(config).encode()
        self._arguments = tuple(arguments)
        self._environment = dict(environment or {})
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._printed = b""
        self._healthy_since = 0.0
        self._output: IO[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

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
        """Start the server and wait until it takes runs.

        Returns:
            The server itself.

        Raises:
            ServerError: It cannot be started, exits early, or is not ready in time. Nothing of it
                is left running.
        """
        if self._guard is not None:
            raise RuntimeError("the server is already started; stop it first")
        deadline = time.monotonic() + self._start_timeout
        try:
            self._spawn()
            while problem := self._problem():
                self._check_alive(deadline, problem)
                time.sleep(_POLL_SECONDS)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Ask the server to exit, then kill whatever is left of its process group."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._stop_timeout)
        self.kill()

    def kill(self) -> None:
        """Kill the server's whole process group at once, as a crash would."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        # The guard is not reaped yet, so its group's number cannot belong to anyone else.
        os.killpg(guard.pid, signal.SIGKILL)
        # Waits for it, and closes its standard input.
        with guard:
            pass
        if self._process is not None:
            self._process.wait()
        if self._output is not None:
            self._read_output()
            self._output.close()
            self._output = None

    def restart(self) -> None:
        """Stop the server, unless it is dead already, and start it on the same port."""
        self.stop()
        self.start()

    def output(self) -> str:
        """Return what the server has printed, without colour codes."""
        self._read_output()
        return _ANSI_CODE.sub("", self._printed.decode("utf-8", "replace"))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _spawn(self) -> None:
        self._process = None
        self._healthy_since = 0.0
        # A file, not a pipe: the server keeps running even if nobody reads.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("STEPFLOW_")}
        levels = {"STEPFLOW_LOG_LEVEL": "info", "STEPFLOW_OTHER_LOG_LEVEL": "warn"}
        try:
            self._guard = subprocess.Popen(
                _GUARD,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
            self._process = subprocess.Popen(
                [self._binary, "--port", str(self.port), "--config-stdin", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                env=inherited | {"RUST_BACKTRACE": "0"} | levels | self._environment,
                process_group=self._guard.pid,
            )
        except OSError as error:
            raise ServerError(
                f"cannot start the Stepflow server {self._binary}: {error.strerror}; check that"
                " the file is an executable for this machine, and that it can start processes"
            ) from error
        assert self._process.stdin is not None
        # A server that refuses its arguments exits without reading, which is reported later.
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(self._config)

    def _read_output(self) -> None:
        if self._output is not None:
            file = self._output.fileno()
            # Without moving the position, which is the server's as well.
            self._printed = os.pread(file, os.fstat(file).st_size, 0)

    def _problem(self) -> str:
        """Return why the server cannot be used yet; empty once it can."""
        output = self.output()
        announced = _PORT.search(output)
        if announced is None:
            return "it has not printed its port"
        self.port = int(announced[1])
        # Servers up to 0.11 print the port just before they serve it.
        if not self._is_healthy():
            return f"{self.url}/api/v1/health does not answer with 200"
        # Servers from 0.12 on are healthy before they can execute runs.
        self._healthy_since = self._healthy_since or time.monotonic()
        is_recent = time.monotonic() - self._healthy_since < _TAKES_RUNS_SECONDS
        if "gRPC services available" in output and not _TAKES_RUNS.search(output) and is_recent:
            return f"it has not printed what matches {_TAKES_RUNS.pattern!r}"
        return ""

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
        assert self._process is not None
        exit_code = self._process.poll()
        if exit_code is None and time.monotonic() < deadline:
            return
        lines = [line.strip() for line in self.output().splitlines()]
        printed = " | ".join(filter(None, lines[-_LAST_LINES:])) or "(nothing)"
        if exit_code is None:
            raise ServerError(
                f"gave up on the Stepflow server {self._binary} after {self._start_timeout:g} s: "
                f"{problem}; its last output: {printed}"
            )
        how = f"exit code {exit_code}" if exit_code >= 0 else f"signal {-exit_code}"
        raise ServerError(
            f"the Stepflow server {self._binary} exited during startup ({how}): {printed}"
        )
