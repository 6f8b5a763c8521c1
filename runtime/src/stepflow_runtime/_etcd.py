"""The etcd that holds a cluster's leases: one that runs already, or one of the cluster's own."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from stepflow_api.support import Hidden
from stepflow_runtime._constants import ETCD_POLL_SECONDS, ETCD_RESTART_SECONDS, ETCD_TIMEOUT
from stepflow_runtime._guard import Guarded
from stepflow_runtime._logs import Log, LogConfig, Output
from stepflow_runtime._ports import ReservedPort
from stepflow_runtime._process import HOST
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._start_errors import ending, start_thread, uninterrupted
from stepflow_runtime.errors import BinaryUnusable, InvalidInput, StartFailed, StartTimeout

_log = logging.getLogger("stepflow_runtime")

_INSTALL: Final = (
    "install it (Debian, Ubuntu: apt-get install etcd-server; macOS: brew install etcd), or pass"
    " the URL of a running one, like http://127.0.0.1:2379 (etcd=, --etcd)"
)


class GivenEtcd:
    """An etcd that somebody else runs.

    Args:
        urls: Its URLs.
        prefix: Keys that only this cluster uses, if any.

    Raises:
        InvalidInput: One is not an HTTP URL.
    """

    def __init__(self, urls: Any, prefix: str | None) -> None:
        self._prefix = prefix
        is_one = isinstance(urls, str) or not isinstance(urls, Iterable)
        given: list[Any] = [urls] if is_one else list(cast(Iterable[Any], urls))
        for url in given:
            if not _is_url(url):
                # Not quoted, since it may contain a password.
                raise InvalidInput("etcd is not a URL; pass one such as http://127.0.0.1:2379")
        if not given:
            raise InvalidInput("etcd is empty; pass its URL, or leave it out to start one")
        self.endpoints: list[str] = given

    def start(self, seconds: float) -> None:
        """Check that one of its servers answers, and remove leases of an earlier cluster.

        Each has the given seconds to answer.

        Raises:
            StartFailed: None of them answers.
        """
        problems: list[str] = []
        for url in self.endpoints:
            problem = _problem(url, min(seconds, ETCD_TIMEOUT))
            if problem is None and self._prefix is not None:
                problem = _remove(url, self._prefix)
            if problem is None:
                return
            problems.append(problem)
        raise StartFailed(
            f"cannot use etcd: {'; '.join(problems)}; check that it runs, or leave"
            " etcd out to start one",
            None,
            [],
        )

    def stop(self) -> None:
        """Do nothing: it keeps running."""

    def abandon(self) -> None:
        """Do nothing: it keeps running."""


class OwnEtcd:
    """An etcd that ends with this process, however that ends.

    It is started again, with its data, if it exits or is killed.

    Args:
        folder: Its data; those of an earlier cluster are removed, whose leases have no owner.

    Raises:
        BinaryUnusable: There is no etcd on PATH.
    """

    def __init__(self, folder: Path) -> None:
        found = shutil.which("etcd")
        if found is None:
            raise BinaryUnusable(f"there is no etcd on PATH, which a cluster needs: {_INSTALL}")
        self._binary = os.path.abspath(found)
        self._folder = folder
        self._ports: list[ReservedPort] = []
        self._process: _Process | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stepflow-etcd", daemon=True)
        self._log = Log(LogConfig(capture=False), Secrets(Hidden(_environment())))

    @property
    def endpoints(self) -> list[str]:
        """Its URL."""
        return [f"http://{HOST}:{self._ports[0].number}"]

    def start(self, seconds: float) -> None:
        """Start it, and wait up to the given seconds until it answers.

        Raises:
            StartFailed: It exited during startup, or did not become ready in time.
            OSError: The system has no more processes, threads, ports or files.
        """
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder)
        for _ in range(2):
            self._ports.append(ReservedPort())
        self._launch(seconds)
        start_thread(self._thread)

    def stop(self) -> None:
        """Stop it; does nothing the second time."""
        self.abandon()
        if self._process is not None:
            self._process.wait()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def abandon(self) -> None:
        """Kill it, without waiting."""
        self._stopping.set()
        if self._process is not None:
            self._process.kill()
        for port in self._ports:
            port.release()

    def _launch(self, seconds: float) -> None:
        client, peer = (f"http://{HOST}:{port.number}" for port in self._ports)
        command = [
            *(self._binary, "--name", "stepflow", "--data-dir", str(self._folder)),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"stepflow={peer}"),
        ]

        def start() -> None:
            self._process = _Process(command, self._log)

        uninterrupted(start)
        process = self._process
        assert process is not None
        deadline = time.monotonic() + min(seconds, threading.TIMEOUT_MAX)
        try:
            while (problem := _problem(client, 1.0)) is not None:
                if process.ended.wait(ETCD_POLL_SECONDS):
                    raise StartFailed(
                        f"etcd {process.ending()}; check {self._binary}, or pass etcd=",
                        None,
                        process.last_lines(),
                    )
                if time.monotonic() >= deadline:
                    raise StartTimeout(
                        f"etcd was not ready within startup_timeout={seconds:g} s: {problem}; raise"
                        " startup_timeout, or pass etcd=",
                        None,
                        process.last_lines(),
                    )
        except BaseException:
            process.kill()
            process.wait()
            raise

    def _watch(self) -> None:
        while self._process is not None:
            self._process.wait()
            if self._stopping.is_set():
                return
            _log.warning(
                "etcd %s; it is started again, and the servers continue without leases until then",
                self._process.ending(),
            )
            while not self._stopping.is_set():
                try:
                    self._launch(ETCD_TIMEOUT)
                    break
                except (OSError, StartFailed) as error:
                    _log.warning("etcd was not started again: %s", error)
                    self._stopping.wait(ETCD_RESTART_SECONDS)
            if self._stopping.is_set():
                # `stop` may have looked for the process before it was there.
                self._process.kill()


class _Process:
    """One process of etcd, with its output read."""

    def __init__(self, command: Sequence[str], log: Log) -> None:
        self.ended = threading.Event()
        self._guarded = Guarded(command, Hidden(_environment()), kept_open=())
        self._process = self._guarded.process
        self._waiter = threading.Thread(target=self._wait, name="stepflow-waiter", daemon=True)
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._output = Output(self._process.stdout, log)
            start_thread(self._waiter)
        except BaseException:
            with self._process:
                self.kill()
                self._guarded.wait()
            raise

    def kill(self) -> None:
        self._process.kill()
        self._guarded.kill()

    def wait(self) -> None:
        self._waiter.join()

    def ending(self) -> str:
        return f"{ending(self._process.returncode)}: {self._output.summary()}"

    def last_lines(self) -> list[str]:
        return [str(line) for line in self._output.lines()]

    def _wait(self) -> None:
        self._process.wait()
        self._guarded.kill()
        self._guarded.wait()
        self._output.wait_for_end()
        self.ended.set()


def _is_url(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        # Raises an error for what is not a number below 65536.
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _environment() -> Mapping[str, str]:
    # Variables like ETCD_NAME would undo its options.
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def _problem(url: str, seconds: float) -> str | None:
    """Return why an etcd does not answer; None if it does."""
    health, problem = _ask(url, "GET", "/health", seconds)
    if problem is None and health.get("health") not in ("true", True):
        problem = f"{_shown(url)} does not report that it is healthy"
    return problem


def _remove(url: str, prefix: str) -> str | None:
    """Remove keys with a prefix from an etcd; return why that failed."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    keys = {"key": prefix, "range_end": end}
    body = {name: base64.b64encode(key.encode()).decode() for name, key in keys.items()}
    return _ask(url, "POST", "/v3/kv/deleterange", ETCD_TIMEOUT, body)[1]


def _ask(
    url: str, method: str, path: str, seconds: float, body: Any = None
) -> tuple[dict[str, Any], str | None]:
    """Return the response of an etcd, and why there is none."""
    parts = urlsplit(url)
    cls = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = cls(parts.hostname or "", parts.port or 2379, timeout=seconds)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        answer: Any = json.loads(response.read(10_000))
        if response.status == 200 and isinstance(answer, dict):
            return cast("dict[str, Any]", answer), None
        return {}, f"{_shown(url)} answers {method} {path} with status {response.status}"
    except OSError as error:
        return {}, f"{_shown(url)} does not answer: {error.strerror or error}"
    except (http.client.HTTPException, ValueError):
        return {}, f"{_shown(url)} is not an etcd"
    finally:
        connection.close()


def _shown(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 2379}"
