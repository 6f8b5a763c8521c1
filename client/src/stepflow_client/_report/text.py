"""A timeline as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from textwrap import wrap
from typing import TYPE_CHECKING

from stepflow_api.errors import one_line
from stepflow_client._report.words import duration, headline, notes

if TYPE_CHECKING:
    from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep

#: The most and the fewest columns of a step's name, and the fewest of a bar.
NAME_WIDTH = 24
NAME_LEAST = 4
BAR_WIDTH = 14

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
    rows = _Rows(timeline, width, ascii_only, indent)
    if timeline.items:
        yield ""
        yield rows.header(is_batch)
    for item in timeline.items:
        if is_batch:
            yield rows.item(item)
        for step in item.steps:
            yield rows.step(step)
        if not item.steps and not is_batch:
            yield "no steps"
    missing = notes(timeline)
    if missing:
        yield ""
    for note in missing:
        yield from wrap(note, width)


class _Rows:
    def __init__(self, timeline: Timeline, width: int, ascii_only: bool, indent: int) -> None:
        self._start = timeline.run.created_at
        self._end = timeline.end
        self._span = (self._end - self._start) / timedelta(seconds=1)
        self._has_times = timeline.has_step_times
        self._indent = indent
        self._fill = "#" if ascii_only else "█"
        self._dot = "." if ascii_only else "·"
        self._omission = "." if ascii_only else "…"
        steps = [step for item in timeline.items for step in item.steps]
        names = [len(one_line(step.step_id)) + indent for step in steps]
        statuses = [len(_status(step)) for step in steps]
        if indent:
            names += [len(f"item {item.index}") for item in timeline.items]
            statuses += [len(one_line(item.status)) for item in timeline.items]
        # Columns are one space apart.
        left = width - 2 * (1 + _TIME_WIDTH) - 1
        self._status_width = min(max([_STATUS_WIDTH, *statuses]), left - NAME_LEAST)
        left -= self._status_width
        # On a narrow screen, names take the place of bars.
        has_bars = left - 1 - BAR_WIDTH >= NAME_LEAST
        room = left - 1 - BAR_WIDTH if has_bars else left
        self._name_width = min(NAME_WIDTH, room, max([NAME_LEAST, *names]))
        self._bar_width = left - 1 - self._name_width if has_bars else 0

    def header(self, is_batch: bool) -> str:
        first = "item, step" if is_batch and self._name_width >= len("item, step") else "step"
        if not self._has_times:
            return self._line(first, "status", "finished" if is_batch else "", "", "")
        left = "0"
        right = duration(self._span)
        scale = left + right.rjust(self._bar_width - len(left)) if self._bar_width else ""
        return self._line(first, "status", "start", "duration", scale)

    def item(self, item: TimelineItem) -> str:
        name = f"item {item.index}"
        if not self._has_times:
            return self._line(name, item.status, self._offset(item.completed_at), "", "")
        return self._timed(name, item.status, item.started_at, item.completed_at, self._dot)

    def step(self, step: TimelineStep) -> str:
        name = " " * self._indent + one_line(step.step_id)
        if not self._has_times:
            return self._line(name, step.status, "", "", "")
        return self._timed(name, _status(step), step.started_at, step.completed_at, self._fill)

    def _timed(
        self, name: str, status: str, start: datetime | None, end: datetime | None, fill: str
    ) -> str:
        seconds = None if start is None or end is None else (end - start).total_seconds()
        bar = self._bar(start, end or self._end, fill)
        return self._line(name, status, self._offset(start), duration(seconds), bar)

    def _offset(self, time: datetime | None) -> str:
        if time is None:
            return "-"
        return f"+{duration(max(0.0, (time - self._start).total_seconds()))}"

    def _bar(self, start: datetime | None, end: datetime, fill: str) -> str:
        if start is None or not self._bar_width:
            return ""
        span = self._span or 1.0
        first = min(1.0, max(0.0, (start - self._start).total_seconds() / span))
        last = min(1.0, max(first, (end - self._start).total_seconds() / span))
        at = min(self._bar_width - 1, int(first * self._bar_width))
        length = max(1, round(last * self._bar_width) - at)
        return " " * at + fill * length

    def _line(self, name: str, status: str, start: str, seconds: str, bar: str) -> str:
        columns = (
            f"{self._fit(name, self._name_width)} {self._fit(one_line(status), self._status_width)}"
        )
        return f"{columns} {start:>{_TIME_WIDTH}} {seconds:>{_TIME_WIDTH}} {bar}".rstrip()

    def _fit(self, text: str, width: int) -> str:
        return text.ljust(width) if len(text) <= width else text[: width - 1] + self._omission


def _status(step: TimelineStep) -> str:
    times = f" ({step.attempts}x)" if (step.attempts or 1) > 1 else ""
    return one_line(step.status) + times


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
