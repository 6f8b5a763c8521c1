"""The errors that this package raises: those of `stepflow_client.errors`, and the ones marked here.

    StepflowError
    ├── InvalidRequest
    │   └── InvalidInput           an argument that cannot be used
    ├── RuntimeFailure *           the embedded server
    │   ├── BinaryUnusable *       no server is installed, or it does not run on this machine
    │   ├── DataDirUnusable *      the data_dir cannot be used
    │   │   ├── DataDirLocked *    another server uses it
    │   │   └── DataDirIncompatible *  this server version would lose or break the data
    │   ├── StartFailed *          the server did not start; the message says why
    │   │   ├── ConfigInvalid *    the server rejects its config; the message says why
    │   │   ├── LoopbackUnavailable *  listen="loopback" is not possible on this system
    │   │   ├── PortInUse *        the port is taken
    │   │   ├── StartTimeout *     it was not ready in time (also a TimeoutError)
    │   │   └── WorkerFailed *     a worker of its config did not start
    │   ├── ServerCrashed *        it exited or was killed, and is not restarted
    │   └── InvalidState *         use before the start, after the stop, or twice
    └── ...                        what calls to the server raise: see `stepflow_client.errors`

All of them can be pickled. Their messages are one line.
"""

from __future__ import annotations

from stepflow_client.errors import InvalidInput, InvalidRequest, StepflowError

__all__ = [
    "BinaryUnusable",
    "ConfigInvalid",
    "DataDirIncompatible",
    "DataDirLocked",
    "DataDirUnusable",
    "InvalidInput",
    "InvalidRequest",
    "InvalidState",
    "LoopbackUnavailable",
    "PortInUse",
    "RuntimeFailure",
    "ServerCrashed",
    "StartFailed",
    "StartTimeout",
    "StepflowError",
    "WorkerFailed",
]


class RuntimeFailure(StepflowError):
    """Base of all errors about the embedded server."""


class BinaryUnusable(RuntimeFailure):
    """There is no server's binary where it was looked for, or it cannot run on this machine."""


class DataDirUnusable(RuntimeFailure):
    """The data_dir cannot be created, read or written."""


class DataDirLocked(DataDirUnusable):
    """Another server uses the data_dir, or a database that the config names.

    Attributes:
        pid: Process that started that server; None if unknown.
    """

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class DataDirIncompatible(DataDirUnusable):
    """The data_dir was written by another server version, and this one would lose or break data.

    Nothing in the data_dir has been changed.

    Attributes:
        written_by: Version of the server that wrote it last, such as `0.11.1`; `0.11` if it was
            derived from the data.
        server_version: Version of the server that should have opened it.
        runs_in_progress: Number of runs in progress.
    """

    def __init__(
        self, message: str, written_by: str, server_version: str, runs_in_progress: int
    ) -> None:
        super().__init__(message)
        self.written_by = written_by
        self.server_version = server_version
        self.runs_in_progress = runs_in_progress


class _ServerEnded(RuntimeFailure):
    """The server is gone.

    Attributes:
        exit_code: The server's exit code, the negative signal where one ended it, None where it
            was still running and has been stopped.
        last_log_lines: What it said last, oldest first.
    """

    def __init__(self, message: str, exit_code: int | None, last_log_lines: list[str]) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.last_log_lines = last_log_lines


class StartFailed(_ServerEnded):
    """The server exited, was killed or was not ready in time; nothing of it is left running."""


class ConfigInvalid(StartFailed):
    """The server rejects its config."""


class LoopbackUnavailable(StartFailed):
    """This system cannot keep the server on loopback, as `listen="loopback"` asks for."""


class PortInUse(StartFailed):
    """Another process listens on the port."""


class StartTimeout(StartFailed, TimeoutError):
    """The server was not ready within the startup_timeout."""


class WorkerFailed(StartFailed):
    """A worker (the `command` of a plugin in the config) did not start.

    Attributes:
        plugin: The plugin's name in the config.
        exit_code: The worker's exit code, the negative signal number if a signal killed it, None if
            it was still running and the server gave up waiting for it.
        last_lines: The last lines that the worker printed, oldest first.
        last_log_lines: The last lines of the server's log, oldest first.
    """

    def __init__(
        self,
        message: str,
        exit_code: int | None,
        last_log_lines: list[str],
        *,
        plugin: str,
        last_lines: list[str],
    ) -> None:
        super().__init__(message, exit_code, last_log_lines)
        self.plugin = plugin
        self.last_lines = last_lines


class ServerCrashed(_ServerEnded):
    """The server exited or was killed, and is not restarted."""


class InvalidState(RuntimeFailure):
    """The runtime cannot do this now: it is not started yet, in use, or stopped."""
