"""The servers of a cluster, kept running together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from stepflow_runtime._etcd import GivenEtcd, OwnEtcd
from stepflow_runtime._stand_in import StandIn
from stepflow_runtime._start_errors import system_errors_explained
from stepflow_runtime._supervisor import Plan, Supervisor
from stepflow_runtime.errors import InvalidState, RuntimeFailure, ServerCrashed


def _nothing() -> None:
    pass


class Group:
    """Keeps the servers of a cluster, as a `Supervisor` keeps one.

    Args:
        plan: Returns the plan for the start of a server, by its number, port and etcd's URLs.
        ports: The port of each server.
        etcd: Holds their leases.
        startup_timeout: Maximum time to wait for etcd, in seconds.
        close: Closes what they share, once all have exited; called again, does nothing.
    """

    def __init__(
        self,
        plan: Callable[[int, int, Sequence[str]], Plan],
        ports: Sequence[int],
        etcd: GivenEtcd | OwnEtcd,
        startup_timeout: float,
        close: Callable[[], object],
    ) -> None:
        self.ports = list(ports)
        self._plan = plan
        self._etcd = etcd
        self._startup_timeout = startup_timeout
        self._close = close
        self._owner = os.getpid()
        self._servers: list[Supervisor | None] = [None] * len(ports)
        #: Servers on other ports, which resume the runs of those that are down.
        self._stand_ins: dict[int, StandIn] = {}
        # Held while a server is replaced: `kill` and `restart` may be called from several threads.
        self._replacing = [threading.Lock() for _ in ports]
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._started = threading.Event()

    @property
    def port(self) -> int:
        """The first server's port."""
        return self.ports[0]

    @property
    def pids(self) -> list[int | None]:
        """Process ids of the servers; None for one that is not running."""
        servers = list(self._servers)
        return [one.pid if one is not None and one.is_alive else None for one in servers]

    @property
    def state(self) -> str:
        """Description of the servers once they have started, for `repr`."""
        running = sum(pid is not None for pid in self.pids)
        return f"running, {running} of {len(self._servers)} servers"

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can reach the servers."""
        return all(one is None or one.is_on_loopback for one in self._servers)

    @property
    def was_stopped(self) -> bool:
        """Whether the cluster was stopped."""
        return self._stopping.is_set()

    @property
    def has_started(self) -> bool:
        """Whether all servers have started once, or the cluster was stopped."""
        return self._started.is_set()

    @property
    def crash(self) -> ServerCrashed | None:
        """Error of the first server, if all have exited and none is restarted."""
        crashes = [None if one is None else one.crash for one in self._servers]
        return crashes[0] if all(crashes) else None

    def wait_until_started(self) -> None:
        """Wait until all servers have started once, or the cluster was stopped."""
        self._started.wait()

    @system_errors_explained
    def start(self, meanwhile: Callable[[], object]) -> None:
        """Start etcd and the servers, one after the other, and wait until they are ready.

        Args:
            meanwhile: Called while the first server starts.

        Raises:
            RuntimeFailure: They cannot be started; nothing of them is left.
        """
        try:
            self._etcd.start(self._startup_timeout)
            for number in range(len(self.ports)):
                # The first creates the tables of the store.
                self._start(number, meanwhile if number == 0 else _nothing)
            self._started.set()
        except BaseException as error:
            was_stopped = self.was_stopped
            self.stop(grace=0)
            if was_stopped and isinstance(error, RuntimeFailure):
                raise self._stopped_while_starting() from None
            raise

    def kill(self, number: int) -> None:
        """Kill a server with SIGKILL. It stays down; a stand-in soon resumes its runs."""
        with self._replacing[number]:
            server = self._servers[number]
            if server is not None:
                server.stop(grace=0)
            with self._lock:
                if number not in self._stand_ins and not self._stopping.is_set():
                    stand_in = StandIn(lambda port: self._plan(number, port, self._etcd.endpoints))
                    self._stand_ins[number] = stand_in

    @system_errors_explained
    def restart(self, number: int) -> None:
        """Start a server again; one that runs is stopped first.

        Raises:
            RuntimeFailure: It cannot be started.
        """
        with self._replacing[number]:
            with self._lock:
                stand_in = self._stand_ins.pop(number, None)
            for one in (self._servers[number], stand_in):
                if one is not None:
                    one.stop()
            self._start(number, _nothing)

    def check(self) -> None:
        """Raise if no server will answer a call any more.

        Raises:
            ServerCrashed: All have ended, and none is started again.
            InvalidState: The cluster was stopped.
        """
        if self.was_stopped:
            raise InvalidState("the cluster is stopped; start another: StepflowCluster.start()")
        crash = self.crash
        if crash is not None:
            # Another one each time, since raising adds to it.
            raise ServerCrashed(
                f"no server of the cluster is running; the first: {crash}",
                crash.exit_code,
                crash.last_log_lines,
            )

    def stop(self, grace: float | None = None) -> None:
        """Stop all servers and etcd. Does nothing the second time, and in a forked child.

        Args:
            grace: Seconds that the servers have to exit on their own; by default as planned.
        """
        if os.getpid() != self._owner:
            return
        self._stopping.set()
        self._started.set()
        with self._lock:
            servers: list[Supervisor | StandIn] = [one for one in self._servers if one is not None]
            servers += self._stand_ins.values()
        try:
            if grace != 0:
                # All at once, so that their times to exit do not add up.
                for server in servers:
                    server.ask_to_stop()
            for server in servers:
                server.stop(grace)
        except BaseException:
            self.abandon()
            raise
        self._etcd.stop()
        self._close()

    def abandon(self) -> None:
        """Kill everything, from wherever the garbage collector runs; threads do the rest."""
        self._stopping.set()
        self._started.set()
        for server in (*self._servers, *self._stand_ins.values()):
            if server is not None:
                server.abandon()
        self._etcd.abandon()
        self._close()

    def _start(self, number: int, meanwhile: Callable[[], object]) -> None:
        server = Supervisor(self._plan(number, self.ports[number], self._etcd.endpoints))
        with self._lock:
            # From here on, a call of `stop` finds the server.
            stopped = self._stopping.is_set()
            if not stopped:
                self._servers[number] = server
        if stopped:
            server.stop()
            raise self._stopped_while_starting()
        server.start(meanwhile)

    @staticmethod
    def _stopped_while_starting() -> InvalidState:
        return InvalidState("the cluster was stopped while it started")
