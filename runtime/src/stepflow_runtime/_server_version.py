"""Version of a server's executable, determined without touching any data."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Final

from stepflow_runtime._logs import Log, LogConfig
from stepflow_runtime._process import Launch, ServerProcess
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._stamp import Fingerprint
from stepflow_runtime._start_errors import uninterrupted

#: Version by executable; an update replaces the file, and so changes its fingerprint.
_known: Final[dict[Fingerprint, str]] = {}

_CONFIG: Final = {
    "plugins": {"builtin": {"type": "builtin"}},
    # One key for servers before 0.13, one for later servers.
    "routes": {"/{*component}": [{"plugin": "builtin"}], "/": [{"plugin": "builtin"}]},
}


def version_in_health(health: bytes) -> str:
    """Return the version that a server reports in its response to a health check."""
    # Imported here to keep imports fast; the client needs the module at its first call anyway.
    from stepflow_api.support import parse_version

    return parse_version(health) or "unknown"


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version, for comparisons."""
    parts = version.split(".")
    if not all(part.isdecimal() for part in parts[:2]):
        # A version that is not known is a newer one.
        return (0, 13)
    return tuple(int(part) for part in parts[:2])


def binary_version(launch: Launch, fingerprint: Fingerprint | None, startup_timeout: float) -> str:
    """Return the version of a server by running it once, with its state in memory.

    The server has no option that prints its version. It has `startup_timeout` seconds to answer.

    Raises:
        BinaryUnusable: The system does not execute it.
        StartFailed: The server exited during startup, or did not answer in time.
    """
    if fingerprint in _known:
        return _known[fingerprint]
    config = LogConfig(level="error")
    log = Log(config, Secrets(launch.environment))
    launch = replace(
        launch,
        arguments=["--config-stdin", *config.arguments()],
        config=json.dumps(_CONFIG).encode(),
        kept_open=(),
        workers=None,
        components=None,
    )
    started: list[ServerProcess] = []
    try:
        uninterrupted(lambda: started.append(ServerProcess(launch, 0, log)))
        started[0].wait_until_ready(min(startup_timeout, threading.TIMEOUT_MAX))
        version = version_in_health(started[0].health)
    finally:
        for process in started:
            process.kill()
            process.wait_for_end()
        log.close()
    if fingerprint is not None:
        _known[fingerprint] = version
    return version
