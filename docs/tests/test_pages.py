"""The code blocks of the tutorial and the guides run as they stand, on a real server.

- A block with a `:caption:` is a file of that name. A chapter of the tutorial also has the files of
  the chapters before it.
- Other Python is a program of its own. A `text` block after it is what it prints.
- A `console` block has commands after `$ ` and what they print. A server that a command starts runs
  until the page ends.

In outputs, `...` stands for any text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docs.tests.pages import PORT, Block, Machine, blocks, check, commands, machine_in
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime

DOCS = Path("docs").absolute()

# Its program needs etcd; test_machines.py has its files.
ELSEWHERE = DOCS / "more-than-one-machine.md"

PAGES = [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if any(block.language in ("console", "python") for block in blocks(page))
    if page != ELSEWHERE
]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return machine_in(tmp_path)


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
