"""What cases of several contestants do alike.

A case is a context manager that yields a function. It gets a number of operations, does them, and
returns the answer, or a function that returns it and is not measured. An answer that is a dict has
measurements of its own: answer, peak, and wall and cpu where they are not those of the function.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

World = Mapping[str, Any]
Run = Callable[[int], Any]
Case = Callable[[World], AbstractContextManager[Run]]

# The memory that wait4 reports for a process counts in the process that started it.
_PRINT_PEAK = """
import atexit
@atexit.register
def _print_peak():
    with open("/proc/self/status") as status:
        print("\\n" + status.read().partition("VmHWM:")[2].split()[0])
"""

#: What `python -m` does; the module is the first argument.
RUN_MODULE = """
import runpy, sys, warnings
warnings.simplefilter("ignore")  # Generators warn of what the spec has.
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def run_python(code: str, *arguments: str) -> tuple[list[str], int]:
    """Run code in an interpreter of its own; return what it printed, and its peak memory.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "-P", "-c", _PRINT_PEAK + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr + done.stdout).split("\n")
        words = [line for line in lines if line.strip() and not line.isdigit()]
        raise RuntimeError(f"exit code {done.returncode}: {words[-1] if words else 'no output'}")
    *lines, peak = done.stdout.splitlines()
    return lines, int(peak) * 1024


def python(code: str, *arguments: str) -> Case:
    """Make a case of code. It may print, as JSON in its last but one line, what it has measured."""

    @contextlib.contextmanager
    def case(world: World) -> Generator[Run]:
        def run(_: int) -> Any:
            lines, peak = run_python(code, *arguments, json.dumps(world))
            own = json.loads(lines[-2]) if len(lines) > 1 else {"answer": "done"}
            return {"peak": peak, **own}

        yield run

    return case


def starts(launcher: str) -> Case:
    """Make a case of a function of `starts`."""
    return python(f"from tools.bench.contestants import starts; starts.start(starts.{launcher})")


def module(
    name: str,
    arguments: Callable[[World, Path], Sequence[str]],
    made: Callable[[World, Path], bool],
) -> Case:
    """Make a case of `python -m`.

    Args:
        name: The module.
        arguments: Returns its arguments, for a folder that it may write to.
        made: Returns whether what it has written there is complete.
    """

    @contextlib.contextmanager
    def case(world: World) -> Generator[Run]:
        with tempfile.TemporaryDirectory() as folder:
            command = [name, *arguments(world, Path(folder))]

            def run(_: int) -> Any:
                peak = run_python(RUN_MODULE, *command)[1]
                answer = "done" if made(world, Path(folder)) else "incomplete"
                return {"answer": answer, "peak": peak}

            yield run

    return case


def repeated(
    opened: Callable[[World], AbstractContextManager[Callable[[], Any]]],
    answer: Callable[[Any], Any],
) -> Case:
    """Make a case of a function that does one operation.

    Args:
        opened: Yields the function.
        answer: Returns the answer, for the last result.
    """

    @contextlib.contextmanager
    def case(world: World) -> Generator[Run]:
        with opened(world) as call:

            def run(count: int) -> Any:
                found = call()
                for _ in range(count - 1):
                    found = call()
                return lambda: answer(found)

            yield run

    return case


def awaited(
    opened: Callable[[World], AbstractAsyncContextManager[Callable[[], Awaitable[Any]]]],
    answer: Callable[[Any], Any],
) -> Case:
    """Make a case of an async function that does one operation, as `repeated` does."""

    async def calls(_world: World, call: Callable[[], Awaitable[Any]], count: int) -> Any:
        found = await call()
        for _ in range(count - 1):
            found = await call()
        return lambda: answer(found)

    return _in_loop(opened, calls)


def concurrent(
    opened: Callable[[World], AbstractAsyncContextManager[Callable[[Any], Awaitable[Any]]]],
) -> Case:
    """Make a case of many callers at once, whose answer is the number of wrong outputs.

    Args:
        opened: Yields an async function that runs the flow, and returns its output.
    """

    async def calls(world: World, call: Callable[[Any], Awaitable[Any]], count: int) -> int:
        numbers = iter(range(count))
        wrong = 0

        async def caller() -> None:
            nonlocal wrong
            for number in numbers:
                sent = {"n": number}
                wrong += await call(sent) != sent

        async with asyncio.TaskGroup() as group:
            for _ in range(world["callers"]):
                group.create_task(caller())
        return wrong

    return _in_loop(opened, calls)


def _in_loop(
    opened: Callable[[World], AbstractAsyncContextManager[Any]],
    calls: Callable[[World, Any, int], Awaitable[Any]],
) -> Case:
    @contextlib.contextmanager
    def case(world: World) -> Generator[Run]:
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            call = runner.run(stack.enter_async_context(opened(world)))

            async def run(count: int) -> Any:
                return await calls(world, call, count)

            yield lambda count: runner.run(run(count))
            runner.run(stack.aclose())

    return case


def page(world: World) -> bytes:
    """Return the response with all items."""
    return Path(world["items_file"]).read_bytes()


def plain_items(items: Any) -> list[int]:
    """Return the answer for items that are JSON documents: their number and the sum."""
    return [len(items), sum(item["result"]["result"]["n"] for item in items)]
