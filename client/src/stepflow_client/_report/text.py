"""A timeline as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from stepflow_api.errors import one_line
from stepflow_client._report.words import duration, headline, notes

if TYPE_CHECKING:
    from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep

#: Columns of a step's name, and the fewest of a bar.
NAME_WIDTH = 24
BAR_WIDTH = 8

_STATUS_WIDTH = 10
_TIME_WIDTH = 10


def timeline_text(timeline: Timeline, width: int, ascii_only: bool) -> Iterator[str]:
    """Yield the lines of a timeline; with `ascii_only`, bars consist of `#`."""
    run = timeline.run
    yield f"run {run.run_id}"
    name = f"flow {one_line(run.flow_name)}" if run.flow_name else "unnamed flow"
    yield _cut(f"{name}: {headline(timeline)}", width)
    yield f"created {run.created_at.isoformat(sep=' ', timespec='milliseconds')}"
    is_batch = run.items.total > 1
    indent = 2 if is_batch else 0
    names = [len(one_line(one.step_id)) + indent for item in timeline.items for one in item.steps]
    if is_batch:
        names += [len(f"item {item.index}") for item in timeline.items]
    shared = width - _STATUS_WIDTH - 2 * _TIME_WIDTH - 4 - BAR_WIDTH
    name_width = max(4, min(NAME_WIDTH, shared, max(names, default=4)))
    rows = _Rows(timeline, name_width, width, ascii_only)
    if timeline.items:
        yield ""
        yield rows.header(is_batch)
    for item in timeline.items:
        if is_batch:
            yield rows.item(item)
        for step in item.steps:
            yield rows.step(step, indent)
        if not item.steps and not is_batch:
            yield "no steps"
    missing = notes(timeline)
    if missing:
        yield ""
    yield from missing


class _Rows:
    def __init__(self, timeline: Timeline, name_width: int, width: int, ascii_only: bool) -> None:
        self._start = timeline.run.created_at
        self._end = timeline.end
        self._span = (self._end - self._start) / timedelta(seconds=1)
        self._name_width = name_width
        self._has_times = timeline.has_step_times
        used = name_width + _STATUS_WIDTH + 2 * _TIME_WIDTH + 4
        self._bar_width = max(BAR_WIDTH, width - used)
        self._fill = "#" if ascii_only else "█"
        self._dot = "." if ascii_only else "·"

    def header(self, is_batch: bool) -> str:
        first = "item, step" if is_batch and self._name_width >= len("item, step") else "step"
        if not self._has_times:
            return f"{first:<{self._name_width}} status" + "     finished" * is_batch
        left = "0"
        right = duration(self._span)
        scale = left + right.rjust(self._bar_width - len(left))
        return self._line(first, "status", "start", "duration", scale)

    def item(self, item: TimelineItem) -> str:
        name = f"item {item.index}"
        if not self._has_times:
            return self._line(name, item.status, self._offset(item.completed_at), "", "")
        return self._timed(name, item.status, item.started_at, item.completed_at, self._dot)

    def step(self, step: TimelineStep, indent: int) -> str:
        name = " " * indent + one_line(step.step_id)
        if not self._has_times:
            return self._line(name, step.status, "", "", "")
        status = f"{step.status} ({step.attempts}x)" if (step.attempts or 1) > 1 else step.status
        return self._timed(name, status, step.started_at, step.completed_at, self._fill)

    def _timed(
        self, name: str, status: str, start: datetime | None, end: datetime | None, fill: str
    ) -> str:
        seconds = None if start is None or end is None else (end - start).total_seconds()
        bar = "" if start is None else self._bar(start, end or self._end, fill)
        return self._line(name, status, self._offset(start), duration(seconds), bar)

    def _offset(self, time: datetime | None) -> str:
        if time is None:
            return "-"
        return f"+{duration(max(0.0, (time - self._start).total_seconds()))}"

    def _bar(self, start: datetime, end: datetime, fill: str) -> str:
        span = self._span or 1.0
        first = min(1.0, max(0.0, (start - self._start).total_seconds() / span))
        last = min(1.0, max(first, (end - self._start).total_seconds() / span))
        at = min(self._bar_width - 1, int(first * self._bar_width))
        length = max(1, round(last * self._bar_width) - at)
        return " " * at + fill * length

    def _line(self, name: str, status: str, start: str, seconds: str, bar: str) -> str:
        if len(name) > self._name_width:
            name = name[: self._name_width - 1] + ("." if self._fill == "#" else "…")
        columns = f"{name:<{self._name_width}} {one_line(status):<{_STATUS_WIDTH}}"
        return f"{columns} {start:>{_TIME_WIDTH}} {seconds:>{_TIME_WIDTH}} {bar}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
