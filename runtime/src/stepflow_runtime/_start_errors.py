"""Errors during startup: what failed, why, and what to do, on one line."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import functools
import os
import re
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from typing import ParamSpec, TypeVar

from stepflow_api.support import Hidden
from stepflow_runtime._constants import SHELL
from stepflow_runtime._log_lines import LogLine, summary
from stepflow_runtime.errors import (
    ConfigInvalid,
    InvalidInput,
    PortInUse,
    StartFailed,
    StepflowError,
)

P = ParamSpec("P")
T = TypeVar("T")

_REMEDIES = {
    errno.EAGAIN: "end other processes, or raise the limit (ulimit -u, a container's pids limit)",
    errno.EDQUOT: "free space on that disk",
    errno.EMFILE: "close files, or raise the limit on open files (ulimit -n)",
    errno.ENFILE: "close files in other processes",
    errno.ENOMEM: "free memory",
    errno.ENOSPC: "free space on that disk",
}

# Beginnings of a server's last line when it cannot start, the same from 0.9 to 0.13.
_CONFIG = "Server error: Failed to load configuration: "
_EXECUTOR = re.compile(
    r"Server error: Failed to create executor: Failed to create (executor|service) from"
    r" configuration: Configuration error: "
)
_SERVING = "Server error: Failed to start server: "
# Continuations that are not the config's fault.
_STORAGE = re.compile(r"(^|: )State store (connection|initialization) error: ")
_NOT_BUILT = "PostgreSQL support was not compiled in"
_BINDING = "Failed to bind "
_PORT_TAKEN = f"(os error {errno.EADDRINUSE})"


def remedy(error: OSError, default: str) -> str:
    """Return what to do about an operating system error."""
    return _REMEDIES.get(error.errno or 0, default)


def system_errors_explained(function: Callable[P, T]) -> Callable[P, T]:
    """Turn operating system errors during a start into errors of this package.

    The decorated function raises `StartFailed` if the system reports an error, and `InvalidInput`
    if a text cannot be passed to the system.
    """

    @functools.wraps(function)
    def explaining(*arguments: P.args, **options: P.kwargs) -> T:
        # Arguments may be secrets, and a traceback shows the variables of this frame.
        given = Hidden((arguments, options))
        del arguments, options
        with _system_errors_explained():
            return function(*given.value[0], **given.value[1])

    return explaining


@contextlib.contextmanager
def _system_errors_explained() -> Generator[None, None, None]:
    try:
        yield
    except StepflowError:
        # StartTimeout is an OSError as well.
        raise
    except OSError as error:
        cause = error.strerror or str(error)
        if error.filename is not None:
            cause = f"{os.fsdecode(error.filename)}: {cause}"
        advice = remedy(error, "check that the system allows it")
        if error.filename == SHELL:
            advice = "the runtime needs a POSIX shell there: install one"
        elif isinstance(error, FileNotFoundError) and working_directory() is None:
            cause, advice = "the current working directory no longer exists", "change to another"
        raise StartFailed(
            f"cannot start the Stepflow server: {cause}; {advice}", None, []
        ) from error
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{error.object!r} cannot be passed to the server: {error.reason}; pass valid Unicode"
        ) from None


def start_thread(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        OSError: The system has no more threads.
    """
    try:
        thread.start()
    except RuntimeError as error:
        # Python reports neither the cause nor the error's number.
        raise OSError(errno.EAGAIN, str(error)) from None


def in_thread(
    function: Callable[[], object], outcome: concurrent.futures.Future[None], name: str
) -> None:
    """Call a function in a thread of its own.

    Args:
        function: What to call; what it returns is dropped.
        outcome: Gets its end, and its error. Cancelled before, the function is not called.
        name: The thread's name.

    Raises:
        OSError: The system has no more threads.
    """

    def call() -> None:
        if outcome.set_running_or_notify_cancel():
            try:
                function()
            except BaseException as error:
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

    start_thread(threading.Thread(target=call, name=name, daemon=True))


def uninterrupted(function: Callable[[], object]) -> None:
    """Call a function that starts a process and stores it, so that Ctrl-C comes before or after.

    Python raises `KeyboardInterrupt`, and what other signal handlers raise, in the main thread: if
    the process starts in that, it can be running before any variable has it, and nobody kills it.

    Args:
        function: Starts the process and stores it where the caller's cleanup finds it.

    Raises:
        OSError: The system has no more threads.
    """
    if threading.current_thread() is not threading.main_thread():
        function()
        return
    outcome = concurrent.futures.Future[None]()
    try:
        in_thread(function, outcome, "stepflow-launch")
        outcome.result()
    except BaseException:
        if not outcome.cancel():
            concurrent.futures.wait([outcome])
        raise
    finally:
        # The future has the exception, whose frames refer to the future.
        del outcome


def ending(exit_code: int | None, during: str = "") -> str:
    """Return how a process ended, as the predicate of a sentence.

    Args:
        exit_code: Its exit code; negative if a signal killed it.
        during: When it ended, with a leading space.
    """
    if exit_code is None or exit_code >= 0:
        return f"exited{during} (exit code {exit_code})"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {-exit_code} ({name}){during}"


def start_failure(exit_code: int | None, lines: Sequence[LogLine], port: int) -> StartFailed:
    """Return the error for a server that exited during startup.

    The exit code decides first, then the server's own error line. Other lines are not searched,
    since even a normal start logs the path of the config.

    Args:
        exit_code: Its exit code; negative if a signal killed it.
        lines: Its last lines.
        port: The port that it was asked to listen on.
    """
    cls, advice = StartFailed, "See .last_log_lines"
    if working_directory() is None:
        advice = "The current working directory no longer exists: change to another"
    if exit_code == -signal.SIGKILL:
        advice = "If nobody killed it, memory ran out: check the kernel's log"
    elif exit_code == 1:
        cls, advice = _judged(_server_error(lines), port) or (cls, advice)
    reason = summary(lines).rstrip(".")
    return cls(
        f"the Stepflow server {ending(exit_code, ' during startup')}: {reason}. {advice}.",
        exit_code,
        [str(line) for line in lines],
    )


def _server_error(lines: Sequence[LogLine]) -> str:
    """Return the error that a server reported about itself, or nothing."""
    own = [line.message for line in lines if line.target == "stepflow_server"]
    return own[-1] if own else ""


def _judged(error: str, port: int) -> tuple[type[StartFailed], str] | None:
    """Return the error class and the advice for a server's own error; None if it is unknown."""
    in_use = PortInUse, f"Port {port} is taken: choose another, or 0 for any free port"
    if error.startswith(_SERVING) and error.endswith(_PORT_TAKEN):
        return in_use
    if error.startswith(_CONFIG):
        return ConfigInvalid, "Check the config"
    if executor := _EXECUTOR.match(error):
        reason = error[executor.end() :]
        if reason.startswith(_BINDING):
            return in_use if reason.endswith(_PORT_TAKEN) else (StartFailed, "Choose another port")
        if _NOT_BUILT in reason:
            return StartFailed, (
                "This server was built without PostgreSQL, like those of the package"
                " stepflow-orchestrator: build one with the feature postgres and name it with"
                " binary= or $STEPFLOW_SERVER_BINARY, or use data_dir"
            )
        if _STORAGE.search(reason):
            return StartFailed, (
                "Check that its database can be reached, and was created by a Stepflow server"
            )
        return ConfigInvalid, "Check the config"
    return None


def working_directory() -> str | None:
    """Return the current working directory; None if it no longer exists."""
    try:
        return os.getcwd()
    except OSError:
        return None
