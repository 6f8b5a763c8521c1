"""Durations, statuses and counts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepflow_api.models import ItemStatistics
    from stepflow_client.timeline import Timeline


def duration(seconds: float | None) -> str:
    """Return a duration in about three digits, such as `1.23 s`; a dash for None."""
    if seconds is None:
        return "-"
    milliseconds = seconds * 1000
    if milliseconds < 0.995:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 item`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def item_counts(items: ItemStatistics) -> str:
    """Return how many items have which status."""
    counts = (
        (items.completed, "completed"),
        (items.failed, "failed"),
        (items.cancelled, "cancelled"),
        (items.running, "running"),
    )
    parts = [f"{number:,} {status}" for number, status in counts if number]
    total = counted(items.total, "item")
    return f"{total}: {', '.join(parts)}" if items.total > 1 and parts else total


def headline(timeline: Timeline) -> str:
    """Return what became of a run, such as `failed after 1.23 s, 1 item`."""
    run = timeline.run
    seconds = timeline.seconds
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return f"{run.status}{after}, {item_counts(run.items)}"


def notes(timeline: Timeline) -> list[str]:
    """Return what a timeline lacks, and why."""
    found: list[str] = []
    if timeline.omitted_items:
        failed = timeline.run.items.failed
        missing = timeline.omitted_failed_items
        found.append(
            f"{counted(timeline.omitted_items, 'item')} left out"
            + (f", {missing:,} of the {failed:,} failed ones among them" if missing else "")
            + ": shown are failed items, then the slowest"
        )
    if not timeline.has_step_times:
        late = (
            ""
            if timeline.run.completed_at
            else ", and the steps of a run only when it has finished"
        )
        found.append(f"servers up to 0.11 do not report when steps start and finish{late}")
    return found
