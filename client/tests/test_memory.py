"""What many results cost in memory."""

from __future__ import annotations

from pathlib import Path

from tools.bench.batch_memory import measure


def test_100_000_results_take_little_more_than_the_answer(binary: str) -> None:
    measured = measure(Path(binary).absolute(), items=100_000)
    assert measured["response"] > 10_000_000
    assert measured["peak"] <= measured["allowed"]
