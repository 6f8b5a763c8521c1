"""A timeline as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import escape as _escape
from typing import TYPE_CHECKING

from stepflow_api.errors import printable
from stepflow_client._report.style import TIMELINE_STYLE
from stepflow_client._report.words import duration, headline, notes

if TYPE_CHECKING:
    from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep

#: A sign for each status, since colours alone are lost in print and on some eyes.
SIGNS = {
    "completed": "✓",
    "failed": "✗",
    "recoveryFailed": "✗",
    "running": "▸",
    "cancelled": "⊘",
    "skipped": "⤼",
}


def escape(text: str) -> str:
    """Return text as HTML, with control characters and bidirectional marks made visible."""
    return _escape(printable(text, keep="\n\t"))


def status_html(status: str) -> str:
    """Return a status with its sign and colour."""
    sign = SIGNS.get(status, "○")
    return f'<span class="status {escape(status)}">{sign} {escape(status)}</span>'


def timeline_fragment(timeline: Timeline) -> str:
    """Return a timeline as an element with a style of its own."""
    run = timeline.run
    words = headline(timeline).removeprefix(str(run.status))
    return "\n".join(
        [
            f'<div class="stepflow-timeline"><style>{TIMELINE_STYLE}</style>',
            f"<p><b>{escape(run.flow_name or 'unnamed flow')}</b>:"
            f" {status_html(str(run.status))}{escape(words)}<br>"
            f'<span class="id">run {run.run_id}, created {time_text(run.created_at)}</span></p>',
            *timeline_rows(timeline, None),
            "</div>\n",
        ]
    )


def time_text(time: datetime) -> str:
    """Return a time in UTC, to the millisecond."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'milliseconds')} UTC"


def timeline_rows(
    timeline: Timeline, anchor: Callable[[int, str | None], str | None] | None
) -> Iterator[str]:
    """Yield the table of a timeline, whose names are links to `anchor(...)`, and its notes."""
    rows = _Rows(timeline, anchor)
    is_batch = timeline.run.items.total > 1
    if timeline.items:
        yield "<table><thead>" if timeline.has_step_times else '<table class="plain"><thead>'
        yield rows.header(is_batch)
        yield "</thead><tbody>"
        for item in timeline.items:
            if is_batch:
                yield rows.item(item)
            for step in item.steps:
                yield rows.step(item, step, is_batch)
            if not item.steps and not is_batch:
                yield '<tr><td class="note" colspan="5">no steps</td></tr>'
        yield "</tbody></table>"
    for note in notes(timeline):
        yield f'<p class="note">{escape(note)}</p>'


class _Rows:
    def __init__(
        self, timeline: Timeline, anchor: Callable[[int, str | None], str | None] | None
    ) -> None:
        self._start = timeline.run.created_at
        self._end = timeline.end
        self._span = (self._end - self._start) / timedelta(seconds=1) or 1.0
        self._has_times = timeline.has_step_times
        self._anchor = anchor

    def header(self, is_batch: bool) -> str:
        first = "item, step" if is_batch else "step"
        times = ""
        if self._has_times:
            times = (
                '<th class="time start">start</th><th class="time">duration</th>'
                f'<th class="track">0<span>{duration(self._span)}</span></th>'
            )
        elif is_batch:
            times = '<th class="time">finished</th>'
        return f"<tr><th>{first}</th><th>status</th>{times}</tr>"

    def item(self, item: TimelineItem) -> str:
        name = self._linked(item.index, None, f"item {item.index}")
        if self._has_times:
            times = self._times(str(item.status), item.started_at, item.completed_at)
        else:
            times = f'<td class="time">{self._offset(item.completed_at)}</td>'
        return f'<tr class="item"><td>{name}</td>{self._status(str(item.status), 1)}{times}</tr>'

    def step(self, item: TimelineItem, step: TimelineStep, is_inner: bool) -> str:
        kind = "step inner" if is_inner else "step"
        name = self._linked(item.index, step.step_id, step.step_id)
        status = str(step.status)
        times = ""
        if self._has_times:
            times = self._times(status, step.started_at, step.completed_at)
        elif is_inner:
            times = "<td></td>"
        return (
            f'<tr class="{kind}"><td>{name}</td>{self._status(status, step.attempts)}{times}</tr>'
        )

    def _linked(self, index: int, step_id: str | None, name: str) -> str:
        anchor = self._anchor(index, step_id) if self._anchor is not None else None
        return escape(name) if anchor is None else f'<a href="#{anchor}">{escape(name)}</a>'

    def _status(self, status: str, attempts: int | None) -> str:
        times = f" ({attempts}×)" if (attempts or 1) > 1 else ""
        return f'<td class="status">{status_html(status)}{times}</td>'

    def _times(self, status: str, start: datetime | None, end: datetime | None) -> str:
        seconds = None if start is None or end is None else (end - start).total_seconds()
        return (
            f'<td class="time start">{self._offset(start)}</td>'
            f'<td class="time">{duration(seconds)}</td>'
            f'<td class="track">{self._bar(status, start, end)}</td>'
        )

    def _offset(self, time: datetime | None) -> str:
        if time is None:
            return "-"
        return f"+{duration(max(0.0, (time - self._start).total_seconds()))}"

    def _bar(self, status: str, start: datetime | None, end: datetime | None) -> str:
        if start is None:
            return ""
        first = min(99.5, max(0.0, (start - self._start).total_seconds() / self._span * 100))
        last = (end or self._end) - self._start
        length = min(100.0, last.total_seconds() / self._span * 100) - first
        return (
            f'<div class="bar {escape(status)}"'
            f' style="margin-left:{first:.2f}%;width:{max(0.5, length):.2f}%"></div>'
        )
