"""A server that resumes the runs of one that is down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from stepflow_runtime._constants import TAKEOVER_SECONDS
from stepflow_runtime._ports import ReservedPort
from stepflow_runtime._start_errors import start_thread
from stepflow_runtime._supervisor import Plan, Supervisor
from stepflow_runtime.errors import InvalidState, RuntimeFailure

_log = logging.getLogger("stepflow_runtime")


class StandIn:
    """A server of the same name on another port, started after some seconds.

    Args:
        plan: Returns the plan for its start, by its port.

    Raises:
        OSError: The system has no more threads.
    """

    def __init__(self, plan: Callable[[int], Plan]) -> None:
        self._plan = plan
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._server: Supervisor | None = None
        self._thread = threading.Thread(target=self._start, name="stepflow-stand-in", daemon=True)
        start_thread(self._thread)

    def ask_to_stop(self) -> None:
        """Ask it to exit, so that `stop` has less to wait for."""
        server = self._stopped_server()
        if server is not None:
            server.ask_to_stop()

    def stop(self, grace: float | None = None) -> None:
        """Stop it; see `Supervisor.stop`."""
        server = self._stopped_server()
        if server is not None:
            server.stop(grace)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def abandon(self) -> None:
        """Kill it, without waiting."""
        server = self._stopped_server()
        if server is not None:
            server.abandon()

    def _stopped_server(self) -> Supervisor | None:
        self._stopping.set()
        with self._lock:
            return self._server

    def _start(self) -> None:
        if self._stopping.wait(TAKEOVER_SECONDS):
            return
        try:
            port = ReservedPort()
            try:
                server = Supervisor(self._plan(port.number))
                with self._lock:
                    # From here on, a call of `stop` finds the server.
                    self._server = server
                if self._stopping.is_set():
                    server.stop(grace=0)
                else:
                    server.start(_nothing)
            finally:
                port.release()
        except InvalidState:
            # It was stopped while it started.
            return
        except (OSError, RuntimeFailure) as error:
            _log.error("no stand-in resumes the runs of the server that is down: %s", error)


def _nothing() -> None:
    pass
