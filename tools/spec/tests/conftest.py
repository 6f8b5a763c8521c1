"""What the tests of the spec tools share: the real server, and servers with a fault."""

from __future__ import annotations

import os
import stat
import sys
import textwrap
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
