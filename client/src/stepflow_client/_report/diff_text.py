"""Differences of two runs as text."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepflow_api.errors import one_line, printable
from stepflow_client._report.words import counted, duration, item_counts

if TYPE_CHECKING:
    from stepflow_api.models import RunSummary
    from stepflow_client.difference import Difference, RunDiff

#: Unchanged lines around a change, and the maximum number of lines of one difference.
CONTEXT = 2
LINES = 60


def diff_text(diff: RunDiff, items: int) -> Iterator[str]:
    """Yield the lines of the differences of two runs, for at most `items` items."""
    yield f"- {_headline(diff.first)}"
    yield f"+ {_headline(diff.second)}"
    differing = list(dict.fromkeys(one.item for one in diff.differences if one.item is not None))
    shown = set(differing[:items])
    for one in diff.differences:
        if one.item is None or one.item in shown:
            yield ""
            yield _title(one, diff)
            yield from _lines(one)
    yield ""
    if len(differing) > len(shown):
        yield f"{counted(len(differing) - len(shown), 'item')} that differ too left out"
    yield from (f"not compared: {one}" for one in diff.not_compared)
    if diff.is_equal:
        yield "no difference"
    else:
        yield counted(len(diff.differences), "difference")


def _headline(run: RunSummary) -> str:
    name = one_line(run.flow_name) if run.flow_name else "unnamed flow"
    seconds = None
    if run.completed_at is not None:
        seconds = max(0.0, (run.completed_at - run.created_at).total_seconds())
    after = "" if seconds is None else f" after {duration(seconds)}"
    return f"run {run.run_id}, {name}: {run.status}{after}, {item_counts(run.items)}"


def _title(one: Difference, diff: RunDiff) -> str:
    places: list[str] = []
    if one.item is not None and max(diff.first.items.total, diff.second.items.total) > 1:
        places.append(f"item {one.item}")
    if one.step is not None:
        places.append(f"step {one_line(one.step)}")
    place = ", ".join(places) or "run"
    return f"{place}: {one.what}"


def _lines(one: Difference) -> Iterator[str]:
    first, second = _shown(one.first), _shown(one.second)
    if first == second:
        # A text and a number, or texts that differ in line breaks.
        first, second = _json(one.first), _json(one.second)
    lines = list(difflib.unified_diff(first, second, lineterm="", n=CONTEXT))[2:]
    for at, line in enumerate(lines[:LINES]):
        if not line.startswith("@@"):
            yield printable(line)
        elif at:
            yield "  ..."
    if len(lines) > LINES:
        yield f"  ... and {counted(len(lines) - LINES, 'line')} more"


def _shown(value: Any) -> list[str]:
    if value is None:
        return []
    return value.splitlines() if isinstance(value, str) else _json(value)


def _json(value: Any) -> list[str]:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
