"""The output and the exits of workers: the programs that a config's plugins name as `command`."""

from __future__ import annotations

import json
import logging
import os
import re
import selectors
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from stepflow_api.errors import printable
from stepflow_runtime._constants import ERROR_LINES, OUTPUT_END_SECONDS, WORKER_LOGGER
from stepflow_runtime._fork import Held, held_pipe
from stepflow_runtime._log_lines import ANSI_CODE, announced_port
from stepflow_runtime._registration import are_registered
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._start_errors import ending, start_thread
from stepflow_runtime.errors import RuntimeFailure, StartFailed, StartTimeout, WorkerFailed

_log = logging.getLogger("stepflow_runtime")
_worker_log = logging.getLogger(WORKER_LOGGER)

_CHUNK: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 16
#: Messages of a server that has waited 30 seconds for a worker: up to 0.11, and from 0.13 on.
_SERVER_TIMEOUTS: Final = ("Timeout waiting for port announcement", "worker did not connect within")
#: Runs are escaped at once, as bytes, since a worker may print many megabytes of them.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\udc80-\udcff]+")


@dataclass(slots=True, eq=False)
class _Stream:
    """One output of a worker: `stdout` or `stderr`."""

    worker: _Worker
    name: str
    reading: Held
    writing: Held
    partial: bytes = b""


@dataclass(slots=True, eq=False)
class _Worker:
    """A plugin's worker, over all its restarts."""

    plugin: str
    registers: bool
    streams: list[_Stream] = field(default_factory=list[_Stream])
    last: deque[bytes] = field(default_factory=lambda: deque(maxlen=ERROR_LINES))
    last_error: bytes = b""
    is_ready: bool = False

    def last_lines(self) -> list[str]:
        return [_text(raw) for raw in list(self.last)]

    def reason(self) -> str:
        """Return the line that most likely says why it exited."""
        return _text(self.last_error or (self.last[-1] if self.last else b"it printed nothing"))


class Workers:
    """All workers of a runtime.

    Their output arrives through pipes that they inherit from the server. A thread reads them
    continuously, since a full pipe would block the worker. With `capture`, it is logged; the last
    lines are kept in any case.
    """

    def __init__(self, *, capture: bool, secrets: Secrets) -> None:
        self._capture = capture
        self._secrets = secrets
        self._workers: list[_Worker] = []
        self._control, self._reports = held_pipe(blocking=False)
        # Reentrant: the garbage collector may kill a server, which reports it, anywhere.
        self._lock = threading.RLock()
        self._kill: Callable[[], object] | None = None
        self._failed: tuple[_Worker, int] | None = None
        self._server_runs = False
        self._flushed = threading.Event()
        self._is_open = True
        self._thread = threading.Thread(target=self._read, name="stepflow-workers", daemon=True)

    @property
    def descriptors(self) -> list[int]:
        """File descriptors that the server inherits for its workers."""
        streams = [stream for worker in self._workers for stream in worker.streams]
        return [self._reports.descriptor, *(stream.writing.descriptor for stream in streams)]

    def add(self, plugin: str, *, registers: bool) -> tuple[int, int, int]:
        """Add a worker.

        Args:
            plugin: The plugin's name.
            registers: Whether it registers with the server, rather than announces its port.

        Returns:
            Its number, and the file descriptors for its standard output and standard error.
        """
        worker = _Worker(plugin, registers)
        for name in ("stdout", "stderr"):
            worker.streams.append(_Stream(worker, name, *held_pipe(blocking=False)))
        self._workers.append(worker)
        stdout, stderr = (stream.writing.descriptor for stream in worker.streams)
        return len(self._workers) - 1, stdout, stderr

    @property
    def control(self) -> int:
        """File descriptor for reports."""
        return self._reports.descriptor

    def server_starts(self, kill: Callable[[], object]) -> None:
        """Kill the server when a worker fails, which servers from 0.12 on do not notice."""
        if self._thread.ident is None:
            start_thread(self._thread)
        with self._lock:
            self._kill, self._failed, self._server_runs = kill, None, True
        for worker in self._workers:
            worker.is_ready, worker.last_error = False, b""
            worker.last.clear()

    def server_started(self) -> None:
        """Log every exit of a worker from now on."""
        with self._lock:
            self._kill = None
            failed = self._failed
        if failed:
            self._log_exit(*failed)

    def server_stops(self) -> None:
        """Ignore exits from now on: the workers are killed with the server."""
        self._report("stop")

    def are_registered(self, host: str, port: int, deadline: float) -> bool:
        """Whether all workers have registered by the deadline, of the monotonic clock.

        Server 0.12 is healthy before that, other versions only afterwards.
        """
        plugins = {worker.plugin for worker in self._workers if worker.registers}
        return are_registered(plugins, host, port, deadline)

    def explain(self, error: RuntimeFailure) -> RuntimeFailure:
        """Return the error for a server that did not start, which a worker may have caused."""
        if not isinstance(error, StartFailed):
            return error
        self._flush()
        if self._failed:
            worker, code = self._failed
            return _worker_failed(
                f"the worker of plugin {worker.plugin!r} {ending(code, ' during startup')}:"
                f" {worker.reason()}; see .last_lines",
                worker,
                code,
                error,
            )
        waiting = [worker for worker in self._workers if not worker.is_ready]
        if not waiting:
            return error
        said = ", ".join(f"{one.plugin!r} (its last line: {one.reason()})" for one in waiting)
        if isinstance(error, StartTimeout):
            message = f"{error}; the workers of these plugins may not be ready: {said}"
            return StartTimeout(message, error.exit_code, error.last_log_lines)
        if any(limit in str(error) for limit in _SERVER_TIMEOUTS):
            message = f"the Stepflow server gave up waiting for the worker of plugin {said}"
            return _worker_failed(f"{message}; see .last_lines", waiting[0], None, error)
        return error

    def is_own_thread(self) -> bool:
        """Whether this is the reading thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """Stop reading, after everything written so far has been read."""
        if self._thread.ident is None:
            self._close_pipes()
            return
        self._report("close")
        if not self.is_own_thread():
            self._thread.join(OUTPUT_END_SECONDS)

    def _flush(self) -> None:
        # Reports arrive in order, so this one is read after all earlier ones.
        if not self.is_own_thread():
            self._flushed.clear()
            self._report("flush")
            self._flushed.wait(OUTPUT_END_SECONDS)

    def _report(self, event: str) -> None:
        with self._lock:
            if self._is_open:
                os.write(self._reports.descriptor, json.dumps({"event": event}).encode() + b"\n")

    def _close_pipes(self) -> None:
        with self._lock:
            self._is_open = False
            for pipe in (self._control, self._reports):
                pipe.close()
            for worker in self._workers:
                for stream in worker.streams:
                    stream.reading.close()
                    stream.writing.close()

    def _read(self) -> None:
        streams = [stream for worker in self._workers for stream in worker.streams]
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._control.descriptor, selectors.EVENT_READ)
                for stream in streams:
                    selector.register(stream.reading.descriptor, selectors.EVENT_READ, stream)
                while True:
                    ready = [key.data for key, _ in selector.select()]
                    reports = self._read_reports() if None in ready else []
                    # Output that was written before a report has to be read before it.
                    for stream in streams if reports else ready:
                        if stream is not None:
                            self._read_output(stream)
                    for report in reports:
                        if report["event"] == "close":
                            return
                        self._take(report)
        finally:
            self._close_pipes()

    def _read_reports(self) -> list[dict[str, Any]]:
        # Whole lines: each is written at once, and a pipe holds less than a chunk.
        lines = os.read(self._control.descriptor, _CHUNK).splitlines()
        return [json.loads(line) for line in lines]

    def _read_output(self, stream: _Stream) -> None:
        try:
            data = os.read(stream.reading.descriptor, _CHUNK)
        except BlockingIOError:
            return
        *lines, rest = (stream.partial + data).split(b"\n")
        while len(rest) >= _LONGEST_LINE:
            lines.append(rest[:_LONGEST_LINE])
            rest = rest[_LONGEST_LINE:]
        stream.partial = rest
        for line in lines:
            for start in range(0, len(line) or 1, _LONGEST_LINE):
                self._add(stream, line[start : start + _LONGEST_LINE].rstrip())

    def _add(self, stream: _Stream, raw: bytes) -> None:
        worker = stream.worker
        if not raw or (stream.name == "stdout" and announced_port(raw) is not None):
            return
        raw = self._secrets.remove_from(raw)
        worker.last.append(raw)
        if stream.name == "stderr":
            worker.last_error = raw
        if self._capture and _worker_log.isEnabledFor(logging.INFO):
            _emit(logging.INFO, "%s: %s", worker.plugin, _text(raw), stream=stream.name)

    def _take(self, report: dict[str, Any]) -> None:
        event = report["event"]
        if event == "flush":
            self._flushed.set()
            return
        if event == "stop":
            self._server_runs = False
            return
        number: int = report["worker"]
        worker = self._workers[number]
        if event == "announced":
            worker.is_ready = True
            return
        for stream in worker.streams:
            partial, stream.partial = stream.partial, b""
            self._add(stream, partial.rstrip())
        # An exit that the server asked for is not a failure.
        if report["terminated"] or not self._server_runs:
            return
        with self._lock:
            kill = self._kill
            if kill is not None and self._failed is None:
                self._failed = worker, report["exit_code"]
        if kill is None:
            self._log_exit(worker, report["exit_code"])
        elif report["exit_code"] != 0:
            kill()

    def _log_exit(self, worker: _Worker, code: int) -> None:
        lines = worker.last_lines()
        worker.last.clear()
        _emit(
            logging.ERROR,
            "the worker of plugin %r %s; its last lines: %s",
            worker.plugin,
            ending(code),
            " | ".join(lines) or "none",
            exit_code=code,
            last_lines=lines,
        )


def _worker_failed(
    message: str, worker: _Worker, exit_code: int | None, error: StartFailed
) -> WorkerFailed:
    return WorkerFailed(
        message,
        exit_code,
        error.last_log_lines,
        plugin=worker.plugin,
        last_lines=worker.last_lines(),
    )


def _emit(level: int, message: str, plugin: str, *args: str, **attributes: object) -> None:
    record = _worker_log.makeRecord(
        _worker_log.name,
        level,
        "stepflow-worker",
        0,
        message,
        (plugin, *args),
        None,
        extra={"plugin": plugin, **attributes},
    )
    try:
        _worker_log.handle(record)
    except BaseException:
        # A handler or filter of the program failed, or raised SystemExit; the output must still be
        # read.
        _log.exception("a line of the worker of plugin %r was not logged", plugin)


def _text(raw: bytes) -> str:
    text = raw.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return text
    if len(raw) - len(text.encode("utf-8", "ignore")) > len(raw) // 8:
        # Binary data: escaping its characters one by one takes a minute for 100 MB.
        return repr(raw)[2:-1]
    text = ANSI_CODE.sub("", text.replace("\t", "    "))
    return printable(_UNPRINTABLE.sub(_escaped, text))


def _escaped(match: re.Match[str]) -> str:
    return repr(match[0].encode("utf-8", "surrogateescape"))[2:-1]
