"""Writes what runs of the benchmark found into a Markdown file.

    tools/bazel run //tools/bench -- --json > 1.json            a run, and as many more as you like
    tools/bazel run //tools/bench:report -- 1.json 2.json       writes tools/bench/RESULTS.md

Only what is between the two marks of the file is written anew: the rest is written by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.bench.cases import AGAIN, MEGABYTE, SDK
from tools.bench.ratios import Spread
from tools.bench.results import METRIC_NAMES, is_steady, machine_text, seconds_text, spread_text
from tools.json_types import is_json_object

BEGIN = "<!-- Written by tools/bazel run //tools/bench:report, from here -->"
END = "<!-- to here -->"

_FILE = "tools/bench/RESULTS.md"
_NEW = f"# What the benchmark found\n\n{BEGIN}\n{END}\n"
_NOTHING = "–"

Run = Mapping[str, Any]


def report(runs: Sequence[Run]) -> str:
    """Return the tables of some runs as Markdown.

    Args:
        runs: What `--json` printed, each; a run may lack cases.
    """
    return "\n".join(
        [
            *_machines(runs),
            "",
            "## Targets",
            "",
            "A ratio is stepflow's figure divided by the other's: the median of all rounds, and the"
            " middle half of them. Where a target is missed, the last column has the ratio of the"
            " floor: what does nothing but what nobody can do without.",
            "",
            *_targets(runs),
            "",
            "## Control",
            "",
            "The ratio of stepflow to itself in a second process, which would be 1 if measuring"
            " added nothing.",
            "",
            *_table(
                ["case", *_numbers(runs)],
                [
                    [_one(runs, "cases", name)["title"], *_cells(runs, _control, name)]
                    for name in _names(runs, "cases")
                    if _one(runs, "cases", name)["control"]
                ],
            ),
            "",
            "## Growth",
            "",
            "The power of the size that stepflow's time grows with: 1 is in proportion.",
            "",
            *_growth(runs),
            "",
            "## Figures of the last run",
            "",
            *_figures(runs),
            "",
            *_versions(runs),
        ]
    )


def insert(text: str, tables: str) -> str:
    """Put tables between the marks of a Markdown file, and leave the rest as it is.

    Args:
        text: The file.
        tables: What `report` gave.

    Raises:
        ValueError: The marks are not there, each once and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise ValueError(
            f"the file to write has no place for the tables: put {BEGIN!r} and {END!r} into it,"
            " each once"
        )
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def _machines(runs: Sequence[Run]) -> Iterator[str]:
    for number, run in enumerate(runs, 1):
        rounds = sorted({case["rounds"] for case in run["cases"].values()})
        counted = " to ".join(map(str, sorted({rounds[0], rounds[-1]}))) if rounds else "no"
        yield f"- Run {number}: {machine_text(run['machine'])}; {counted} rounds"


def _targets(runs: Sequence[Run]) -> Iterator[str]:
    rows: list[list[str]] = []
    for name in _names(runs, "cases"):
        case = _one(runs, "cases", name)
        for found in case["ratios"]:
            key = (found["to"], found["metric"])
            each = [_ratio(run, name, *key) for run in runs]
            sign = "≥" if found["metric"] == "rate" else "≤"
            rows.append(
                [
                    case["title"],
                    METRIC_NAMES[found["metric"]],
                    case["contestants"][found["to"]]["label"],
                    f"{sign} {found['target']:g}",
                    *(spread_text(Spread(**_spread(one))) if one else _NOTHING for one in each),
                    _met([one["met"] for one in each if one]),
                    _floor([one for one in each if one]),
                ]
            )
        if "allowed_peak" in case:
            taken = [run["cases"].get(name) for run in runs]
            rows.append(
                [
                    case["title"],
                    METRIC_NAMES["peak"],
                    "what is allowed",
                    f"≤ {_megabytes(case['allowed_peak'])}",
                    *(
                        _megabytes(one["contestants"][SDK]["peak"]) if one else _NOTHING
                        for one in taken
                    ),
                    _met([one["met"] for one in taken if one]),
                    "",
                ]
            )
    header = ["case", "measure", "stepflow beside", "target", *_numbers(runs), "met"]
    yield from _table([*header, "where missed: floor beside the same"], rows)


def _ratio(run: Run, name: str, to: str, metric: str) -> Mapping[str, Any] | None:
    ratios = run["cases"].get(name, {"ratios": []})["ratios"]
    return next((one for one in ratios if (one["to"], one["metric"]) == (to, metric)), None)


def _met(verdicts: Sequence[bool]) -> str:
    if all(verdicts):
        return "yes"
    return f"**in {sum(verdicts)} of {len(verdicts)}**" if any(verdicts) else "**no**"


def _floor(found: Sequence[Mapping[str, Any]]) -> str:
    floors = [one["floor"]["median"] for one in found if one["floor"]]
    if not floors or all(one["met"] for one in found):
        return ""
    median = statistics.median(floors)
    limit, metric = found[0]["target"], found[0]["metric"]
    reached = median >= limit if metric == "rate" else median <= limit
    return f"{median:.3g}" if reached else f"{median:.3g}: out of reach for the floor as well"


def _control(case: Mapping[str, Any]) -> str:
    control = Spread(**case["control"])
    return spread_text(control) + ("" if is_steady(control) else ": **not steady**")


def _growth(runs: Sequence[Run]) -> Iterator[str]:
    rows: list[list[str]] = []
    for name in _names(runs, "growth"):
        last = _one(runs, "growth", name)
        sizes = list(last["seconds"])
        ends = (
            f"{int(size):,}: {seconds_text(last['seconds'][size]['median'])}"
            for size in (sizes[0], sizes[-1])
        )
        exponents = (run["growth"].get(name) for run in runs)
        rows.append(
            [
                last["title"],
                METRIC_NAMES[last["metric"]],
                last["unit"],
                *(f"{one['exponent']:.2f}" if one else _NOTHING for one in exponents),
                *ends,
            ]
        )
    header = ["series", "measure", "size", *_numbers(runs), "at the smallest", "at the largest"]
    yield from _table(header, rows)


def _figures(runs: Sequence[Run]) -> Iterator[str]:
    rows = [
        [
            f"{case['title']}, one {case['unit']}",
            one["label"],
            seconds_text(one["wall"]["median"]),
            seconds_text(one["cpu"]["median"]),
            _megabytes(one["peak"]),
        ]
        for case in (_one(runs, "cases", name) for name in _names(runs, "cases"))
        for name, one in case["contestants"].items()
        if name != AGAIN
    ]
    yield from _table(["case", "contestant", "wall", "CPU", "peak memory"], rows)


def _versions(runs: Sequence[Run]) -> Iterator[str]:
    versions: dict[str, set[str]] = {}
    for run in runs:
        for case in run["cases"].values():
            for name, one in case["contestants"].items():
                if name != AGAIN:
                    packages = (f"{package} {is_}" for package, is_ in one["versions"].items())
                    versions.setdefault(name, set()).update(packages)
    for name, found in versions.items():
        yield f"- {name}: {', '.join(sorted(found))}"


def _names(runs: Sequence[Run], kind: str) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run[kind]))


def _one(runs: Sequence[Run], kind: str, name: str) -> Mapping[str, Any]:
    """Return a case or a series from the last run that measured it."""
    found: Mapping[str, Any] = next(run[kind][name] for run in reversed(runs) if name in run[kind])
    return found


def _cells(
    runs: Sequence[Run], cell: Callable[[Mapping[str, Any]], str], name: str
) -> Iterator[str]:
    for run in runs:
        yield cell(run["cases"][name]) if name in run["cases"] else _NOTHING


def _numbers(runs: Sequence[Run]) -> list[str]:
    return [f"run {number}" for number in range(1, len(runs) + 1)]


def _spread(document: Mapping[str, Any]) -> dict[str, float]:
    return {name: document[name] for name in ("median", "low", "high")}


def _megabytes(size: float) -> str:
    return f"{size / MEGABYTE:.1f} MB"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(row)} |"


def _read(file: Path) -> Run:
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        run = None
    if not is_json_object(run) or not {"machine", "cases", "growth"} <= run.keys():
        raise ValueError(f"{file} is not what //tools/bench prints with --json; run it again")
    return run


def main(arguments: Sequence[str]) -> int:
    """Write the file.

    Args:
        arguments: The command line.

    Returns:
        0, or 2 where a file cannot be used.
    """
    parser = argparse.ArgumentParser(prog="report", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN.json", help="what --json printed")
    parser.add_argument("--to", metavar="FILE.md", help=f"what to write; by default {_FILE}")
    options = parser.parse_args(arguments)
    # Bazel runs this in a folder of its own.
    here = Path(os.environ.get("BUILD_WORKING_DIRECTORY", ""))
    file = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ""), _FILE)
    if options.to:
        file = here / options.to
    try:
        runs = [_read(here / name) for name in options.runs]
        text = file.read_text(encoding="utf-8") if file.exists() else _NEW
        file.write_text(insert(text, report(runs)), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    print(f"wrote {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
