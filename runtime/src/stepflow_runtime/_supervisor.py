"""One server for as long as its runtime lasts, restarted if the policy says so."""

from __future__ import annotations

import atexit
import enum
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from stepflow_runtime._constants import (
    FIRST_RESTART_DELAY,
    LAST_RESTART_DELAY,
    STEADY_SECONDS,
)
from stepflow_runtime._logs import Log
from stepflow_runtime._ports import reserved
from stepflow_runtime._process import Launch, ServerProcess
from stepflow_runtime._start_errors import (
    start_thread,
    system_errors_explained,
    uninterrupted,
)
from stepflow_runtime._storage import Storage
from stepflow_runtime.errors import InvalidState, RuntimeFailure, ServerCrashed, StartFailed

_log = logging.getLogger("stepflow_runtime")


class RestartPolicy(enum.Enum):
    """When a server that exited or was killed is restarted, on the same port."""

    NEVER = "never"
    """Never; calls to it raise `ServerCrashed` from then on."""

    ON_FAILURE = "on_failure"
    """When its exit code is not 0, or a signal killed it."""

    ALWAYS = "always"
    """Whatever its exit code."""

    def restarts(self, exit_code: int) -> bool:
        """Whether a server with this exit code is restarted."""
        return self is RestartPolicy.ALWAYS or (self is RestartPolicy.ON_FAILURE and exit_code != 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The caller's settings.

    Attributes:
        launch: How the server is started.
        port: Port, 0 for any.
        storage: Where it keeps its state.
        log: Receives its output.
        restart_policy: When it is restarted.
        max_restarts: Maximum number of consecutive restarts.
        startup_timeout: Maximum time to wait for it to become ready, in seconds.
        shutdown_timeout: Maximum time to wait for it to exit, in seconds.
        on_crash: Called when it exited or was killed.
        is_shared: Whether its storage and log belong to a cluster, which closes them.
    """

    launch: Launch
    port: int
    storage: Storage
    log: Log
    restart_policy: RestartPolicy
    max_restarts: int
    startup_timeout: float
    shutdown_timeout: float
    on_crash: Callable[[int, list[str]], object] | None
    is_shared: bool = False

    def close(self) -> None:
        """Close everything that was opened for it."""
        if self.launch.components is not None:
            self.launch.components.close()
        if self.launch.workers is not None:
            self.launch.workers.close()
        if not self.is_shared:
            self.log.close()
            self.storage.release()


class Supervisor:
    """Keeps one server."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._owner = os.getpid()
        # Held where processes change hands, never while something is waited for.
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._closed = False
        self._process: ServerProcess | None = None
        self._port = plan.port
        self._ready_since: float | None = None
        self._restarts = 0
        self._crash: ServerCrashed | None = None
        self._thread = threading.Thread(
            target=self._supervise, name="stepflow-supervisor", daemon=True
        )
        _all.add(self)

    @property
    def is_foreign(self) -> bool:
        """Whether this is a forked child's copy, whose server is its parent's."""
        return os.getpid() != self._owner

    @property
    def port(self) -> int:
        """The port, the same over all restarts."""
        return self._port

    @property
    def ports(self) -> list[int]:
        """The port alone; a cluster has several."""
        return [self._port]

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self._plan.launch.loopback

    @property
    def pid(self) -> int:
        """The process id of the server, or of its last process."""
        assert self._process is not None
        return self._process.pid

    @property
    def state(self) -> str:
        """Description of the server once it has started, for `repr`."""
        return f"running, pid {self.pid}" if self.is_alive else "not alive"

    @property
    def is_alive(self) -> bool:
        """Whether the server has answered and runs."""
        if self.is_foreign:
            return _exists(self.pid)
        process = self._process
        return self._ready_since is not None and process is not None and not process.has_ended

    @property
    def was_stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopping.is_set()

    @property
    def has_started(self) -> bool:
        """Whether the first start has succeeded, or the server was stopped."""
        return self._started.is_set()

    @property
    def crash(self) -> ServerCrashed | None:
        """Error of the server, if it has exited and is not restarted."""
        return self._crash

    def wait_until_started(self) -> None:
        """Wait until the first start has succeeded, or the server was stopped."""
        self._started.wait()

    def start(self, meanwhile: Callable[[], object]) -> None:
        """Start the server and wait until it is ready.

        Args:
            meanwhile: Called while the server starts.

        Raises:
            RuntimeFailure: The server cannot be started; nothing of it is left.
        """

        def prepare() -> None:
            start_thread(self._thread)
            meanwhile()

        try:
            self._launch(prepare)
            self._started.set()
        except BaseException as error:
            was_stopped = self.was_stopped
            self.stop(grace=0)
            if was_stopped and isinstance(error, RuntimeFailure):
                raise InvalidState("the runtime was stopped while it started") from None
            raise

    def check(self) -> None:
        """Check that the server can be called.

        Raises:
            ServerCrashed: It has ended, and is not started again.
            InvalidState: It was stopped.
        """
        if self.was_stopped:
            raise InvalidState("the runtime is stopped; start another: StepflowRuntime.start()")
        crash = self._crash
        if crash is not None:
            # Another one each time, since raising adds to it.
            raise ServerCrashed(str(crash), crash.exit_code, crash.last_log_lines)

    def stop(self, grace: float | None = None) -> None:
        """Stop the server and all processes that it has started. Does nothing the second time.

        Args:
            grace: Time for the server to exit, in seconds; by default as planned.
        """
        if self.is_foreign:
            return
        self._stopping.set()
        self._started.set()
        with self._lock:
            process = self._process
        if process is None:
            return self._close()
        if self._plan.launch.components is not None:
            self._plan.launch.components.disconnect()
        # Kills it in any case, also if Ctrl-C is pressed meanwhile.
        process.terminate(self._plan.shutdown_timeout if grace is None else grace)
        if process.is_own_thread() or threading.current_thread() is self._thread:
            # Called by on_crash or by a log handler: these threads end on their own.
            return None
        process.wait_for_end()
        if self._thread.ident is not None:
            self._thread.join()
        return self._close()

    def ask_to_stop(self) -> None:
        """Ask the server to exit, so that `stop` has less to wait for."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None and not self.is_foreign:
            if self._plan.launch.components is not None:
                self._plan.launch.components.disconnect()
            process.ask_to_exit()

    def abandon(self) -> None:
        """Kills the server from wherever the garbage collector runs; its threads do the rest."""
        self._stopping.set()
        self._started.set()
        process = self._process
        if process is not None and not self.is_foreign:
            process.kill()

    def _close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._plan.close()

    @system_errors_explained
    def _launch(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        launch, data_dir = self._plan.launch, self._plan.storage.data_dir
        if data_dir is not None:
            # At each start, since an update may have replaced the executable.
            data_dir.prepare(launch, self._plan.startup_timeout)
        uninterrupted(self._start_process)
        process, workers = self._process, launch.workers
        assert process is not None
        try:
            meanwhile()
            process.wait_until_ready(self._plan.startup_timeout)
            if data_dir is not None:
                data_dir.confirm(launch.binary, process.health)
        except BaseException as error:
            process.kill()
            process.wait_for_end()
            if workers is not None and isinstance(error, RuntimeFailure):
                raise workers.explain(error) from None
            raise
        if workers is not None:
            workers.server_started()
        self._port = process.port
        self._ready_since = time.monotonic()

    def _start_process(self) -> None:
        with self._lock:
            # From here on, a call of `stop` finds the process.
            if self._stopping.is_set():
                raise InvalidState("the runtime was stopped while it started")
            self._process = ServerProcess(self._plan.launch, self._port, self._plan.log)
            if self._stopping.is_set():
                # `abandon`, which waits for no lock, may have looked for it too early.
                self._process.kill()

    def _supervise(self) -> None:
        self._started.wait()
        try:
            while self._process is not None:
                self._process.wait_for_end()
                if self._stopping.is_set() or not self._start_again(self._process):
                    break
        finally:
            self._close()

    def _start_again(self, process: ServerProcess) -> bool:
        ready_since, self._ready_since = self._ready_since or 0.0, None
        if time.monotonic() - ready_since >= STEADY_SECONDS:
            self._restarts = 0
        code = process.exit_code or 0
        crash = ServerCrashed(f"the Stepflow server {process.ending()}", code, process.last_lines())
        policy, limit = self._plan.restart_policy, self._plan.max_restarts
        if not policy.restarts(code):
            remedy = "start another runtime, or set restart_policy"
            self._give_up(crash, f"{crash}; {remedy}")
            self._report(crash)
            return False
        _log.warning("%s; it is restarted", crash)
        last: RuntimeFailure = crash
        with reserved(self._port):
            self._report(crash)
            while self._restarts < limit:
                if self._stopping.wait(self._delay()):
                    return False
                self._restarts += 1
                try:
                    self._launch()
                except RuntimeFailure as error:
                    if self._stopping.is_set():
                        return False
                    last = error
                    _log.warning("restart %d of %d: %s", self._restarts, limit, error)
                else:
                    return True
        # The message is about the last start, and may refer to its log lines.
        ended = last if isinstance(last, StartFailed) else crash
        self._give_up(ended, f"{last}; it was restarted {self._restarts} times (max_restarts)")
        return False

    def _delay(self) -> float:
        if self._restarts == 0:
            return 0.0
        return min(LAST_RESTART_DELAY, FIRST_RESTART_DELAY * 2.0 ** min(self._restarts - 1, 64))

    def _give_up(self, crash: ServerCrashed | StartFailed, message: str) -> None:
        _log.error("%s", message)
        self._crash = ServerCrashed(message, crash.exit_code, crash.last_log_lines)

    def _report(self, crash: ServerCrashed) -> None:
        on_crash = self._plan.on_crash
        if on_crash is None:
            return
        try:
            on_crash(crash.exit_code or 0, crash.last_log_lines)
        except BaseException:
            # SystemExit would end this thread, which restarts the server.
            _log.exception("on_crash failed")


_all: weakref.WeakSet[Supervisor] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    for supervisor in list(_all):
        supervisor.stop()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
