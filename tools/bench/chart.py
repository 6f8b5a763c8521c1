"""Draws what a run of the benchmark measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tools.bench.cases import AGAIN, CASES, GROWTH, SDK
from tools.bench.results import METRIC_NAMES, Row, growth, rows, sdk_text, seconds_text

_OURS, _SLOWER, _FASTER, _GREY, _GRID = "#1f6feb", "#9aa4b2", "#cfd6de", "#57606a", "#eaeef2"
_MET, _MISSED = "#1a7f37", "#d1242f"
_WIDTH, _LINE, _HEAD, _GROWTH_HEIGHT = 9.5, 0.26, 1.35, 2.5
_TWO_COLUMNS = 2


def draw(run: Mapping[str, Any], file: Path) -> None:
    """Draw the cases as bars, and below them each series of sizes as a line.

    Args:
        run: The document of a run, with at least one case or series.
        file: The PNG to write.
    """
    mpl.rcParams["font.size"] = 9
    cases = {name: rows(name, found) for name, found in run["cases"].items()}
    grown = run["growth"]
    heights = []
    if cases:
        heights.append(_HEAD + _LINE * sum(len(found) - 1 for found in cases.values()))
    if grown:
        heights.append(_GROWTH_HEIGHT * -(-len(grown) // _TWO_COLUMNS))
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.3), layout="constrained")
    parts = list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat)
    if cases:
        _draw_cases(parts[0], cases)
    if grown:
        _draw_growth(parts[-1], run)
    figure.supxlabel(run["machine"], fontsize=8, color=_GREY)
    figure.savefig(file, dpi=150, format="png")


def _draw_cases(part: SubFigure, cases: Mapping[str, Mapping[str, Row]]) -> None:
    axes = part.subplots()
    axes.set_xscale("log")
    ends = [0.5, 2.0]
    labels: dict[int, str] = {}
    place = 0
    for name, found in cases.items():
        # In a row of its own, above the names.
        axes.text(
            0.005,
            place,
            f"{CASES[name].title}: {sdk_text(name, found)}",
            transform=axes.get_yaxis_transform(),
            va="center",
            weight="bold",
            zorder=4,
            bbox={"color": "white", "pad": 1},
        )
        for who, row in found.items():
            if who not in (SDK, AGAIN):
                place += 1
                labels[place] = CASES[name].label(who)
                ends += _draw_bar(axes, place, row)
        place += 1
    axes.set_xlim(min(ends) / 1.9, max(ends) * 3)
    axes.set_ylim(place - 0.4, -0.6)
    axes.set_yticks(list(labels), list(labels.values()))
    axes.tick_params(axis="y", length=0)
    axes.axvline(1, color=_OURS, linewidth=2, zorder=3)
    axes.grid(axis="x", color=_GRID, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"times what {SDK} takes (logarithmic; thin line: middle half of the rounds)")
    part.suptitle(f"What others take, beside {SDK}")
    mark = {"marker": "|", "markersize": 11, "markeredgewidth": 3, "linewidth": 0}
    axes.legend(
        handles=[
            Line2D([], [], color=_OURS, linewidth=2, label=SDK),
            Patch(color=_SLOWER, label=f"takes more than {SDK}"),
            Patch(color=_FASTER, label="takes less"),
            Line2D([], [], color=_MET, label="target: the bar ends here or right of it", **mark),
            Line2D([], [], color=_MISSED, label="target missed", **mark),
        ],
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        ncols=5,
        frameon=False,
        fontsize=8,
    )


def _draw_bar(axes: Axes, place: float, row: Row) -> list[float]:
    """Draw how many times the SDK's cost a contestant has; return what must be in the picture."""
    low, median, high = row.ratio
    needed = row.limit
    if row.metric != "rate":
        low, median, high = 1 / high, 1 / median, 1 / low
        needed = 1 / row.limit if row.limit else None
    axes.barh(place, median - 1, left=1, height=0.72, color=_SLOWER if median >= 1 else _FASTER)
    axes.plot([low, high], [place, place], color=_GREY, linewidth=1)
    if needed:
        ends = [place - 0.42, place + 0.42]
        axes.plot([needed] * 2, ends, color=_MET if row.met else _MISSED, linewidth=3, zorder=4)
    axes.annotate(
        f"{median:.3g}×" + ("" if row.met else f", target {needed:.3g}×"),
        (max(high, needed or 0, 1), place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color="black" if row.met else _MISSED,
    )
    return [low, high, needed or 1]


def _draw_growth(part: SubFigure, run: Mapping[str, Any]) -> None:
    names = list(run["growth"])
    lines = -(-len(names) // _TWO_COLUMNS)
    all_axes = list(part.subplots(lines, min(len(names), _TWO_COLUMNS), squeeze=False).flat)
    for axes, name in zip(all_axes, names, strict=False):
        series = GROWTH[name]
        values, exponent = growth(name, run)
        sizes, medians = list(values), list(values.values())
        axes.loglog(sizes, medians, color=_OURS, marker="o", markersize=4)
        # Twice as much at twice the size, to compare the slope with.
        proportional = [medians[-1] * size / sizes[-1] for size in sizes]
        axes.loglog(sizes, proportional, color=_GREY, linestyle=":", linewidth=1)
        axes.set_ylim(min(medians) / 2, max(medians) * 2)
        axes.set_title(f"{series.title}: exponent {exponent:.2f}", fontsize=9, weight="bold")
        axes.set_xlabel(series.unit)
        axes.set_ylabel(METRIC_NAMES[series.metric])
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        narrow = max(medians) < 30 * min(medians)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: seconds_text(value)))
        axes.minorticks_off()
        axes.grid(color=_GRID)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in all_axes[len(names) :]:
        axes.set_axis_off()
    part.suptitle(f"How {SDK} grows (logarithmic; dotted: in proportion, exponent 1)")
