"""The embedded server."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self

from stepflow_api.support import Hidden, refuse_trio
from stepflow_runtime._arguments import check_number
from stepflow_runtime._binary import find_binary
from stepflow_runtime._config import read_config, server_environment
from stepflow_runtime._constants import MAX_RESTARTS, SHUTDOWN_TIMEOUT, STARTUP_TIMEOUT
from stepflow_runtime._embedded import Embedded
from stepflow_runtime._logs import Log, LogConfig
from stepflow_runtime._plan import Options, check_sources, make_plan
from stepflow_runtime._process import Launch
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._start_errors import system_errors_explained
from stepflow_runtime._storage import Storage
from stepflow_runtime._supervisor import RestartPolicy, Supervisor

if TYPE_CHECKING:
    from stepflow_runtime.models import ServerConfig

__all__ = ["StepflowRuntime"]


class StepflowRuntime(Embedded):
    """A Stepflow server embedded in this program; `start` creates it.

    A `StepflowExecutor`: `await runtime.run(...)`. Synchronous code uses `runtime.sync_client`, a
    `SyncStepflowExecutor`.

    The server stops with `stop`, at the end of the `with` or `async with` block, and with this
    process, however that ends. Any number of threads and event loops can use one runtime.
    """

    def __init__(self, supervisor: Supervisor, log: Log) -> None:
        super().__init__(supervisor)
        self._supervisor = supervisor
        self._log = log

    @classmethod
    @system_errors_explained
    def start(
        cls,
        config: str | os.PathLike[str] | Mapping[str, Any] | ServerConfig | None = None,
        *,
        port: int = 0,
        listen: Literal["all", "loopback"] = "all",
        data_dir: str | os.PathLike[str] | None = None,
        upgrade: bool = False,
        binary: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        inherit_env: bool = True,
        log_config: LogConfig | None = None,
        restart_policy: RestartPolicy = RestartPolicy.NEVER,
        max_restarts: int = MAX_RESTARTS,
        startup_timeout: float = STARTUP_TIMEOUT,
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
        on_crash: Callable[[int, list[str]], object] | None = None,
        components: Iterable[Callable[..., Any] | ModuleType] = (),
    ) -> Self:
        """Start a server and wait until it is ready.

        Inside a running event loop this does not wait, since that would block the loop: `async
        with` waits, and so does the first call that needs the server.

        Args:
            config: Path of the server's config, or the config itself: a dict, or a `ServerConfig`
                of `stepflow_runtime.models`. A misspelled key is an error. By default the builtin
                components that only compute (`ALL_BUILTINS` has all of them).
            port: Port to listen on; 0 for any free port.
            listen: `"all"` for every network interface, `"loopback"` for this machine only (Linux).
            data_dir: Folder in which flows and runs outlive the server; created if it does not
                exist. By default they are kept in memory.
            upgrade: Whether a data_dir of another server version may be converted, after a backup.
            binary: The server's executable; by default `$STEPFLOW_SERVER_BINARY`, or else that of
                the package stepflow-orchestrator.
            env: Environment variables for the server.
            inherit_env: Whether the server also inherits this process's environment variables.
            log_config: What the server logs, and where.
            restart_policy: When a server that exited or was killed is restarted, on the same port.
            max_restarts: Maximum number of consecutive restarts.
            startup_timeout: Maximum time to wait for the server to become ready, in seconds.
            shutdown_timeout: Maximum seconds to wait for the server to exit before killing it.
            on_crash: Called in another thread when the server has exited or was killed, with its
                exit code (negative if a signal killed it) and its last log lines.
            components: Functions of this program that flows can call as `/python/NAME`, and modules
                with functions decorated with `component`.

        Returns:
            The runtime; use it in `with` or `async with`, or stop it with `stop`.

        Raises:
            InvalidInput: An argument cannot be used.
            InvalidRequest: The call comes from a trio task.
            BinaryUnusable: There is no server that runs on this machine.
            DataDirUnusable: The data_dir cannot be used.
            DataDirLocked: Another server uses the data_dir, or a database that the config names.
            DataDirIncompatible: The server would lose or break data of another version.
            StartFailed: The server did not start; the message says why.
            LoopbackUnavailable: This system cannot keep the server on loopback.
            WorkerFailed: A worker of the config did not start.

        Example:
            >>> with StepflowRuntime.start() as runtime:
            ...     runtime.sync_client.run("flow.yaml", {"name": "World"}).output
            'World'
        """
        variables = Hidden(env)
        del env
        refuse_trio()
        check_number("port", port, 0, 65535, int)
        check_sources(config, data_dir, upgrade, binary, variables)
        options = Options(
            listen=listen,
            log_config=LogConfig() if log_config is None else log_config,
            restart_policy=restart_policy,
            max_restarts=max_restarts,
            startup_timeout=startup_timeout,
            shutdown_timeout=shutdown_timeout,
            on_crash=on_crash,
            components=components,
        )
        executable = find_binary(binary)
        environment = server_environment(variables, inherit_env, lasts=data_dir is not None)
        launch = Launch(executable, (), None, environment, loopback=options.is_on_loopback)
        settings = read_config(config, launch, startup_timeout)
        log = Log(options.log_config, Secrets(environment))
        plan = make_plan(
            settings,
            port,
            launch=launch,
            options=options,
            log=log,
            storage=lambda document: Storage(document, data_dir, upgrade=upgrade),
        )
        runtime = cls(Supervisor(plan), log)
        if plan.launch.components is not None:
            # Weak, so that a runtime that nobody uses any more still ends.
            own = weakref.ref(runtime)
            plan.launch.components.use_clients(lambda: cls._clients_in_call(own()))
        runtime._begin()
        return runtime

    @property
    def url(self) -> str:
        """The server's address, without the API's path prefix."""
        self._ready()
        return self._addresses()[0]

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        self._ready()
        return self._supervisor.port

    @property
    def pid(self) -> int:
        """Process id of the server; another one after a restart."""
        self._ready()
        return self._supervisor.pid

    @property
    def is_alive(self) -> bool:
        """Whether the server is running and has answered."""
        return self._supervisor.is_alive

    def recent_logs(self) -> list[str]:
        """Return the last log lines of the server, up to 1000, oldest first."""
        return self._log.recent()
