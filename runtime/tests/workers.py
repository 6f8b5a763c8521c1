"""Configs with workers, and what their logger records."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Generator
from typing import Any

#: Servers from 0.12 on use gRPC with workers, for which a worker needs packages.
USES_GRPC = os.environ.get("STEPFLOW_SERVER_VERSION", "0.11.1") not in (
    *("0.9.0", "0.10.0", "0.11.0", "0.11.1"),
)
PLUGIN = "odd 'na\"me"


def config(program: str, *arguments: str, plugin: str = PLUGIN, **more: Any) -> dict[str, Any]:
    """Return a config with a worker."""
    kind = {"type": "grpc", "queueName": "q"} if USES_GRPC else {"type": "stepflow"}
    builtin = [{"plugin": "builtin"}]
    return {
        "plugins": {
            "builtin": {"type": "builtin"},
            plugin: {**kind, "command": program, "args": list(arguments), **more},
        },
        "routes": {"/w": [{"plugin": plugin}], "/": builtin}
        if USES_GRPC
        else {"/w/{*component}": [{"plugin": plugin}], "/{*component}": builtin},
    }


@contextlib.contextmanager
def logged(take: Callable[[logging.LogRecord], object]) -> Generator[None]:
    """Call a function with each record of the workers' logger."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            take(record)

    handler = Handler()
    logger = logging.getLogger("stepflow_runtime.worker")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


def of_level(records: list[logging.LogRecord], level: int) -> list[logging.LogRecord]:
    """Return the records with a level."""
    return [record for record in records if record.levelno == level]
