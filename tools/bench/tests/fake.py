"""A contestant that is right, wrong, or gone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator

from tools.bench.worker import Measured, Run, World, run_python, serve


@contextlib.contextmanager
def _right(world: World) -> Generator[Run]:
    def run(count: int) -> object:
        print("this is no reply")
        return lambda: world["value"]

    yield run


@contextlib.contextmanager
def _wrong(world: World) -> Generator[Run]:
    rounds = iter([world["value"], world["value"]])
    yield lambda count: next(rounds, "wrong")


@contextlib.contextmanager
def _gone(world: World) -> Generator[Run]:
    yield lambda count: os._exit(3)


@contextlib.contextmanager
def _raises(world: World) -> Generator[Run]:
    yield lambda count: 1 // 0


@contextlib.contextmanager
def _processes(world: World) -> Generator[Run]:
    code = "import sys; data = bytearray(int(sys.argv[1])); sys.exit(int(sys.argv[2]))"

    def run(count: int) -> Measured:
        return run_python(code, world["arguments"], count)

    yield run


if __name__ == "__main__":
    serve(
        {
            "right": _right,
            "wrong": _wrong,
            "gone": _gone,
            "raises": _raises,
            "processes": _processes,
        },
        packages=["pytest"],
    )
