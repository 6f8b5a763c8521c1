"""The code blocks of the tutorial and the guides run as they stand, on a real server.

- A block with a `:caption:` is a file of that name, and so is a file that the page includes. A
  chapter of the tutorial also has the files of the chapters before it.
- Other Python is a program of its own. A `text` block after it is what it prints.
- A `console` block has commands after `$ ` and what they print. A server that a command starts runs
  until the page ends; pages without one share a server.

In outputs, `...` stands for any text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from docs.tests.pages import PORT, Block, Machine, blocks, check, commands, machine_in, write_steps
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime

DOCS = Path("docs").absolute()

PAGES = [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if any(block.language in ("console", "python") for block in blocks(page))
]

#: Pages that start several servers on one store, which need etcd and a server of version 0.13.
CLUSTERS = ("6-a-cluster.md", "more-than-one-machine.md")


@pytest.fixture(scope="module")
def port_in_use() -> Iterator[str]:
    """The port of a server with all builtin components."""
    with StepflowRuntime.start(ALL_BUILTINS) as runtime:
        yield str(runtime.port)


def test_pages_are_found() -> None:
    assert {page.parent.name for page in PAGES} == {"docs", "how-to", "tutorial"}
    assert len(PAGES) > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_blocks_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if page.name in CLUSTERS and "STEPFLOW_SERVER_BINARY" not in os.environ:
        pytest.skip("a cluster needs a newer server than the installed one")
    page_blocks = blocks(page)
    serve = next(
        (
            command
            for block in page_blocks
            for command, _ in commands(block)
            if command.startswith("stepflow-runtime serve")
        ),
        None,
    )
    port = None if serve else request.getfixturevalue("port_in_use")
    machine = machine_in(tmp_path, port=port)
    write_files(machine, page)
    with machine.serving(serve.replace(PORT, machine.port)) if serve else nullcontext():
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
                if command != serve:
                    check(machine.run(command.replace(PORT, machine.port)), expected)


def write_files(machine: Machine, page: Path) -> None:
    """Write the files of a page, and those of the chapters before it."""
    is_chapter = page.parent.name == "tutorial"
    earlier = [one for one in PAGES if is_chapter and one.parent == page.parent and one < page]
    for block in (block for one in [*earlier, page] for block in blocks(one)):
        write(machine, block)
    for file in re.findall(r"\{literalinclude\} (\S+)", page.read_text(encoding="utf-8")):
        path = page.parent / file
        (machine.folder / path.name).write_bytes(path.read_bytes())
        # Configs of servers start workers with them.
        write_steps(machine)


def write(machine: Machine, block: Block) -> None:
    """Write a block that is a file."""
    if block.name is not None:
        path = machine.folder / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code.replace(PORT, machine.port), encoding="utf-8")
