"""What a benchmark found, and how it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.cases import AGAIN, CASES, MEGABYTE, SDK, Case, Target
from tools.bench.driver import Series
from tools.bench.growth import GROWTH, Grown
from tools.bench.ratios import METRICS, Spread, ratio

METRIC_NAMES = {"cpu": "CPU", "wall": "wall", "rate": "rate", "peak": "memory"}

_STEADY = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """The SDK beside another contestant.

    Attributes:
        target: What is hoped for.
        found: The ratio.
        floor: The ratio of the case's floor to the same; None where there is none, or it is that.
    """

    target: Target
    found: Spread
    floor: Spread | None

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.target.met(self.found.median)

    @property
    def floor_met(self) -> bool | None:
        """Whether the floor itself is within the target; None where that is not known."""
        return None if self.floor is None else self.target.met(self.floor.median)


@dataclass(frozen=True, slots=True)
class Result:
    """What one case found.

    Attributes:
        name: Name of the case.
        series: Rounds by contestant.
        response: Bytes of the answer, where memory is bound by it.
    """

    name: str
    series: Mapping[str, Series]
    response: int = 0

    @property
    def case(self) -> Case:
        """The case."""
        return CASES[self.name]

    @property
    def verdicts(self) -> list[Verdict]:
        """The SDK beside the contestants that it has a target for."""
        return [
            Verdict(target, self.beside(target), self._floor_beside(target))
            for target in self.case.targets
        ]

    @property
    def allowed_memory(self) -> int | None:
        """Bytes that the SDK may take; None where the case does not bind it."""
        over = self.case.over_response
        return None if over is None else self.response + over

    @property
    def met(self) -> bool:
        """Whether all targets are met."""
        allowed = self.allowed_memory
        fits = allowed is None or self.series[SDK].peak <= allowed
        return fits and all(verdict.met for verdict in self.verdicts)

    def beside(self, target: Target) -> Spread:
        """Return the ratio that a target is about."""
        return ratio(self.series[SDK], self.series[target.than], target.metric)

    def _floor_beside(self, target: Target) -> Spread | None:
        floor = self.case.floor
        if floor is None or floor == target.than:
            return None
        return ratio(self.series[floor], self.series[target.than], target.metric)

    def control(self) -> Spread | None:
        """Return the ratio of the SDK to itself; None where memory is all that is measured."""
        if self.case.metric not in METRICS:
            return None
        return ratio(self.series[SDK], self.series[AGAIN], self.case.metric)


def as_json(
    machine: Mapping[str, Any], results: Iterable[Result], grown: Mapping[str, Grown]
) -> dict[str, Any]:
    """Return everything that was found as a JSON document; seconds and bytes."""
    return {
        "machine": dict(machine),
        "cases": {result.name: _case_json(result) for result in results},
        "growth": {
            name: {
                "title": GROWTH[name].title,
                "unit": GROWTH[name].unit,
                "metric": GROWTH[name].metric,
                "seconds": {str(size): _spread(one) for size, one in found.values.items()},
                "exponent": found.exponent,
            }
            for name, found in grown.items()
        },
    }


def _case_json(result: Result) -> dict[str, Any]:
    control = result.control()
    return {
        "title": result.case.title,
        "unit": result.case.unit,
        "metric": result.case.metric,
        "floor": result.case.floor_is,
        "rounds": len(result.series[SDK].rounds),
        "met": result.met,
        "control": control and _spread(control),
        "contestants": {
            name: {
                "label": result.case.label(name),
                **{metric: _spread(_values(one, metric)) for metric in METRICS},
                "peak": one.peak,
                "versions": one.versions,
            }
            for name, one in result.series.items()
        },
        "ratios": [
            {
                "to": verdict.target.than,
                "metric": verdict.target.metric,
                **_spread(verdict.found),
                "target": verdict.target.limit,
                "met": verdict.met,
                "floor": verdict.floor and _spread(verdict.floor),
            }
            for verdict in result.verdicts
        ],
        **(
            {"response": result.response, "allowed_peak": result.allowed_memory}
            if result.response
            else {}
        ),
    }


def _values(series: Series, metric: str) -> Spread:
    return Spread.of([METRICS[metric](one) for one in series.rounds])


def _spread(spread: Spread) -> dict[str, float]:
    return {"median": spread.median, "low": spread.low, "high": spread.high}


def machine_text(machine: Mapping[str, Any]) -> str:
    """Says where and with what it was measured."""
    return (
        f"{machine['cpus']} CPUs ({machine['processor']}), {machine['system']},"
        f" Python {machine['python']}, server {machine['server']}"
    )


def result_text(result: Result) -> Iterator[str]:
    """Return the lines of one case's table."""
    case = result.case
    rounds = len(result.series[SDK].rounds)
    of = f"medians of {rounds} rounds" if rounds > 1 else "one round"
    yield f"{case.title} [{result.name}]: for one {case.unit}, {of}"
    yield f"  {'':<26}{'wall':>10}{'CPU':>10}{'memory':>9}   stepflow / this"
    for name, series in result.series.items():
        yield (
            f"  {case.label(name):<26}{seconds_text(_values(series, 'wall').median):>10}"
            f"{seconds_text(_values(series, 'cpu').median):>10}"
            f"{f'{series.peak / MEGABYTE:.0f} MB':>9}   {_beside(result, name)}"
        ).rstrip()
    allowed = result.allowed_memory
    if allowed is not None:
        peak = result.series[SDK].peak
        yield (
            f"  the answer has {result.response / MEGABYTE:.1f} MB; stepflow takes"
            f" {peak / MEGABYTE:.1f} MB, target {allowed / MEGABYTE:.1f} MB:"
            f" {_word(peak <= allowed)}"
        )
    for verdict in result.verdicts:
        if verdict.floor and not verdict.met:
            yield (
                f"  floor ({case.floor_is}) / {verdict.target.than} {spread_text(verdict.floor)}:"
                f" {'the' if verdict.floor_met else 'not even the'} floor reaches it"
            )
    for name, series in result.series.items():
        if name != AGAIN and series.versions:
            versions = ", ".join(f"{one} {number}" for one, number in series.versions.items())
            yield f"  {name}: {versions}"


def sdk_text(result: Result) -> str:
    """Says what the SDK takes, as the case measures it."""
    ours, metric = result.series[SDK], result.case.metric
    if metric == "rate":
        return f"stepflow {_values(ours, metric).median:,.0f} {result.case.unit}s/s"
    if metric in METRICS:
        return f"stepflow {seconds_text(_values(ours, metric).median)} {METRIC_NAMES[metric]}"
    return f"stepflow {ours.peak / MEGABYTE:.0f} MB"


def is_steady(control: Spread) -> bool:
    """Says whether the ratio of the SDK to itself is near enough to 1."""
    return abs(control.median - 1) <= _STEADY


def _beside(result: Result, name: str) -> str:
    if name == AGAIN:
        control = result.control()
        if control is None:
            return ""
        return (
            f"{result.case.metric} {spread_text(control)}, control"
            f"{'' if is_steady(control) else ': the machine is not steady, run it again'}"
        )
    verdicts = [verdict for verdict in result.verdicts if verdict.target.than == name]
    if not verdicts and name != SDK and result.case.metric in METRICS:
        beside = result.beside(Target(name, result.case.metric, 0))
        return f"{result.case.metric} {spread_text(beside)}"
    return "; ".join(
        f"{verdict.target.metric} {spread_text(verdict.found)}, target"
        f" {'>=' if verdict.target.metric == 'rate' else '<='} {verdict.target.limit:g}:"
        f" {_word(verdict.met)}"
        for verdict in verdicts
    )


def growth_text(name: str, grown: Grown) -> Iterator[str]:
    """Return the lines of one series of sizes."""
    growth = GROWTH[name]
    yield f"{growth.title} [{name}]: {growth.metric}, exponent {grown.exponent:.2f}"
    for size, value in grown.values.items():
        yield f"  {size:>9,} {growth.unit:<16}{seconds_text(value.median):>10}"


def spread_text(spread: Spread) -> str:
    """Return the median with the middle half around it."""
    return f"{spread.median:.3g} ({spread.low:.3g} to {spread.high:.3g})"


def _word(met: bool) -> str:
    return "met" if met else "MISSED"


def seconds_text(seconds: float) -> str:
    """Return seconds in the unit that suits them."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def response_size(world: Mapping[str, Any]) -> int:
    """Return the bytes of the answer that a case is about."""
    return Path(world["items_file"]).stat().st_size
