"""From rounds to ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.bench.driver import Round, Series

#: What is compared, of one operation.
METRICS: dict[str, Callable[[Round], float]] = {
    "cpu": lambda round_: round_.cpu,
    "wall": lambda round_: round_.wall,
    "rate": lambda round_: 1 / round_.wall,
}


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the middle half of the values around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Make it of values; one value is its own spread."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


def ratio(ours: Series, theirs: Series, metric: str) -> Spread:
    """Compare rounds that ran one after the other.

    Args:
        ours: What is divided.
        theirs: What by.
        metric: One of `METRICS`.
    """
    measure = METRICS[metric]
    return Spread.of(
        [
            measure(one) / measure(other)
            for one, other in zip(ours.rounds, theirs.rounds, strict=True)
        ]
    )


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the power of the size by which values grow: 1 for twice as much at twice the size.

    Args:
        sizes: Each above 0, at least two that differ.
        values: One for each size.
    """
    x = [math.log(size) for size in sizes]
    y = [math.log(value) for value in values]
    return statistics.linear_regression(x, y).slope
