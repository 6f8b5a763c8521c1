"""The code blocks of the tutorial and the guides run as they stand, on a real server.

- A block with a `:caption:` is a file of that name. A chapter of the tutorial also has the files of
  the chapters before it.
- Other Python is a program of its own. A `text` block after it is what it prints.
- A `console` block has commands after `$ ` and what they print. A server that a command starts runs
  until the page ends.

In outputs, `...` stands for any text.
"""

from __future__ import annotations

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
from pathlib import Path

import pytest

from stepflow_runtime import ALL_BUILTINS, StepflowRuntime
from tools.pytest.support import wait_until

DOCS = Path("docs").absolute()
BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(\w+)\n((?::[\w-]+: [^\n]*\n)*)\n?(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
PORT = "7840"

# On a machine with a network, the runtime warns that others can reach the server.
WARNING = re.compile(r"^the Stepflow server listens on port .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    language: str
    name: str | None
    code: str


def blocks(page: Path) -> list[Block]:
    """Return the code blocks of a page, in order."""
    found: list[Block] = []
    for language, options, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        caption = re.search(r"^:caption: (.+)$", options, re.MULTILINE)
        found.append(Block(language, caption[1] if caption else None, code))
    return found


# Its program needs etcd; test_machines.py has its files.
ELSEWHERE = DOCS / "more-than-one-machine.md"

PAGES = [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if any(block.language in ("console", "python") for block in blocks(page))
    if page != ELSEWHERE
]


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


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty folder, and the commands of the packages on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, code in {
        "python": "-W error",
        "pytest": "-m pytest -p no:cacheprovider -p stepflow_runtime.pytest_plugin",
        "stepflow-client": "-m stepflow_client",
        "stepflow-runtime": "-c 'from stepflow_runtime.cli import main; main()'",
    }.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {code} "$@"\n')
        program.chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        # Plugins of other packages print warnings of their own.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "STEPFLOW_URL": f"http://localhost:{port}",
    }
    return Machine(folder, environment, port)


@contextmanager
def server(machine: Machine, page: list[Block]) -> Iterator[None]:
    """Have the page's server running: the one that it starts itself, or one with all builtins."""
    for block in page:
        for command, _ in commands(block):
            if command.startswith("stepflow-runtime serve"):
                # What the command imports is written before.
                with machine.serving(command.replace(PORT, machine.port)):
                    yield
                return
    with StepflowRuntime.start(ALL_BUILTINS, port=int(machine.port)):
        yield


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
    if not re.fullmatch(pattern, shown, re.DOTALL):
        pytest.fail(f"the page shows\n{expected}\nbut the output is\n{shown}", pytrace=False)


def test_pages_are_found() -> None:
    assert {page.parent.name for page in PAGES} == {"docs", "how-to", "tutorial"}
    assert len(PAGES) > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_blocks_run(page: Path, machine: Machine) -> None:
    earlier = [one for one in PAGES if one.parent == page.parent and one < page]
    if page.parent.name == "tutorial":
        for block in (block for one in earlier for block in blocks(one)):
            write(machine, block)
    page_blocks = blocks(page)
    for block in page_blocks:
        write(machine, block)
    with server(machine, page_blocks):
        printed: str | None = None
        for block in page_blocks:
            if block.language == "text":
                assert printed is not None, f"no program prints\n{block.code}"
                check(printed, block.code)
            printed = None
            if block.language == "python" and block.name is None:
                code = block.code.replace(PORT, machine.port)
                printed = machine.run(["python", "-c", code])
            for command, expected in commands(block):
                if not command.startswith("stepflow-runtime serve"):
                    check(machine.run(command.replace(PORT, machine.port)), expected)


def write(machine: Machine, block: Block) -> None:
    """Write a block that is a file."""
    if block.name is not None:
        path = machine.folder / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code.replace(PORT, machine.port), encoding="utf-8")
