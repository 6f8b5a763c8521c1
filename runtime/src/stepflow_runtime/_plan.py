"""The plan for a server, from the caller's arguments."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stepflow_api.support import Hidden
from stepflow_runtime._arguments import check_number, check_path, check_type
from stepflow_runtime._config import Config, server_config
from stepflow_runtime._logs import Log, LogConfig
from stepflow_runtime._process import Launch
from stepflow_runtime._storage import Storage
from stepflow_runtime._supervisor import Plan, RestartPolicy
from stepflow_runtime.errors import InvalidInput

if TYPE_CHECKING:
    from stepflow_runtime.models import ServerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one server, or of each server of a cluster; `StepflowRuntime.start` has them.

    Raises:
        InvalidInput: One cannot be used.
    """

    listen: str
    log_config: LogConfig
    restart_policy: RestartPolicy
    max_restarts: int
    startup_timeout: float
    shutdown_timeout: float
    on_crash: Callable[[int, list[str]], object] | None
    components: Iterable[Callable[..., Any] | ModuleType]

    def __post_init__(self) -> None:
        check_number("max_restarts", self.max_restarts, 0, None, int)
        check_number("startup_timeout", self.startup_timeout, 0, None, float)
        check_number("shutdown_timeout", self.shutdown_timeout, 0, None, float)
        check_type("restart_policy", self.restart_policy, RestartPolicy)
        check_type("log_config", self.log_config, LogConfig)
        check_type("on_crash", self.on_crash, Callable | None)
        if self.listen not in ("all", "loopback"):
            raise InvalidInput(f"listen is {self.listen!r}; use 'all' or 'loopback'")

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine may reach the server."""
        return self.listen == "loopback"


def check_sources(
    config: str | os.PathLike[str] | Mapping[str, Any] | ServerConfig | None,
    data_dir: str | os.PathLike[str] | None,
    upgrade: bool,
    binary: str | os.PathLike[str] | None,
    variables: Hidden[Mapping[str, str] | None],
) -> None:
    """Check the arguments that name files and variables.

    Raises:
        InvalidInput: One cannot be used.
    """
    check_type("env", variables.value, Mapping | None)
    check_type("upgrade", upgrade, bool)
    for name, path in (("binary", binary), ("data_dir", data_dir)):
        check_path(name, path)
    if isinstance(config, str | os.PathLike):
        check_path("config", config)


def make_plan(
    config: Config,
    port: int,
    *,
    launch: Launch,
    options: Options,
    log: Log,
    storage: Storage | Callable[[Mapping[str, Any]], Storage],
) -> Plan:
    """Prepare what a server needs; the plan closes it.

    `launch` is its launch without a config.

    Servers that share their storage are given it, and the caller's log. For one alone, `storage` is
    a function that returns it for the config's document.

    Raises:
        InvalidInput: The components or the config cannot be used.
        RuntimeFailure: The storage cannot be used, or the server does not start.
        OSError: The system has no more ports, files or threads.
    """
    is_shared = isinstance(storage, Storage)
    opened = storage if isinstance(storage, Storage) else None
    service = None
    try:
        if options.components:
            # Here, since most programs have none.
            from stepflow_runtime._components.service import serve

            config, service = serve(options.components, config, launch, options.startup_timeout)
            log.expected = service.expected_lines
            port = service.port(port)
        if not isinstance(storage, Storage):
            opened = storage(config.document)
        assert opened is not None
        arguments, document, workers = server_config(
            config,
            opened.data_dir,
            launch.environment,
            capture=options.log_config.capture,
            secrets=log.secrets,
        )
        launch = replace(
            launch,
            arguments=[*arguments, *options.log_config.arguments()],
            config=document,
            kept_open=[*opened.descriptors, *([] if workers is None else workers.descriptors)],
            workers=workers,
            components=service,
        )
    except BaseException:
        if service is not None:
            service.close()
        if not is_shared:
            log.close()
            if opened is not None:
                opened.release()
        raise
    return Plan(
        launch=launch,
        port=port,
        storage=opened,
        log=log,
        restart_policy=options.restart_policy,
        max_restarts=options.max_restarts,
        startup_timeout=min(options.startup_timeout, threading.TIMEOUT_MAX),
        shutdown_timeout=min(options.shutdown_timeout, threading.TIMEOUT_MAX),
        on_crash=options.on_crash,
        is_shared=is_shared,
    )
