"""Contestants are processes that take turns, and a wrong answer ends everything."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import Any

import pytest

from tools.bench.driver import BenchError, Contestant, run_case

MEGABYTE = 1_000_000


def contestant(case: str, expected: Any = 7, **world: Any) -> Contestant:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return Contestant(
        "the fake", "tools.bench.tests.fake", environment, case, {"value": 7, **world}, expected
    )


def test_every_contestant_has_every_round() -> None:
    with ExitStack() as stack:
        both = [stack.enter_context(contestant("right")) for _ in range(2)]
        run_case(both, rounds=3, seconds=0.0)
        for one in both:
            assert len(one.series.rounds) == 3
            assert all(round_.wall > 0 for round_ in one.series.rounds)
            assert one.series.peak > MEGABYTE
            assert one.series.versions == {"pytest": pytest.__version__}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("wrong", 'wrong: the fake answered "wrong" where 7 is right'),
        ("gone", "gone: the fake failed: its process ended"),
        ("raises", "raises: the fake failed: ZeroDivisionError"),
        ("unknown", "unknown: the fake failed: KeyError"),
    ],
)
def test_a_contestant_that_fails_ends_the_benchmark(case: str, words: str) -> None:
    with contestant(case) as one, pytest.raises(BenchError) as raised:
        run_case([one], rounds=3, seconds=0.0, count=1)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_processes_are_measured_and_not_who_started_them() -> None:
    with contestant("processes", "done", arguments=[str(200 * MEGABYTE), "0"]) as one:
        run_case([one], rounds=1, seconds=0.0, count=2)
        assert one.series.peak > 200 * MEGABYTE
        assert one.series.rounds[0].cpu > 0
    with contestant("processes", "done", arguments=["0", "0"]) as one:
        run_case([one], rounds=1, seconds=0.0, count=1)
        assert one.series.peak < 100 * MEGABYTE


def test_a_process_that_fails_ends_the_benchmark() -> None:
    failing = contestant("processes", "done", arguments=["0", "1"])
    with failing as one, pytest.raises(BenchError, match="ended with status"):
        run_case([one], rounds=1, seconds=0.0, count=1)
