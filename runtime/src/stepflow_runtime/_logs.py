"""The server's log."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

from stepflow_runtime._arguments import check_path
from stepflow_runtime._constants import (
    ERROR_LINES,
    KEPT_BYTES,
    KEPT_LINES,
    OUTPUT_END_SECONDS,
    OUTPUT_QUIET_SECONDS,
    SERVER_LOGGER,
)
from stepflow_runtime._log_lines import (
    LogLine,
    announced_port,
    is_stack_frame,
    level_of,
    lines_of,
    parse,
    summary,
)
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._start_errors import remedy, start_thread
from stepflow_runtime.errors import InvalidInput

_log = logging.getLogger("stepflow_runtime")
# A program that has not set up logging would see each failed step on its standard error.
logging.getLogger(SERVER_LOGGER).addHandler(logging.NullHandler())

Level = Literal["trace", "debug", "info", "warn", "error"]
_LEVELS = ("trace", "debug", "info", "warn", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """What the server logs, and where.

    The last lines are kept whatever is set here, for `recent_logs` and for errors. Secrets of the
    config and the environment are replaced by `***` in all of them.

    Attributes:
        level: Lowest level that the server logs: trace, debug, info, warn or error.
        format: Format of the lines in `file_path`: `json` as the server writes them, or `text`.
        capture: Whether the lines become records of Python's `logging`, with the attributes
            `level`, `time`, `target`, `run_id`, `flow_id`, `step_id`, `trace_id` and `span_id`;
            None where the line has none.
        python_logger: Name of the logger for them.
        file_path: File that all lines are appended to; created for this user alone.
        otlp_endpoint: URL of an OpenTelemetry collector (gRPC) for traces and metrics.

    Raises:
        InvalidInput: A value cannot be used.
    """

    level: Level = "info"
    format: Literal["json", "text"] = "json"
    capture: bool = True
    python_logger: str = SERVER_LOGGER
    file_path: str | os.PathLike[str] | None = None
    otlp_endpoint: str | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("level", self.level, _LEVELS),
            ("format", self.format, ("json", "text")),
        ):
            if value not in allowed:
                raise InvalidInput(
                    f"LogConfig: {name} is {value!r}; pass one of {', '.join(allowed)}"
                )
        check_path("LogConfig: file_path", self.file_path)
        check_path("LogConfig: otlp_endpoint", self.otlp_endpoint, "a URL")

    def arguments(self) -> list[str]:
        """Return the server's options."""
        # What other crates say below warn is a line for each route and more, at every start.
        other = "error" if self.level == "error" else "warn"
        arguments = ["--log-format", "json", "--log-destination", "stdout"]
        arguments += ["--log-level", self.level, "--other-log-level", other]
        if self.otlp_endpoint is not None:
            arguments += ["--otlp-endpoint", self.otlp_endpoint]
            arguments += ["--trace-enabled", "--metrics-enabled"]
        return arguments


class Log:
    """The log of all servers of one runtime.

    Raises:
        InvalidInput: The file cannot be written.

    Attributes:
        secrets: What no line may contain.
        expected: Texts of lines that are logged as DEBUG, since they report no problem.
    """

    def __init__(self, config: LogConfig, secrets: Secrets) -> None:
        self.secrets = secrets
        self.expected: Sequence[bytes] = ()
        self._config = config
        self._logger = logging.getLogger(config.python_logger) if config.capture else None
        # Kept unparsed, since most lines are never asked for.
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._file: IO[bytes] | None = None
        self._write_failed = False
        if config.file_path is not None:
            try:
                # `close` closes it.
                self._file = open(  # noqa: SIM115
                    config.file_path, "ab", buffering=0, opener=_open_for_this_user
                )
            except OSError as error:
                raise InvalidInput(
                    f"LogConfig: file_path {os.fspath(config.file_path)} cannot be written:"
                    f" {error.strerror}; {remedy(error, 'pass a path in a folder that exists')}"
                ) from None

    def recent(self) -> list[str]:
        """Return the last lines, oldest first."""
        return [str(parse(raw)) for raw in list(self._kept)]

    def add(self, raw: bytes) -> None:
        """Add a line."""
        self._kept.append(raw)
        self._kept_bytes += len(raw)
        while len(self._kept) > KEPT_LINES or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())
        if self._file is not None:
            text = raw if self._config.format == "json" else str(parse(raw)).encode()
            self._write(self._file, text + b"\n")
        logger = self._logger
        if logger is None:
            return
        level = logging.DEBUG if any(text in raw for text in self.expected) else level_of(raw)
        if logger.isEnabledFor(level):
            self._emit(logger, level, parse(raw))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, file: IO[bytes], text: bytes) -> None:
        try:
            file.write(text)
        except ValueError:
            # The file is closed, and a worker in another session still prints.
            pass
        except OSError as error:
            if not self._write_failed:
                self._write_failed = True
                _log.warning(
                    "lines of the Stepflow server's log are missing in %s: %s; %s",
                    file.name,
                    error.strerror,
                    remedy(error, "check that it can be written"),
                )

    def _emit(self, logger: logging.Logger, level: int, line: LogLine) -> None:
        attributes: dict[str, Any] = dict.fromkeys(
            ("run_id", "flow_id", "step_id", "trace_id", "span_id")
        )
        attributes |= line.context
        attributes |= {"level": line.level_name or None, "time": line.time, "target": line.target}
        record = logger.makeRecord(
            logger.name, level, "stepflow-server", 0, line.message, (), None, extra=attributes
        )
        record.created = line.time.timestamp()
        record.msecs = line.time.microsecond // 1000
        logger.handle(record)


class Output:
    """Reads the output of one server continuously, since a full pipe would block the server.

    Args:
        stream: The server's output.
        log: Receives the lines.
    """

    def __init__(self, stream: IO[bytes], log: Log) -> None:
        self.port: int | None = None
        self.port_or_end = threading.Event()
        #: Cleared while a run that is created would make the server panic.
        self.takes_runs = threading.Event()
        self.takes_runs.set()
        self._stream = stream
        self._log = log
        self._last: deque[bytes] = deque(maxlen=ERROR_LINES)
        self.thread = threading.Thread(target=self._read, name="stepflow-output", daemon=True)
        start_thread(self.thread)

    def lines(self) -> list[LogLine]:
        """Return the last lines of this server."""
        return [parse(raw) for raw in list(self._last)]

    def summary(self) -> str:
        """Return a summary of them on one line."""
        return summary(self.lines())

    def wait_for_end(self) -> None:
        """Wait until all output of a server that has exited is read."""
        if threading.current_thread() is self.thread:
            return
        deadline = time.monotonic() + OUTPUT_END_SECONDS
        quiet = 0
        # A worker in another session may keep the output open.
        while self.thread.is_alive() and quiet < 2 and time.monotonic() < deadline:
            self.thread.join(OUTPUT_QUIET_SECONDS)
            quiet = 0 if self._has_more() else quiet + 1

    def _has_more(self) -> bool:
        poll = select.poll()
        try:
            poll.register(self._stream, select.POLLIN)
        except ValueError:
            # The thread has just closed it.
            return False
        return bool(poll.poll(0))

    def _read(self) -> None:
        try:
            # Ctrl-C during a start closes the stream before its end is read.
            with contextlib.suppress(ValueError), self._stream:
                for raw, is_cut in lines_of(self._stream):
                    self._take(raw, is_cut)
        finally:
            self.takes_runs.set()
            self.port_or_end.set()

    def _take(self, raw: bytes, is_cut: bool) -> None:
        try:
            if self.port is None and (port := announced_port(raw)) is not None:
                self.port = port
                self.port_or_end.set()
            elif raw:
                self._add(self._log.secrets.remove_from(raw, is_cut=is_cut))
        except BaseException:
            # A handler or a filter of the program's, which may even raise SystemExit; what the
            # server prints must be read on.
            _log.exception("a line of the Stepflow server's log was not taken")

    def _add(self, raw: bytes) -> None:
        if not is_stack_frame(raw):
            self._last.append(raw)
        # Servers from 0.12 on are healthy before they can run anything.
        if b"gRPC services available" in raw:
            self.takes_runs.clear()
        elif not self.takes_runs.is_set() and b"Recovering pending runs" in raw:
            self.takes_runs.set()
        self._log.add(raw)


def _open_for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
