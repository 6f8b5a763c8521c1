"""The subcommand that runs a server."""

from __future__ import annotations

import argparse
import logging
import sys
import threading

from stepflow_runtime import LogConfig, StepflowRuntime
from stepflow_runtime._constants import COMPONENT_LOGGER, SERVER_LOGGER, WORKER_LOGGER
from stepflow_runtime.cli._modules import load
from stepflow_runtime.cli._output import error_line, line

_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING}


def serve(arguments: argparse.Namespace) -> int:
    """Run a server until a signal.

    Args:
        arguments: The parsed arguments.

    Returns:
        The exit code.

    Raises:
        StepflowError: The server does not start.
    """
    started = threading.Event()
    _log_to_stderr(arguments.log_level, started)
    components = load(arguments.components)
    ended = threading.Event()
    with StepflowRuntime.start(
        arguments.config,
        port=arguments.port,
        listen=arguments.listen,
        data_dir=arguments.data_dir,
        upgrade=arguments.upgrade,
        binary=arguments.binary,
        log_config=LogConfig(level=arguments.log_level),
        on_crash=lambda _code, _lines: ended.set(),
        components=components,
    ) as runtime:
        started.set()
        version = runtime.sync_client.server_version()
        line(f"Stepflow server {version} listens on {runtime.url}")
        for name in sorted(one.component for one in runtime.sync_client.list_components()):
            if components and name.startswith("/python/"):
                line(f"component {name}")
        line("Press Ctrl-C to stop.")
        ended.wait()
        last = runtime.recent_logs()
    error_line(f"the Stepflow server exited; its last line: {last[-1] if last else 'none'}")
    return 1


def _log_to_stderr(level: str, started: threading.Event) -> None:
    handler = logging.StreamHandler(sys.stderr)
    if level in _LEVELS:
        # Why a server does not start is in the error.
        handler.addFilter(lambda record: started.is_set() or record.name != SERVER_LOGGER)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("stepflow_runtime")
    logger.addHandler(handler)
    logger.propagate = False
    for name in (SERVER_LOGGER, WORKER_LOGGER, COMPONENT_LOGGER):
        logging.getLogger(name).setLevel(_LEVELS.get(level, logging.DEBUG))
    # The output of workers is what their functions print.
    logging.getLogger(WORKER_LOGGER).setLevel(logging.INFO)
