"""What the chart shows: how many times the SDK's cost each contestant has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.bench.cases import AGAIN, MEGABYTE, SDK, Target
from tools.bench.ratios import METRICS, Spread
from tools.bench.results import Result


@dataclass(frozen=True, slots=True)
class Bar:
    """One contestant beside the SDK.

    Attributes:
        label: Who it is.
        cost: How many times what the SDK takes; above 1 the SDK is better.
        needed: What the cost is to be at least; None where nothing is asked for.
    """

    label: str
    cost: Spread
    needed: float | None = None

    @property
    def met(self) -> bool:
        """Whether the cost is what it is to be."""
        return self.needed is None or self.cost.median >= self.needed


def bars(result: Result) -> Iterator[Bar]:
    """Return the bars of a case: each contestant but the SDK, and the memory allowed."""
    case = result.case
    needed = {
        target.than: target.limit if target.metric == "rate" else 1 / target.limit
        for target in case.targets
        if target.metric == case.metric
    }
    ours = result.series[SDK]
    for name, series in result.series.items():
        if name in (SDK, AGAIN):
            continue
        if case.metric in METRICS:
            beside = result.beside(Target(name, case.metric, 0))
            cost = beside if case.metric == "rate" else _inverse(beside)
        else:
            cost = Spread.of([series.peak / ours.peak])
        yield Bar(case.label(name), cost, needed.get(name))
    allowed, over = result.allowed_memory, case.over_response
    if allowed is not None and over is not None:
        label = f"allowed: answer + {over / MEGABYTE:.0f} MB"
        yield Bar(label, Spread.of([allowed / ours.peak]), 1)


def _inverse(spread: Spread) -> Spread:
    return Spread(1 / spread.median, 1 / spread.high, 1 / spread.low)
