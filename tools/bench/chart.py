"""Draws what a benchmark found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tools.bench.bars import Bar, bars
from tools.bench.cases import SDK
from tools.bench.growth import GROWTH, Grown
from tools.bench.results import METRIC_NAMES, Result, sdk_text, seconds_text

_OURS, _SLOWER, _FASTER = "#1f6feb", "#9aa4b2", "#cfd6de"
_MET, _MISSED = "#1a7f37", "#d1242f"
_WIDTH, _LINE, _HEAD, _GROWTH_HEIGHT = 9.5, 0.26, 1.35, 2.5
_TWO_COLUMNS = 2


def draw(results: Sequence[Result], grown: Mapping[str, Grown], machine: str, file: Path) -> None:
    """Draws the cases as bars, and below them each series of sizes as a line.

    Args:
        results: The cases.
        grown: The series, by name; at least one of both.
        machine: Where and with what it was measured.
        file: The PNG to write.
    """
    mpl.rcParams["font.size"] = 9
    groups = [(result, list(bars(result))) for result in results]
    lines = sum(len(group) + 1 for _, group in groups)
    heights = []
    if results:
        heights.append(_HEAD + _LINE * lines)
    if grown:
        heights.append(_GROWTH_HEIGHT * -(-len(grown) // _TWO_COLUMNS))
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.3), layout="constrained")
    parts = list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat)
    if results:
        _draw_cases(parts[0], groups, lines)
    if grown:
        _draw_growth(parts[-1], grown)
    figure.supxlabel(machine, fontsize=8, color="#57606a")
    figure.savefig(file, dpi=150, format="png")


def _draw_cases(part: SubFigure, groups: Sequence[tuple[Result, list[Bar]]], lines: int) -> None:
    axes = part.subplots()
    axes.set_xscale("log")
    places: list[float] = []
    labels: list[str] = []
    place = 0
    for result, group in groups:
        # In a row of its own, above the names.
        axes.text(
            0.005,
            place,
            f"{result.case.title}: {sdk_text(result)}",
            transform=axes.get_yaxis_transform(),
            va="center",
            weight="bold",
            zorder=4,
            bbox={"color": "white", "pad": 1},
        )
        for bar in group:
            place += 1
            _draw_bar(axes, place, bar)
            places.append(place)
            labels.append(bar.label)
        place += 1
    ends = [
        end
        for _, group in groups
        for bar in group
        for end in (bar.cost.low, bar.cost.high, bar.needed or 1)
    ]
    axes.set_xlim(min([*ends, 0.5]) / 1.9, max([*ends, 2]) * 3)
    axes.set_ylim(lines - 0.4, -0.6)
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", length=0)
    axes.axvline(1, color=_OURS, linewidth=2, zorder=3)
    axes.grid(axis="x", color="#eaeef2", zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"times what {SDK} takes (logarithmic; thin line: middle half of the rounds)")
    part.suptitle(f"What others take, beside {SDK}")
    axes.legend(
        handles=[
            Line2D([], [], color=_OURS, linewidth=2, label=SDK),
            Patch(color=_SLOWER, label=f"takes more than {SDK}"),
            Patch(color=_FASTER, label="takes less"),
            _mark(_MET, "target: the bar ends here or right of it"),
            _mark(_MISSED, "target missed"),
        ],
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        ncols=5,
        frameon=False,
        fontsize=8,
    )


def _mark(color: str, label: str) -> Line2D:
    return Line2D(
        [], [], color=color, marker="|", markersize=11, markeredgewidth=3, linewidth=0, label=label
    )


def _draw_bar(axes: Axes, place: float, bar: Bar) -> None:
    cost = bar.cost
    color = _SLOWER if cost.median >= 1 else _FASTER
    axes.barh(place, cost.median - 1, left=1, height=0.72, color=color)
    axes.plot([cost.low, cost.high], [place, place], color="#57606a", linewidth=1)
    if bar.needed is not None:
        color = _MET if bar.met else _MISSED
        axes.plot(
            [bar.needed] * 2, [place - 0.42, place + 0.42], color=color, linewidth=3, zorder=4
        )
    text = f"{cost.median:.3g}×" + ("" if bar.met else f", target {bar.needed:.3g}×")
    end = max(cost.high, bar.needed or 0, 1)
    axes.annotate(
        text,
        (end, place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color="black" if bar.met else _MISSED,
    )


def _draw_growth(part: SubFigure, grown: Mapping[str, Grown]) -> None:
    lines = -(-len(grown) // _TWO_COLUMNS)
    all_axes = list(part.subplots(lines, min(len(grown), _TWO_COLUMNS), squeeze=False).flat)
    for axes, (name, found) in zip(all_axes, grown.items(), strict=False):
        growth = GROWTH[name]
        sizes = list(found.values)
        medians = [found.values[size].median for size in sizes]
        axes.loglog(sizes, medians, color=_OURS, marker="o", markersize=4)
        # Twice as much at twice the size, to compare the slope with.
        proportional = [medians[-1] * size / sizes[-1] for size in sizes]
        axes.loglog(sizes, proportional, color="#57606a", linestyle=":", linewidth=1)
        axes.set_ylim(min(medians) / 2, max(medians) * 2)
        axes.set_title(f"{growth.title}: exponent {found.exponent:.2f}", fontsize=9, weight="bold")
        axes.set_xlabel(growth.unit)
        axes.set_ylabel(METRIC_NAMES[growth.metric])
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if _is_narrow(medians) else (1,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: seconds_text(value)))
        axes.minorticks_off()
        axes.grid(color="#eaeef2")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in all_axes[len(grown) :]:
        axes.set_axis_off()
    part.suptitle(f"How {SDK} grows (logarithmic; dotted: in proportion, exponent 1)")


def _is_narrow(values: Sequence[float]) -> bool:
    return max(values) < 30 * min(values)
