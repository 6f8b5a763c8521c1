"""The subcommand that runs a server, or several."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from stepflow_client import SyncStepflowClient
from stepflow_runtime import LogConfig, StepflowRuntime
from stepflow_runtime._constants import COMPONENT_LOGGER, SERVER_LOGGER, WORKER_LOGGER
from stepflow_runtime.cli._modules import load
from stepflow_runtime.cli._output import error_line, line
from stepflow_runtime.errors import InvalidInput

_LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


def serve(arguments: argparse.Namespace) -> int:
    """Run a server, or several, until a signal.

    Returns:
        The exit code.

    Raises:
        StepflowError: The server does not start.
    """
    started = threading.Event()
    _log_to_stderr(arguments.log_level, started)
    options: dict[str, Any] = {
        "port": arguments.port,
        "listen": arguments.listen,
        "data_dir": arguments.data_dir,
        "upgrade": arguments.upgrade,
        "binary": arguments.binary,
        "log_config": LogConfig(level=arguments.log_level),
        "components": load(arguments.components),
    }
    if arguments.servers != 1:
        return _serve_cluster(arguments, options, started)
    if arguments.etcd:
        raise InvalidInput("--etcd is for several servers; add --servers")
    ended = threading.Event()
    with StepflowRuntime.start(
        arguments.config, on_crash=lambda _code, _lines: ended.set(), **options
    ) as runtime:
        started.set()
        _announce(runtime.sync_client, [runtime.url], options["components"])
        ended.wait()
        last = runtime.recent_logs()
    error_line(f"the Stepflow server exited; its last line: {last[-1] if last else 'none'}")
    return 1


def _serve_cluster(
    arguments: argparse.Namespace, options: dict[str, Any], started: threading.Event
) -> NoReturn:
    from stepflow_runtime.cluster import StepflowCluster

    if arguments.data_dir is None and arguments.config is None:
        raise InvalidInput("--servers needs --data-dir, the folder that all servers share")
    with StepflowCluster.start(
        arguments.config, servers=arguments.servers, etcd=arguments.etcd or None, **options
    ) as cluster:
        started.set()
        _announce(cluster.sync_client, cluster.urls, options["components"])
        while True:
            time.sleep(1)
            # Raises an error once no server is running and none is restarted.
            _ = cluster.urls


def _announce(client: SyncStepflowClient, urls: Sequence[str], components: Any) -> None:
    for url in urls:
        line(f"Stepflow server {client.server_version()} listens on {url}")
    for name in sorted(one.component for one in client.list_components()):
        if components and name.startswith("/python/"):
            line(f"component {name}")
    line("Press Ctrl-C to stop.")


def _log_to_stderr(level: str, started: threading.Event) -> None:
    handler = logging.StreamHandler(sys.stderr)
    if level in ("error", "warn"):
        # Why a server does not start is in the error.
        handler.addFilter(lambda record: started.is_set() or record.name != SERVER_LOGGER)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("stepflow_runtime")
    logger.addHandler(handler)
    logger.propagate = False
    for name in (SERVER_LOGGER, WORKER_LOGGER, COMPONENT_LOGGER):
        logging.getLogger(name).setLevel(_LEVELS[level])
    # The output of workers is what their functions print.
    logging.getLogger(WORKER_LOGGER).setLevel(logging.INFO)
