"""The code blocks of pages, and a folder in which commands run as on a reader's machine."""

from __future__ import annotations

import ast
import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tools.pytest.support import wait_until

BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(\w+)\n((?::[\w-]+: [^\n]*\n)*)\n?(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
PORT = "7840"
STEPS = """
from stepflow_runtime import component

@component
def shout(text: str) -> str:
    return text.upper()
"""

# On a machine with a network, the runtime warns that others can reach the server.
WARNING = re.compile(r"^the Stepflow server listens on port .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    language: str
    name: str | None
    code: str


@cache
def blocks(page: Path) -> list[Block]:
    """Return the code blocks of a page, in order."""
    found: list[Block] = []
    for language, options, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        caption = re.search(r"^:caption: (.+)$", options, re.MULTILINE)
        found.append(Block(language, caption[1] if caption else None, code))
    return found


@dataclass(frozen=True)
class Machine:
    """A folder, in which commands run as in a reader's terminal."""

    folder: Path
    environment: dict[str, str]
    port: str

    def run(self, command: list[str] | str) -> str:
        """Run a command, which has to succeed, and return what it prints.

        Args:
            command: Arguments, or a line for the shell.
        """
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            executable="/bin/bash" if isinstance(command, str) else None,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return self._as_on_the_page(done.stdout)

    @contextmanager
    def serving(self, command: str) -> Iterator[None]:
        """Run a command in the background until the block ends."""
        program = subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: self._responds(program), f"`{command}` serves")
            yield
        finally:
            program.terminate()
            program.wait(60)

    def _responds(self, program: subprocess.Popen[bytes]) -> bool:
        assert program.poll() is None, f"the server exited with {program.returncode}"
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/api/v1/health"):
                return True
        except OSError:
            return False

    def _as_on_the_page(self, output: str) -> str:
        return WARNING.sub("", output).replace(self.port, PORT)


def machine_in(folder: Path, *, port: str | None = None) -> Machine:
    """Return a machine with an empty folder, and the commands of the packages on its path.

    Args:
        folder: An empty folder for all of it.
        port: The port of its server; by default, a free one.
    """
    programs = folder / "bin"
    programs.mkdir()
    # Each program sets it: a server passes no variables to its workers.
    imports = shlex.quote(os.pathsep.join(map(os.path.abspath, sys.path)))
    for name, code in {
        "python": "-W error",
        "pytest": "-m pytest -p no:cacheprovider -p stepflow_runtime.pytest_plugin",
        "stepflow-client": "-m stepflow_client",
        "stepflow-runtime": "-c 'from stepflow_runtime.cli import main; main()'",
    }.items():
        program = programs / name
        program.write_text(
            f"#!/bin/sh\nexport PYTHONPATH={imports} PYTHONSAFEPATH=\n"
            f'exec {shlex.quote(sys.executable)} {code} "$@"\n'
        )
        program.chmod(0o755)
    home = folder / "folder"
    home.mkdir()
    port = port or free_port()
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        # Plugins of other packages print warnings of their own.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "STEPFLOW_URL": f"http://localhost:{port}",
    }
    if binary := os.environ.get("STEPFLOW_SERVER_BINARY"):
        # Programs run in another folder.
        environment["STEPFLOW_SERVER_BINARY"] = os.path.abspath(binary)
    return Machine(home, environment, port)


def write_steps(machine: Machine) -> None:
    """Write the module with a component that commands and configs of the pages name."""
    package = machine.folder / "my_package"
    package.mkdir(exist_ok=True)
    (package / "steps.py").write_text(STEPS)


def free_port() -> str:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output below it."""
    if block.language == "console":
        for part in re.split(r"^\$ ", block.code, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def check(output: str, expected: str) -> None:
    """Check an output; `...` of the page stands for any text."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("..."))
    # Terminals do not show spaces at the end of a line.
    shown = re.sub(r" +$", "", output.strip(), flags=re.MULTILINE)
    if not re.fullmatch(pattern, shown, re.DOTALL) and _value(shown) != _value(expected):
        pytest.fail(f"the page shows\n{expected}\nbut the output is\n{shown}", pytrace=False)


def _value(text: str) -> object:
    """Return a printed object as a value: servers from 0.12 on do not keep the order of keys."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text
