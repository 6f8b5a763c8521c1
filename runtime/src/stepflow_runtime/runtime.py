"""The embedded server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Literal, NoReturn, Self, Unpack

from stepflow_api.errors import one_line
from stepflow_api.models import FlowResult
from stepflow_api.support import Hidden, asyncio_loop, refuse_trio, running_loop
from stepflow_client import (
    BatchResults,
    FlowSource,
    FlowValidation,
    RunHandle,
    StepflowClient,
    SyncStepflowClient,
)
from stepflow_client.options import (
    RunBatchOptions,
    RunOptions,
    SubmitBatchOptions,
    SubmitOptions,
    show_options,
)
from stepflow_runtime._arguments import check_number, check_path, check_type
from stepflow_runtime._binary import find_binary
from stepflow_runtime._clients import Clients
from stepflow_runtime._config import server_config, server_environment
from stepflow_runtime._constants import MAX_RESTARTS, SHUTDOWN_TIMEOUT, STARTUP_TIMEOUT
from stepflow_runtime._logs import Log, LogConfig
from stepflow_runtime._process import HOST, Launch
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._start_errors import start_thread, system_errors_explained
from stepflow_runtime._starting import start, start_for
from stepflow_runtime._storage import Storage
from stepflow_runtime._supervisor import Plan, RestartPolicy, Supervisor
from stepflow_runtime.errors import InvalidInput, InvalidRequest, InvalidState

__all__ = ["StepflowRuntime"]


@show_options
class StepflowRuntime:
    """A Stepflow server embedded in this program; `start` creates it.

    A `StepflowExecutor`: `await runtime.run(...)`. Synchronous code uses `runtime.sync_client`, a
    `SyncStepflowExecutor`.

    The server stops with `stop`, at the end of the `with` or `async with` block, and with this
    process, however that ends. Any number of threads and event loops can use one runtime.
    """

    def __init__(self, supervisor: Supervisor, log: Log) -> None:
        self._supervisor = supervisor
        self._log = log
        self._clients: Clients | None = None
        self._lock = threading.Lock()
        self._entered = False
        self._starting: concurrent.futures.Future[None] | None = None
        self._finalizer = weakref.finalize(self, supervisor.abandon)
        self._finalizer.atexit = False
        # `start` is for the class; on a runtime it would start a second server unnoticed.
        vars(self)["start"] = self._refuse_start

    @classmethod
    @system_errors_explained
    def start(
        cls,
        config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
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
            config: Path of the server's config, or the config itself. By default the builtin
                components that only compute (`ALL_BUILTINS` has all of them).
            port: Port to listen on; 0 for any free port.
            listen: `"all"` for every network interface, `"loopback"` for this machine only (Linux).
            data_dir: Folder in which flows and runs outlive the server; created if it does not
                exist. By default they are kept in memory.
            upgrade: Whether a data_dir that another server version wrote may be converted, after a
                backup.
            binary: The server's executable; by default `$STEPFLOW_SERVER_BINARY`, or else that of
                the package stepflow-orchestrator.
            env: Environment variables for the server.
            inherit_env: Whether the server also inherits this process's environment variables.
            log_config: What the server logs, and where.
            restart_policy: When a server that exited or was killed is restarted, on the same port.
            max_restarts: Maximum number of consecutive restarts.
            startup_timeout: Maximum time to wait for the server to become ready, in seconds.
            shutdown_timeout: Maximum time to wait for the server to exit before it is killed, in
                seconds.
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
            ...     result = runtime.sync_client.run("flow.yaml", {"name": "World"})
        """
        variables = Hidden(env)
        del env
        refuse_trio()
        check_number("port", port, 0, 65535, int)
        check_number("max_restarts", max_restarts, 0, None, int)
        check_number("startup_timeout", startup_timeout, 0, None, float)
        check_number("shutdown_timeout", shutdown_timeout, 0, None, float)
        check_type("restart_policy", restart_policy, RestartPolicy)
        check_type("log_config", log_config, LogConfig | None)
        check_type("on_crash", on_crash, Callable | None)
        check_type("env", variables.value, Mapping | None)
        check_type("upgrade", upgrade, bool)
        if listen not in ("all", "loopback"):
            raise InvalidInput(f"listen is {listen!r}; use 'all' or 'loopback'")
        for name, path in (("binary", binary), ("data_dir", data_dir)):
            check_path(name, path)
        if isinstance(config, str | os.PathLike):
            check_path("config", config)
        executable = find_binary(binary)
        environment = server_environment(variables, inherit_env, lasts=data_dir is not None)
        log_config = log_config or LogConfig()
        secrets = Secrets(environment)
        log = Log(log_config, secrets)
        storage = None
        service = None
        try:
            if components:
                # Here, since most programs have none.
                from stepflow_runtime._components.service import serve

                probe = Launch(executable, (), None, environment)
                config, service = serve(components, config, probe, startup_timeout)
                log.expected = service.expected_lines
                port = service.port(port)
            storage = Storage(config, data_dir, upgrade=upgrade)
            arguments, document, workers = server_config(
                config,
                storage.data_dir,
                environment,
                capture=log_config.capture,
                secrets=secrets,
            )
            launch = Launch(
                executable,
                [*arguments, *log_config.arguments()],
                document,
                environment,
                [*storage.descriptors, *([] if workers is None else workers.descriptors)],
                workers,
                loopback=listen == "loopback",
                components=service,
            )
        except BaseException:
            log.close()
            if service is not None:
                service.close()
            if storage is not None:
                storage.release()
            raise
        plan = Plan(
            launch=launch,
            port=port,
            storage=storage,
            log=log,
            restart_policy=restart_policy,
            max_restarts=max_restarts,
            startup_timeout=min(startup_timeout, threading.TIMEOUT_MAX),
            shutdown_timeout=min(shutdown_timeout, threading.TIMEOUT_MAX),
            on_crash=on_crash,
        )
        runtime = cls(Supervisor(plan), log)
        if service is not None:
            # Weak, so that a runtime that nobody uses any more still ends.
            own = weakref.ref(runtime)
            service.use_clients(lambda: cls._clients_in_call(own()))
        runtime._begin()
        return runtime

    @property
    def url(self) -> str:
        """The server's address, without the API's path prefix."""
        self._ready()
        return self._address()

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

    @property
    def client(self) -> StepflowClient:
        """A client for the running event loop; the runtime closes it."""
        refuse_trio()
        return self._ready().asynchronous()

    @property
    def sync_client(self) -> SyncStepflowClient:
        """A client for all threads; the runtime closes it."""
        return self._ready().sync()

    def recent_logs(self) -> list[str]:
        """Return the last log lines of the server, up to 1000, oldest first."""
        return self._log.recent()

    def stop(self) -> None:
        """Stop the server and all processes that it has started. Does nothing the second time.

        In a forked child it does nothing: the server is the parent's.
        """
        self._supervisor.stop()
        if self._clients is not None:
            self._clients.close()

    async def run(self, flow: FlowSource, input: Any, **options: Unpack[RunOptions]) -> FlowResult:
        """Run a flow once and wait for its result; see `StepflowClient.run`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.run(flow, input, **hidden.value)

    async def submit(
        self, flow: FlowSource, input: Any, **options: Unpack[SubmitOptions]
    ) -> RunHandle:
        """Run a flow once without waiting; see `StepflowClient.submit`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.submit(flow, input, **hidden.value)

    async def run_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[RunBatchOptions]
    ) -> BatchResults:
        """Run a flow once for each input and wait; see `StepflowClient.run_batch`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.run_batch(flow, inputs, **hidden.value)

    async def submit_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[SubmitBatchOptions]
    ) -> RunHandle:
        """Run a flow once for each input without waiting; see `StepflowClient.submit_batch`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.submit_batch(flow, inputs, **hidden.value)

    async def validate(self, flow: FlowSource) -> FlowValidation:
        """Validate a flow without storing it; see `StepflowClient.validate`."""
        client = await self._async_client()
        return await client.validate(flow)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state()}>"

    def _state(self) -> str:
        starting, supervisor = self._starting, self._supervisor
        failure = None
        if starting is not None and starting.done() and not starting.cancelled():
            failure = starting.exception()
        # A start that fails also stops the server.
        if supervisor.was_stopped and (failure is None or isinstance(failure, InvalidState)):
            return "stopped"
        failure = failure or supervisor.crash
        if failure is not None:
            return f"failed: {one_line(str(failure))}"
        if not supervisor.has_started:
            return "starting"
        state = f"running, pid {supervisor.pid}" if self.is_alive else "not alive"
        return f"{self._address()} {state}"

    def __reduce__(self) -> NoReturn:
        raise TypeError("StepflowRuntime cannot be copied or pickled; pass its url on")

    def __enter__(self) -> Self:
        if running_loop() is not None:
            # Nothing that `start` began is left.
            self._supervisor.stop(grace=0)
            raise InvalidState(
                "`with` would hold up the running event loop; write `async with"
                " StepflowRuntime.start(...) as runtime:`"
            )
        self._enter()
        self._ready()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        try:
            asyncio_loop()
        except InvalidRequest:
            # Nothing that `start` began is left.
            self._supervisor.stop(grace=0)
            raise
        self._enter()
        try:
            await self._async_ready()
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(self._supervisor.stop, 0))
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        if self._clients is not None:
            await self._clients.aclose()
        await asyncio.shield(asyncio.to_thread(self.stop))

    def _begin(self) -> None:
        if running_loop() is None:
            start(self._supervisor)
            return
        self._starting = concurrent.futures.Future()
        thread = threading.Thread(
            target=start_for,
            args=(self._supervisor, self._starting),
            name="stepflow-start",
            daemon=True,
        )
        try:
            start_thread(thread)
        except BaseException:
            self._supervisor.stop(grace=0)
            raise

    @staticmethod
    def _clients_in_call(runtime: StepflowRuntime | None) -> Clients:
        if runtime is None:
            raise InvalidState("the runtime of this component no longer exists")
        # A step that the server resumes may begin before the start has ended.
        runtime._supervisor.wait_until_started()
        return runtime._ready()

    def _enter(self) -> None:
        self._supervisor.check()
        with self._lock:
            entered, self._entered = self._entered, True
        if entered:
            raise InvalidState("the runtime is in use by another `with` already; start another")

    def _ready(self) -> Clients:
        if self._starting is not None:
            self._starting.result()
        self._supervisor.check()
        with self._lock:
            if self._clients is None:
                self._clients = Clients(self._address(), self._supervisor)
            return self._clients

    def _address(self) -> str:
        return f"http://{HOST}:{self._supervisor.port}"

    async def _async_ready(self) -> Clients:
        asyncio_loop()
        if self._starting is not None:
            await asyncio.shield(asyncio.wrap_future(self._starting))
        return self._ready()

    async def _async_client(self) -> StepflowClient:
        return (await self._async_ready()).asynchronous()

    def _refuse_start(self, *args: object, **options: object) -> NoReturn:
        raise InvalidState("this runtime is started already; StepflowRuntime.start() makes another")
