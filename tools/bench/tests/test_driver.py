"""Contestants are processes that take turns, and a wrong answer ends everything."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tools.bench.contestants.common import Case, Run, World, module, python, repeated
from tools.bench.driver import BenchError, Contestant, run_case

MEGABYTE = 1_000_000


@contextlib.contextmanager
def _right(world: World) -> Generator[Any]:
    def call() -> Any:
        print("this is no reply")
        return world["value"]

    yield call


def _of(run: Run) -> Case:
    return lambda _: contextlib.nullcontext(run)


_ANSWERS = iter([7, 7])

# The worker imports them from here.
CASES: dict[str, dict[str, Case]] = {
    "fake": {
        "right": repeated(_right, lambda value: value),
        "wrong": _of(lambda _: next(_ANSWERS, "wrong")),
        "gone": _of(lambda _: os._exit(3)),
        "raises": _of(lambda _: 1 // 0),
        "large": python(f"data = bytearray({200 * MEGABYTE})"),
        "small": python("pass"),
        "fails": python("raise ValueError('no value')"),
        "module": module("this", lambda *_: [], lambda *_: True),
    }
}


def contestant(case: str, expected: Any = 7) -> Contestant:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    job = {
        "module": "tools.bench.tests.test_driver",
        "contestant": "fake",
        "case": case,
        "facts": {"value": 7},
        "versions": ["pytest"],
    }
    return Contestant("the fake", environment, job, expected)


def test_every_contestant_has_every_round() -> None:
    with ExitStack() as stack:
        both = [stack.enter_context(contestant("right")) for _ in range(2)]
        run_case(both, rounds=3, seconds=0.0)
        for one in both:
            assert len(one.rounds) == 3
            assert all(round_.wall > 0 and round_.peak > MEGABYTE for round_ in one.rounds)
            assert one.versions == {"pytest": pytest.__version__}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("wrong", 'wrong: the fake answered "wrong" instead of 7'),
        ("gone", "gone: the fake failed: its process exited"),
        ("raises", "raises: the fake failed: ZeroDivisionError"),
        ("unknown", "unknown: the fake failed: KeyError"),
        ("fails", "fails: the fake failed: RuntimeError: exit code 1: ValueError: no value"),
    ],
)
def test_a_contestant_that_fails_ends_the_benchmark(case: str, words: str) -> None:
    with contestant(case) as one, pytest.raises(BenchError) as raised:
        run_case([one], rounds=3, seconds=0.0, count=1)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_programs_are_measured_and_not_who_started_them() -> None:
    peaks = {}
    for case in ("large", "small", "module"):
        with contestant(case, "done") as one:
            run_case([one], rounds=1, seconds=0.0, count=1)
        assert one.rounds[0].cpu > 0
        peaks[case] = one.rounds[0].peak
    assert peaks["large"] > 200 * MEGABYTE
    assert max(peaks["small"], peaks["module"]) < 100 * MEGABYTE


def test_laid_out_packages_can_be_imported_and_no_others(tmp_path: Path) -> None:
    # As Bazel has it: the program's start alone knows where its packages are.
    packages = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
    command = f"{shlex.quote(sys.executable)} -m tools.bench.worker --lay-out {tmp_path}/made"
    subprocess.run(f"PYTHONPATH={shlex.quote(packages)} {command}", shell=True, check=True)
    code = "import pytest, tools.bench.cases as one; print(pytest.__file__, one.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}/made"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert all(file.startswith(f"{tmp_path}/made/") for file in done.stdout.split())
