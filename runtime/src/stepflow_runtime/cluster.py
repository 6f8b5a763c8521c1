"""Several embedded servers on one store."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from stepflow_api.support import Hidden, refuse_trio
from stepflow_runtime._arguments import check_number
from stepflow_runtime._binary import find_binary, wheel_version
from stepflow_runtime._config import Config, read_config, server_environment
from stepflow_runtime._constants import (
    CLUSTER_SHUTDOWN_TIMEOUT,
    LEASE_SECONDS,
    MAX_RESTARTS,
    ORCHESTRATOR_ID,
    STARTUP_TIMEOUT,
)
from stepflow_runtime._database import STORAGE_KEYS
from stepflow_runtime._embedded import Embedded
from stepflow_runtime._etcd import GivenEtcd, OwnEtcd
from stepflow_runtime._group import Group
from stepflow_runtime._logs import Log, LogConfig
from stepflow_runtime._plan import Options, check_sources, make_plan
from stepflow_runtime._ports import ReservedPort
from stepflow_runtime._process import HOST, Launch
from stepflow_runtime._recovery import ALL_RUNS
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._server_version import binary_version, numbers_of
from stepflow_runtime._stamp import Fingerprint
from stepflow_runtime._start_errors import system_errors_explained
from stepflow_runtime._storage import Storage
from stepflow_runtime._supervisor import Plan, RestartPolicy
from stepflow_runtime.errors import BinaryUnusable, InvalidInput

if TYPE_CHECKING:
    from stepflow_runtime.models import ServerConfig

__all__ = ["StepflowCluster"]


class StepflowCluster(Embedded):
    """Several Stepflow servers (orchestrators) on one store; `start` creates it.

    A server that crashes loses no run: it is started again, and resumes its runs. Steps that were
    in progress are executed again, and no others. Clients of the cluster send their calls to one
    server, and to the next when that fails.

    It has the methods of `StepflowRuntime`, and stops like one: with `stop`, at the end of the
    `with` or `async with` block, and with this process, however that ends.
    """

    _noun: ClassVar[str] = "cluster"
    _url_name: ClassVar[str] = "urls"

    def __init__(self, group: Group, logs: Sequence[Log]) -> None:
        super().__init__(group)
        self._group = group
        self._logs = list(logs)

    @classmethod
    @system_errors_explained
    def start(
        cls,
        config: str | os.PathLike[str] | Mapping[str, Any] | ServerConfig | None = None,
        *,
        servers: int = 3,
        data_dir: str | os.PathLike[str] | None = None,
        etcd: str | Sequence[str] | None = None,
        port: int = 0,
        listen: Literal["all", "loopback"] = "all",
        upgrade: bool = False,
        binary: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        inherit_env: bool = True,
        log_config: LogConfig | None = None,
        restart_policy: RestartPolicy = RestartPolicy.ON_FAILURE,
        max_restarts: int = MAX_RESTARTS,
        startup_timeout: float = STARTUP_TIMEOUT,
        shutdown_timeout: float = CLUSTER_SHUTDOWN_TIMEOUT,
        components: Iterable[Callable[..., Any] | ModuleType] = (),
    ) -> Self:
        """Start servers of version 0.13 or later, and wait until they are ready.

        Inside a running event loop this does not wait, since that would block the loop: `async
        with` waits, and so does the first call that needs a server.

        Args:
            config: Path of the servers' config, or the config itself: a dict, or a `ServerConfig`
                of `stepflow_runtime.models`. A misspelled key is an error. By default the builtin
                components that only compute. Settings for recovery and leases are added.
            servers: Number of servers.
            data_dir: Folder for flows and runs, which all servers share; created if it does not
                exist. A config with a `storageConfig` takes its place.
            etcd: URLs of the etcd for the leases of runs. By default one is started; it needs the
                program `etcd` on PATH (Debian's package etcd-server).
            port: Port of the first server; the others use the following ones. 0 for free ports.
            listen: `"all"` for every network interface, `"loopback"` for this machine only (Linux).
            upgrade: Whether a data_dir of another server version may be converted, after a backup.
            binary: The servers' executable; by default `$STEPFLOW_SERVER_BINARY`, or else that of
                the package stepflow-orchestrator.
            env: Environment variables for the servers.
            inherit_env: Whether the servers also inherit this process's environment variables.
            log_config: What the servers log, and where.
            restart_policy: When a server that exited or was killed is restarted, on the same port.
            max_restarts: Maximum number of consecutive restarts of each.
            startup_timeout: Maximum time to wait for each server to become ready, in seconds.
            shutdown_timeout: Maximum seconds to wait for the servers to exit before killing them.
            components: Functions of this program that flows can call as `/python/NAME`, and modules
                with functions decorated with `component`.

        Returns:
            The cluster; use it in `with` or `async with`, or stop it with `stop`.

        Raises:
            InvalidInput: An argument cannot be used.
            InvalidRequest: The call comes from a trio task.
            BinaryUnusable: There is no server of version 0.13 or later, or no etcd.
            DataDirUnusable: The data_dir cannot be used.
            DataDirLocked: Another server uses the data_dir, or a database that the config names.
            DataDirIncompatible: The servers would lose or break data of another version.
            StartFailed: A server or etcd did not start; the message says why.
            LoopbackUnavailable: This system cannot keep the servers on loopback.
            WorkerFailed: A worker of the config did not start.
        """
        variables = Hidden(env)
        del env
        refuse_trio()
        check_number("servers", servers, 1, 100, int)
        check_number("port", port, 0, 65536 - servers, int)
        check_sources(config, data_dir, upgrade, binary, variables)
        options = Options(
            listen=listen,
            log_config=LogConfig() if log_config is None else log_config,
            restart_policy=restart_policy,
            max_restarts=max_restarts,
            startup_timeout=startup_timeout,
            shutdown_timeout=shutdown_timeout,
            on_crash=None,
            components=list(components),
        )
        executable = find_binary(binary)
        environments = [
            server_environment(variables, inherit_env, lasts=True) for _ in range(servers)
        ]
        launch = Launch(executable, (), None, environments[0], loopback=options.is_on_loopback)
        _check_version(launch, startup_timeout)
        document = read_config(config, launch, startup_timeout).to_dict()
        _check_config(document, data_dir, etcd)
        opened: list[Any] = []
        try:
            storage = Storage(
                _with_leases(document, [], None),
                data_dir,
                upgrade=upgrade,
                servers=[_name(number) for number in range(servers)],
            )
            opened.append(storage)
            folder = prefix = None
            if storage.data_dir is not None:
                folder = storage.data_dir.path
                prefix = _key_prefix(folder)
            leases: GivenEtcd | OwnEtcd
            if etcd is not None or folder is None:
                leases = GivenEtcd(etcd, prefix)
            else:
                leases = OwnEtcd(folder / "etcd")
            ports = list(range(port, port + servers))
            for number in range(0 if port else servers):
                opened.append(reserved := ReservedPort())
                ports[number] = reserved.number
            logs = [Log(options.log_config, Secrets(one)) for one in environments]
        except BaseException:
            for one in opened:
                one.release()
            raise
        own: list[weakref.ref[Self]] = []

        def plan(number: int, port: int, endpoints: Sequence[str]) -> Plan:
            environment = environments[number].value
            made = make_plan(
                Config(_with_leases(document, endpoints, prefix)),
                port,
                launch=replace(
                    launch,
                    environment=Hidden(
                        {
                            **environment,
                            "STEPFLOW_ORCHESTRATOR_ID": _name(number),
                            "STEPFLOW_ORCHESTRATOR_URL": f"{HOST}:{port}",
                        }
                    ),
                ),
                options=options,
                log=logs[number],
                storage=storage,
            )
            if made.launch.components is not None:
                # Weak, so that a cluster that nobody uses any more still ends.
                made.launch.components.use_clients(lambda: cls._clients_in_call(own[0]()))
            return made

        def close() -> None:
            for log in logs:
                log.close()
            for one in opened:
                one.release()

        cluster = cls(Group(plan, ports, leases, startup_timeout, close), logs)
        own.append(weakref.ref(cluster))
        cluster._begin()
        return cluster

    @property
    def urls(self) -> list[str]:
        """The servers' addresses, without the API's path prefix, for `StepflowClient(urls)`."""
        self._ready()
        return self._addresses()

    @property
    def pids(self) -> list[int | None]:
        """Process ids of the servers, in the order of `urls`; None for one that is down."""
        self._ready()
        return self._group.pids

    @property
    def is_alive(self) -> bool:
        """Whether a server is running and has answered."""
        return any(pid is not None for pid in self._group.pids)

    def kill(self, number: int) -> None:
        """Kill a server with SIGKILL, to see what happens; it stays down until `restart`.

        After two seconds a stand-in, which is not in `urls`, resumes its runs.

        Args:
            number: Its place in `urls`, from 0.

        Raises:
            InvalidInput: There is no such server.
        """
        self._group.kill(self._checked(number))

    def restart(self, number: int) -> None:
        """Start a server that is down, or stop and start one that is running.

        Restarting one after the other, `for n in range(3): cluster.restart(n)`, fails no call with
        an `idempotency_key`; another call may report `RunOutcomeUnknown` if the server has just
        stopped accepting connections.

        Args:
            number: Its place in `urls`, from 0.

        Raises:
            InvalidInput: There is no such server.
            StartFailed: It did not start; the message says why.
        """
        self._group.restart(self._checked(number))

    def recent_logs(self, number: int) -> list[str]:
        """Return what a server has logged last, up to 1000 lines, oldest first.

        Args:
            number: Its place in `urls`, from 0.

        Raises:
            InvalidInput: There is no such server.
        """
        return self._logs[self._checked(number)].recent()

    def _checked(self, number: int) -> int:
        self._ready()
        check_number("number", number, 0, len(self._logs) - 1, int)
        return number


def _name(number: int) -> str:
    # The first has the name of a single server, so that either resumes the other's runs at once.
    return ORCHESTRATOR_ID if number == 0 else f"{ORCHESTRATOR_ID}-{number + 1}"


def _check_version(launch: Launch, startup_timeout: float) -> None:
    version = wheel_version(launch.binary) or binary_version(
        launch, Fingerprint.of(launch.binary), startup_timeout
    )
    if numbers_of(version) < (0, 13):
        raise BinaryUnusable(
            f"a cluster needs a Stepflow server of version 0.13 or later, and {launch.binary} is"
            f" {version}; pip install --no-deps --target server stepflow-orchestrator==0.13.0, and"
            " name its bin/stepflow-server with binary= or $STEPFLOW_SERVER_BINARY"
        )


def _check_config(document: Mapping[str, Any], data_dir: object, etcd: object) -> None:
    if "leaseManager" in document:
        raise InvalidInput(
            "the config has a leaseManager, which a cluster sets itself; name its endpoints with"
            " etcd= instead"
        )
    if data_dir is not None:
        return
    if not any(key in document for key in STORAGE_KEYS):
        raise InvalidInput("pass data_dir=, the folder for the store that all servers share")
    if etcd is None:
        raise InvalidInput(
            "the config has a storageConfig, which other servers may use as well; pass etcd=, the"
            " URL of the etcd that all of them use"
        )


def _key_prefix(folder: Path) -> str:
    """Return where a cluster keeps its leases, since all clusters have the same server names."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()
    return f"/stepflow/{digest[:16]}/leases"


def _with_leases(
    document: Mapping[str, Any], endpoints: Sequence[str], prefix: str | None
) -> dict[str, Any]:
    """Return a config whose servers each resume the runs of their own name at their start."""
    manager: dict[str, Any] = {"type": "etcd", "endpoints": list(endpoints)}
    if prefix is not None:
        manager["key_prefix"] = prefix
    recovery: dict[str, Any] = {
        "enabled": False,
        "leaseTtlSecs": LEASE_SECONDS,
        "maxStartupRecovery": ALL_RUNS,
    }
    given = document.get("recovery")
    if isinstance(given, Mapping):
        recovery.update(cast("Mapping[str, Any]", given))
    return {**document, "leaseManager": manager, "recovery": recovery}
