"""One process of the server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stepflow_api.support import Hidden
from stepflow_runtime._binary import cannot_run
from stepflow_runtime._constants import CONNECT_RETRY_SECONDS, TAKES_RUNS_SECONDS
from stepflow_runtime._guard import NOT_EXECUTED, Guarded
from stepflow_runtime._logs import Log, Output
from stepflow_runtime._loopback import check_listener, unavailable
from stepflow_runtime._registration import are_registered
from stepflow_runtime._start_errors import (
    ending,
    start_failure,
    start_thread,
    working_directory,
)
from stepflow_runtime.errors import RuntimeFailure, StartTimeout

if TYPE_CHECKING:
    from stepflow_runtime._components.service import ComponentService
    from stepflow_runtime._workers import Workers

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """Command and environment of the server.

    Attributes:
        binary: Its executable.
        arguments: Its options, without the port.
        config: Its standard input; None if it reads a file.
        environment: Its complete environment.
        kept_open: File descriptors that it inherits.
        workers: The workers of its config.
        loopback: Whether it listens on loopback only.
        components: The components of this program.
        folder: Its working directory, also after a restart: paths in its options and its config may
            be relative.
    """

    binary: Path
    arguments: Sequence[str]
    config: bytes | None = field(repr=False)
    environment: Hidden[Mapping[str, str]]
    kept_open: Sequence[int] = ()
    workers: Workers | None = None
    loopback: bool = False
    components: ComponentService | None = None
    folder: str | None = field(default_factory=working_directory)


class ServerProcess:
    """One process of the server, with everything that it starts.

    Attributes:
        health: Body of its response to the health check, once it is ready.

    Raises:
        LoopbackUnavailable: This system cannot keep it on loopback.
        OSError: The system has no more processes, threads or files.
    """

    def __init__(self, launch: Launch, port: int, log: Log) -> None:
        self.health = b""
        self._asked_port = port
        self._asked_to_exit = 0.0
        self._ended = threading.Event()
        self._binary = launch.binary
        self._workers = launch.workers
        self._components = launch.components
        self._loopback = launch.loopback
        if self._workers is not None:
            self._workers.server_starts(self.kill)
        self._guarded = Guarded(
            [launch.binary, "--port", str(port), *launch.arguments],
            launch.environment,
            kept_open=launch.kept_open,
            loopback=launch.loopback,
            folder=launch.folder,
        )
        self._process = self._guarded.process
        assert self._process.stdout is not None
        self._waiter = threading.Thread(
            target=self._wait, args=(launch.config,), name="stepflow-waiter", daemon=True
        )
        output = None
        try:
            output = self._output = Output(self._process.stdout, log)
            start_thread(self._waiter)
        except BaseException:
            # Nobody else can stop it yet: there was no thread left, or Ctrl-C was pressed.
            with self._process:
                self.kill()
                self._guarded.wait()
                if output is not None:
                    # The stream that it reads is closed next.
                    output.wait_for_end()
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.returncode is not None

    @property
    def exit_code(self) -> int | None:
        """Exit code, the negative signal where one ended it; None while it runs."""
        return self._process.returncode

    @property
    def port(self) -> int:
        """The port that it listens on, once it is ready."""
        return self._output.port or self._asked_port

    def wait_until_ready(self, seconds: float) -> None:
        """Wait up to the given seconds until the server can be used.

        Raises:
            StartFailed: The server exited, or did not become ready in time.
            BinaryUnusable: The system does not execute it.
            LoopbackUnavailable: It listens on other addresses, or could not listen at all.
        """
        deadline = time.monotonic() + seconds
        components = self._components
        if components is not None:
            # Server 0.13 prints its port once it knows the components, or after 5 s.
            components.connect(f"{HOST}:{self._asked_port}")
        if not self._output.port_or_end.wait(seconds):
            raise self._start_timeout(seconds, "has not printed its port")
        if self._output.port is None:
            self._ended.wait(max(0.0, deadline - time.monotonic()))
            raise self._start_failed(seconds)
        self._wait_for(self._is_healthy, deadline, seconds, "does not answer its health check")
        if self._loopback:
            check_listener(self.port)
        self._output.takes_runs.wait(TAKES_RUNS_SECONDS)
        workers = self._workers
        if workers is not None:
            self._wait_for(
                lambda until: workers.are_registered(HOST, self.port, until),
                deadline,
                seconds,
                "has not connected to all workers",
            )
        if components is not None and components.plugins_that_connect:
            plugins = components.plugins_that_connect
            self._wait_for(
                lambda until: are_registered(plugins, HOST, self.port, until, components.names),
                deadline,
                seconds,
                "has not connected to the components",
            )

    def ask_to_exit(self) -> None:
        """Ask the server to exit, without waiting for it."""
        self._stop_reports()
        self._asked_to_exit = self._asked_to_exit or time.monotonic()
        self._process.terminate()

    def terminate(self, seconds: float) -> None:
        """Ask the server to exit, and kill it if it does not.

        Args:
            seconds: Time that it has to exit, from the first request on.
        """
        try:
            if seconds > 0:
                self.ask_to_exit()
                self._ended.wait(self._asked_to_exit + seconds - time.monotonic())
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the server and everything that it has started."""
        self._stop_reports()
        self._process.kill()
        self._guarded.kill()

    def wait_for_end(self) -> None:
        """Wait until it has exited, its output is read and its threads have ended."""
        if not self.is_own_thread():
            self._waiter.join()

    def is_own_thread(self) -> bool:
        """Whether this is one of the threads that end with the process and must not wait for it."""
        if self._workers is not None and self._workers.is_own_thread():
            return True
        return threading.current_thread() in (self._waiter, self._output.thread)

    def last_lines(self) -> list[str]:
        """Return its last log lines."""
        return [str(line) for line in self._output.lines()]

    def ending(self) -> str:
        """Return how it exited and, if that may say why, what it printed last, on one line."""
        how = ending(self.exit_code)
        return how if self.exit_code == -signal.SIGKILL else f"{how}: {self._output.summary()}"

    def _hand_over(self, config: bytes | None) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        # A server that refuses its options exits without reading, which is reported later.
        with contextlib.suppress(BrokenPipeError):
            stdin.write(config or b"")
        with contextlib.suppress(BrokenPipeError):
            stdin.close()

    def _wait(self, config: bytes | None) -> None:
        # In this thread, since a server that does not read would block the caller.
        self._hand_over(config)
        if hasattr(os, "waitid"):
            # Not reaped yet, since the guard is about to kill the session by this process id, which
            # another program could get after that.
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        self._stop_reports()
        # Its workers must not outlive it.
        self._guarded.kill()
        self._guarded.wait()
        self._process.wait()
        self._output.wait_for_end()
        self._ended.set()
        self._output.port_or_end.set()

    def _stop_reports(self) -> None:
        if self._workers is not None:
            self._workers.server_stops()

    def _wait_for(
        self, condition: Callable[[float], bool], deadline: float, seconds: float, problem: str
    ) -> None:
        while not condition(deadline):
            if self._ended.wait(CONNECT_RETRY_SECONDS):
                raise self._start_failed(seconds)
            if time.monotonic() >= deadline:
                raise self._start_timeout(seconds, problem)

    def _is_healthy(self, deadline: float) -> bool:
        request = f"GET /api/v1/health HTTP/1.1\r\nHost: {HOST}:{self.port}\r\n\r\n"
        try:
            # A plain socket uses no proxy, and no name lookup: http.client does one, which takes
            # longer than the server.
            with socket.socket() as connection:
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                connection.connect((HOST, self.port))
                connection.sendall(request.encode("ascii"))
                with connection.makefile("rb") as response:
                    if not response.readline(100).startswith(b"HTTP/1.1 200 "):
                        return False
                    length = 0
                    while (line := response.readline(1000).strip()) != b"":
                        name, _, value = line.partition(b":")
                        if name.lower() == b"content-length":
                            length = int(value)
                    self.health = response.read(length)
                    return True
        except (ConnectionError, TimeoutError, ValueError):
            return False

    def _start_failed(self, seconds: float) -> RuntimeFailure:
        if not self._ended.is_set():
            return self._start_timeout(seconds, "has closed its output without printing its port")
        if problem := self._guarded.bind_problem:
            return unavailable(problem)
        if self.exit_code in NOT_EXECUTED:
            return cannot_run(self._binary, self._output.summary())
        return start_failure(self.exit_code, self._output.lines(), self._asked_port)

    def _start_timeout(self, seconds: float, problem: str) -> StartTimeout:
        return StartTimeout(
            f"the Stepflow server {problem} within startup_timeout={seconds:g} s; its last line:"
            f" {self._output.summary()}; raise startup_timeout, or see .last_log_lines",
            None,
            self.last_lines(),
        )
