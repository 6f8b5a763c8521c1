"""What several contestants do alike."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from tools.bench.worker import Case, Measured, Run, World, run_python


def imports(code: str) -> Case:
    """Make a case that runs code in an interpreter of its own each time.

    Args:
        code: Imports, and uses what it has imported.
    """

    @contextlib.contextmanager
    def case(world: World) -> Generator[Run]:
        yield lambda count: run_python(code, [], count)

    return case


def run_module(module: str, arguments: Sequence[str], count: int) -> Measured:
    """Do what `python -m` does, so many times, one after the other."""
    # Generators warn of what the spec has.
    code = "import warnings; warnings.simplefilter('ignore')\n"
    code += f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return run_python(code, arguments, count)


def starts(name: str) -> Case:
    """Make a case that starts a server, each time in a program of its own.

    Args:
        name: One of `starts.STARTS`.
    """

    @contextlib.contextmanager
    def case(world: World) -> Generator[Run]:
        program = [sys.executable, "-P", "-m", "tools.bench.contestants.starts"]
        command = [*program, name, json.dumps(world)]

        def run(count: int) -> Measured:
            all_taken = [_taken(command) for _ in range(count)]
            wall, cpu = (sum(taken[what] for taken in all_taken) for what in ("wall", "cpu"))
            peak = max(taken["peak"] for taken in all_taken)
            answers = [taken["answer"] for taken in all_taken]
            return Measured(answers, wall, cpu, peak)

        yield run

    return case


def _taken(command: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def items_answer(items: Any, number: Callable[[Any], int]) -> Callable[[], list[int]]:
    """Return what shows that all items are there: how many, and the sum of their outputs.

    Args:
        items: The items.
        number: Returns an item's output.
    """
    return lambda: [len(items), sum(map(number, items))]


def plain_number(item: Any) -> int:
    """Return the output of an item that is a JSON document."""
    number: int = item["result"]["result"]["n"]
    return number


async def at_once(
    callers: int, count: int, call: Callable[[Any], Awaitable[Any]]
) -> dict[str, int]:
    """Make calls, so many at once, each with another input.

    Args:
        callers: How many tasks make calls.
        count: How many calls they make together.
        call: Runs a flow that returns its input, and returns its output.

    Returns:
        How many outputs were wrong.
    """
    numbers = iter(range(count))
    wrong = 0

    async def caller() -> None:
        nonlocal wrong
        for number in numbers:
            sent = {"n": number}
            wrong += await call(sent) != sent

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return {"wrong": wrong}


def page(world: World) -> bytes:
    """Return the answer with all items."""
    return Path(world["items_file"]).read_bytes()


def run_body(world: World, value: Any) -> bytes:
    """Return the body of a request that runs the flow and wait for it."""
    document = {"flowId": world["flow_id"], "input": [value], "wait": True}
    return json.dumps(document).encode()


def output_of(run: Any) -> Any:
    """Return the output of a run that is a JSON document."""
    return run["results"][0]["result"]["result"]


def summary_of(run: Any) -> list[Any]:
    """Return of a run that is a JSON document what shows that it is the right one."""
    return [run["runId"], run["status"], run["items"]["completed"]]
