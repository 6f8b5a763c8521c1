"""What a run of the benchmark measured, as ratios and tables.

A run is a JSON document of rounds, each wall and CPU seconds of an operation and bytes of memory:

    {"machine": "2 CPUs ...",
     "cases": {case: {"rounds": {contestant: [[wall, cpu, peak], ...]},
                      "versions": {contestant: {package: version}},
                      "allowed": bytes or null}},
     "growth": {series: {size: [[wall, cpu, peak], ...]}}}
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tools.bench.cases import AGAIN, ALLOWED, CASES, GROWTH, MEGABYTE, SDK
from tools.bench.driver import Round

Document = Mapping[str, Any]

METRIC_NAMES = {"cpu": "CPU", "wall": "wall", "rate": "rate", "peak": "memory"}

#: How far the ratio of the SDK to itself may be from 1.
_STEADY = 0.1

_NOTHING = "–"


class Spread(NamedTuple):
    """The quartiles of some values."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return them; one value is all of its own."""
        several = values if len(values) > 1 else [*values, *values]
        return cls(*statistics.quantiles(several, n=4, method="inclusive"))

    def __str__(self) -> str:
        """Return the median with the middle half around it."""
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def ratio(ours: Sequence[Round], theirs: Sequence[Round], metric: str) -> Spread:
    """Compare rounds that ran one after the other."""
    pairs = zip(ours, theirs, strict=True)
    return Spread.of([getattr(one, metric) / getattr(other, metric) for one, other in pairs])


@dataclass(frozen=True, slots=True)
class Row:
    """A contestant of a case, and the SDK beside it.

    Attributes:
        metric: What the ratio compares.
        rounds: The contestant's.
        ratio: The SDK to it.
        limit: The target: the highest ratio, for rates the lowest.
        floor: The median ratio of the floor to it; None for the floor itself.
    """

    metric: str
    rounds: Sequence[Round]
    ratio: Spread
    limit: float | None = None
    floor: float | None = None

    def reaches(self, value: float) -> bool:
        """Return whether a ratio meets the target, or there is none."""
        if self.limit is None:
            return True
        return value >= self.limit if self.metric == "rate" else value <= self.limit

    @property
    def met(self) -> bool:
        """Whether the SDK meets the target, or there is none."""
        return self.reaches(self.ratio.median)


def rows(name: str, found: Document) -> dict[str, Row]:
    """Return the rows of a case by contestant, for its part of a run's document."""
    case = CASES[name]
    rounds = {who: [Round(*one) for one in each] for who, each in found["rounds"].items()}
    ours, floor = rounds[SDK], rounds.get(case.floor)
    result: dict[str, Row] = {}
    for who, theirs in rounds.items():
        beside = None
        if floor and who not in (SDK, AGAIN, case.floor):
            beside = ratio(floor, theirs, case.metric).median
        between = ratio(ours, theirs, case.metric)
        result[who] = Row(case.metric, theirs, between, case.others.get(who), beside)
    if found["allowed"]:
        allowed = [Round(0, 0, found["allowed"])] * len(ours)
        result[ALLOWED] = Row("peak", allowed, ratio(ours, allowed, "peak"), 1)
    return result


def all_met(run: Document) -> bool:
    """Return whether a run meets all targets."""
    return all(
        row.met for name, found in run["cases"].items() for row in rows(name, found).values()
    )


def report(runs: Sequence[Document]) -> Iterator[str]:
    """Return the lines of a Markdown report of some runs, each of which may lack cases."""
    for number, run in enumerate(runs, 1):
        yield f"- Run {number}: {run['machine']}"
    for name in CASES:
        yield from case_report(name, runs)
    yield from growth_report(runs)
    yield ""
    yield from versions(runs)


def case_report(name: str, runs: Sequence[Document]) -> Iterator[str]:
    """Return the lines of a case; nothing where no run has it."""
    case = CASES[name]
    found = [rows(name, run["cases"][name]) if name in run["cases"] else {} for run in runs]
    last = next((one for one in reversed(found) if one), found[0])
    table = [["", "wall", "CPU", "memory", *_ratios(runs), "target", "met", "floor / this"]]
    for who, row in last.items():
        each = [one.get(who) for one in found]
        present = [one for one in each if one]
        sign = "≥" if row.metric == "rate" else "≤"
        figures = ["", ""] if who == ALLOWED else [_seconds(row, "wall"), _seconds(row, "cpu")]
        compared = [str(one.ratio) if one else _NOTHING for one in each]
        table.append(
            [
                case.label(who),
                *figures,
                f"{max(one.peak for one in row.rounds) / MEGABYTE:.1f} MB",
                *(compared if who != SDK else [""] * len(runs)),
                f"{METRIC_NAMES[row.metric]} {sign} {row.limit:g}" if row.limit else "",
                _met(who, present),
                _floor(present),
            ]
        )
    if last:
        rounds = f"{len(last[SDK].rounds)} round{'s' * (len(last[SDK].rounds) > 1)}"
        measure = METRIC_NAMES[case.metric]
        yield from ("", f"### {case.title}", "")
        yield from (f"One {case.unit} (`{name}`), medians of {rounds}, ratios of {measure}:", "")
        yield from _table(table)


def _ratios(runs: Sequence[Document]) -> list[str]:
    if len(runs) == 1:
        return ["stepflow / this"]
    return [f"stepflow / this, run {number}" for number in range(1, len(runs) + 1)]


def _met(who: str, found: Sequence[Row]) -> str:
    if who == AGAIN:
        steady = all(abs(row.ratio.median - 1) <= _STEADY for row in found)
        return "control" if steady else "**the machine is not steady**"
    if found[0].limit is None:
        return ""
    met = sum(row.met for row in found)
    return {len(found): "yes", 0: "**no**"}.get(met, f"**in {met} of {len(found)}**")


def _floor(found: Sequence[Row]) -> str:
    floors = [row.floor for row in found if row.floor is not None]
    if not floors or all(row.met for row in found):
        return ""
    median = statistics.median(floors)
    return f"{median:.3g}" + ("" if found[0].reaches(median) else ", misses it as well")


def growth(name: str, run: Document) -> tuple[dict[int, float], float]:
    """Return the seconds for each size of a series, and the power of the size they grow with.

    The power leaves out the smallest sizes, where what does not grow hides what does.
    """
    metric = GROWTH[name].metric
    values = {
        int(size): statistics.median(getattr(Round(*one), metric) for one in rounds)
        for size, rounds in run["growth"][name].items()
    }
    return values, exponent(list(values.items())[len(values) // 2 - 1 :])


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """Return the power of x that y grows with: 1 for twice as much at twice the size."""
    x, y = zip(*((math.log(x), math.log(y)) for x, y in points), strict=True)
    return statistics.linear_regression(x, y).slope


def growth_report(runs: Sequence[Document]) -> Iterator[str]:
    """Return the lines of all series of sizes; nothing where no run has one."""
    exponents = ["exponent"] if len(runs) == 1 else [f"run {n + 1}" for n in range(len(runs))]
    table = [["series", "measure", "size", *exponents, "times"]]
    for name, series in GROWTH.items():
        each = [growth(name, run) if name in run["growth"] else None for run in runs]
        last = next((one for one in reversed(each) if one), None)
        if last:
            table.append(
                [
                    *(series.title, METRIC_NAMES[series.metric], series.unit),
                    *(f"{one[1]:.2f}" if one else _NOTHING for one in each),
                    ", ".join(
                        f"{size:,}: {seconds_text(value)}" for size, value in last[0].items()
                    ),
                ]
            )
    if len(table) > 1:
        yield from ("", "### Growth", "")
        yield "The exponent is the power of the size that stepflow's time grows with."
        yield ""
        yield from _table(table)


def versions(runs: Sequence[Document]) -> Iterator[str]:
    """Return a line for each contestant with the versions of its packages."""
    found: dict[str, set[str]] = {}
    for run in runs:
        for case in run["cases"].values():
            for who, packages in case["versions"].items():
                found.setdefault(who, set()).update(f"{n} {is_}" for n, is_ in packages.items())
    for who, packages in found.items():
        if packages:
            yield f"- {who}: {', '.join(sorted(packages))}"


def _table(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [*table[:1], ["-" * width for width in widths], *table[1:]]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"| {' | '.join(cells)} |"


def _seconds(row: Row, metric: str) -> str:
    return seconds_text(statistics.median(getattr(one, metric) for one in row.rounds))


def seconds_text(seconds: float) -> str:
    """Return seconds in the unit that suits them."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def sdk_text(name: str, found: Mapping[str, Row]) -> str:
    """Return what the SDK takes in a case, as the case measures it."""
    row, case = found[SDK], CASES[name]
    if case.metric in ("wall", "cpu"):
        return f"{SDK} {_seconds(row, case.metric)} {METRIC_NAMES[case.metric]}"
    median = statistics.median(getattr(one, case.metric) for one in row.rounds)
    if case.metric == "rate":
        return f"{SDK} {median:,.0f} {case.unit}s/s"
    return f"{SDK} {median / MEGABYTE:.0f} MB"
