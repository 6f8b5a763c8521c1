"""Run the command in a test's process, with pipes or on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from client.tests.support import READ_FILE
from stepflow_client import cli
from tools.spec.server import StepflowServer

# What rich itself writes: bold headers.
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Screen:
    """Run the command with a terminal as its standard output, or as another stream.

    Attributes:
        styled: What the terminal received last, with styles.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stream: str = "stdout") -> None:
        self._monkeypatch = monkeypatch
        self._stream = stream
        self.styled = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Return the text that the terminal receives, without styles."""
        ours, theirs = pty.openpty()
        received: list[bytes] = []

        def read() -> None:
            try:
                while more := os.read(ours, 65536):
                    received.append(more)
            except OSError:
                # The other end is closed.
                pass

        reader = threading.Thread(target=read)
        reader.start()
        with self._monkeypatch.context() as patch, open(theirs, "w", encoding="utf-8") as screen:
            patch.setattr(sys, self._stream, screen)
            ended = cli.run(list(arguments))
        reader.join()
        os.close(ours)
        assert ended == code
        self.styled = b"".join(received).decode().replace("\r\n", "\n")
        return _STYLE.sub("", self.styled)


class Command:
    """Run the command in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Return what it prints; standard error if another exit code is expected."""
        ended = cli.run(list(arguments))
        sys.stdout.flush()
        out, err = self.capfd.readouterr()
        assert ended == code, err
        if code == 0:
            return out
        assert "Traceback" not in err
        return err

    def json(self, *arguments: str) -> Any:
        """Return the JSON document that it prints."""
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def command(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """The command, with the real server as its default."""
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    return Command(capfd)


@pytest.fixture
def read_file(tmp_path: Path) -> str:
    """The path of a flow that reads the file that its input names."""
    path = tmp_path / "read.json"
    path.write_text(json.dumps(READ_FILE), encoding="utf-8")
    return str(path)
