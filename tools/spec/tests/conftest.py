"""What the tests of the spec tools share: the real server, and servers with a fault."""

from __future__ import annotations

import os
import stat
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.spec.served import served_spec

#: A server that is healthy and answers GET /api/v1/openapi.json with whatever `answer` does.
_ODD_SERVER = """\
#!{python}
import http.server, os, pathlib, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/api/v1/health":
            self.reply(200, b"{{}}")
        else:
            self.answer()

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def answer(self):
{answer}

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print('{{"port":%d}}' % server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="session")
def binary() -> Path:
    """The real server's executable."""
    return Path(os.environ["STEPFLOW_SERVER"]).absolute()


@pytest.fixture(scope="session")
def served(binary: Path) -> str:
    """The spec that the real server serves, in its stored form."""
    return served_spec(binary)


@pytest.fixture
def executable(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an executable file of a script; a script without an interpreter is one for sh."""

    def make(text: str) -> Path:
        path = tmp_path / f"server-{len(list(tmp_path.iterdir()))}"
        text = textwrap.dedent(text)
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}", encoding="utf-8")
        path.chmod(stat.S_IRWXU)
        return path

    return make


@pytest.fixture
def odd_server(executable: Callable[[str], Path]) -> Callable[[str], Path]:
    """Makes a server whose answer to the request for the spec is the given Python code."""

    def make(answer: str) -> Path:
        return executable(
            _ODD_SERVER.format(python=sys.executable, answer=textwrap.indent(answer, " " * 8))
        )

    return make


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "XZ"


def _wait_until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Waits until a condition holds; fails when that takes too long to be true ever."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting until {what}"
        time.sleep(0.01)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object], str], None]:
    """Waits until a condition holds, which is also given in words."""
    return _wait_until


@pytest.fixture
def wait_for_end() -> Callable[[int], None]:
    """Waits until a process is gone."""
    return lambda pid: _wait_until(lambda: not _is_alive(pid), f"process {pid} is gone")


@pytest.fixture
def wait_for_text() -> Callable[[Path], str]:
    """Waits until a file holds a whole line, and returns it."""

    def wait(path: Path) -> str:
        _wait_until(
            lambda: path.exists() and path.read_text(encoding="utf-8").endswith("\n"),
            f"{path.name} is written",
        )
        return path.read_text(encoding="utf-8").strip()

    return wait
