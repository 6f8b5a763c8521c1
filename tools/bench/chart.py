"""Draws what a benchmark found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.bench.cases import AGAIN, SDK, Target
from tools.bench.ratios import METRICS
from tools.bench.results import Result

_OURS, _OTHERS, _MET, _MISSED = "#1f6feb", "#9aa4b2", "#1a7f37", "#d1242f"
_METRIC_NAMES = {"cpu": "CPU time", "wall": "time", "rate": "time", "peak": "memory"}


def draw(results: Sequence[Result], machine: str, file: Path) -> None:
    """Draws a chart for each case: how many times the SDK's cost each contestant has.

    Args:
        results: At least one.
        machine: Where and with what it was measured.
        file: The PNG to write.
    """
    mpl.rcParams["font.size"] = 8
    columns = 2 if len(results) > 1 else 1
    lines = -(-len(results) // columns)
    figure = Figure(figsize=(5.6 * columns, 1.1 + 1.7 * lines), layout="constrained")
    all_axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes, result in zip(all_axes, results, strict=False):
        _draw_case(axes, result)
    for axes in all_axes[len(results) :]:
        axes.set_axis_off()
    figure.suptitle(
        "What each takes, stepflow = 1. A bar must reach the mark on it: green where it does",
        fontsize=10,
    )
    figure.supxlabel(machine, fontsize=7)
    figure.savefig(file, dpi=150, format="png")


def _draw_case(axes: Axes, result: Result) -> None:
    names = [name for name in result.series if name != AGAIN]
    costs = [_cost(result, name) for name in names]
    shown = [target for target in result.case.targets if target.metric == result.case.metric]
    # A mark that no bar reaches is to be seen as well.
    longest = max(costs + [_needed(target) for target in shown])
    axes.barh(names, costs, color=[_OURS if name == SDK else _OTHERS for name in names])
    for place, (name, cost) in enumerate(zip(names, costs, strict=True)):
        axes.text(cost + longest * 0.015, place, f"{cost:.3g}", va="center")
        for target in shown:
            if target.than == name:
                needed = _needed(target)
                color = _MET if cost >= needed else _MISSED
                axes.plot([needed, needed], [place - 0.45, place + 0.45], color=color, linewidth=2)
    axes.set_xlim(0, longest * 1.15)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{result.case.title}: {_METRIC_NAMES[result.case.metric]}", fontsize=9)


def _needed(target: Target) -> float:
    """How many times what the SDK takes the other is to take at least."""
    return target.limit if target.metric == "rate" else 1 / target.limit


def _cost(result: Result, name: str) -> float:
    """How many times what the SDK takes."""
    if name == SDK:
        return 1.0
    if result.case.metric not in METRICS:
        return result.series[name].peak / result.series[SDK].peak
    beside = result.beside(Target(name, result.case.metric, 0)).median
    return beside if result.case.metric == "rate" else 1 / beside
