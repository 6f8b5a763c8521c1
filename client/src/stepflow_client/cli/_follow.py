"""The steps of a run as they start and finish, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stepflow_api.errors import one_line
from stepflow_client._report.words import duration
from stepflow_client.cli._output import STATUS_STYLES
from stepflow_client.cli._waiting import Waiting
from stepflow_client.events import RunCompleted, RunCreated, RunEvent, StepCompleted, StepStarted

#: Statuses of steps, in the order of the columns of a batch.
_COLUMNS = ("running", "completed", "failed")


def show_steps(waiting: Waiting) -> None:
    """Show the steps of a run until it has finished.

    A terminal shows a table that changes, and pipes and files a line for each event.

    Args:
        waiting: The wait for the run; it ends with its errors.
    """
    console = Console(stderr=True, highlight=False)
    steps = _Steps()
    show: Callable[[RunEvent], object] = _print
    screen: Any = nullcontext()
    if console.is_terminal:
        # Rows that do not fit on the screen are cut while it changes; in the end all are shown.
        screen = Live(get_renderable=steps.table, console=console, vertical_overflow="ellipsis")
        show = steps.add
    with waiting, screen, closing(waiting.handle.events(timeout=waiting.remaining())) as events:
        for event in events:
            show(event)


def event_words(event: RunEvent) -> str:
    """Return an event on one line, without its time."""
    item = getattr(event, "item_index", None)
    step = getattr(event, "step_id", None)
    parts = [event.kind]
    if item is not None:
        parts.append(f"item {item}")
    if step is not None:
        parts.append(f"step {one_line(step)}")
    if (attempt := getattr(event, "attempt", None) or 1) > 1:
        parts.append(f"attempt {attempt}")
    if (ids := getattr(event, "step_ids", None)) is not None:
        parts.append(one_line(", ".join(ids)))
    if (status := getattr(event, "status", None)) is not None:
        parts.append(str(status))
    return " ".join(parts)


def event_time(event: RunEvent) -> str:
    """Return the time of an event in UTC, to the millisecond."""
    return event.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _print(event: RunEvent) -> None:
    if isinstance(event, StepStarted | StepCompleted | RunCompleted):
        print(f"{event_time(event)} {event_words(event)}", file=sys.stderr)


class _Steps:
    """The steps of a run: each with its times, or of a batch how many have which status."""

    def __init__(self) -> None:
        self._is_batch = False
        self._starts: dict[tuple[int, str], datetime] = {}
        self._seconds: dict[tuple[int, str], float] = {}
        self._statuses: dict[tuple[int, str], str] = {}

    def add(self, event: RunEvent) -> None:
        """Add an event."""
        if isinstance(event, RunCreated):
            self._is_batch = event.item_count > 1
        if not isinstance(event, StepStarted | StepCompleted):
            return
        place = (event.item_index, event.step_id or str(event.step_index))
        if isinstance(event, StepStarted):
            self._starts.setdefault(place, event.timestamp)
            self._statuses[place] = "running"
        else:
            self._statuses[place] = str(event.status)
            if (start := self._starts.get(place)) is not None:
                self._seconds[place] = max(0.0, (event.timestamp - start).total_seconds())

    def table(self) -> Table:
        """Return what is shown now."""
        return self._of_batch() if self._is_batch else self._of_run()

    def _of_run(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("step", overflow="fold")
        table.add_column("status")
        table.add_column("duration", justify="right")
        for place, status in list(self._statuses.items()):
            seconds = duration(self._seconds.get(place))
            table.add_row(Text(one_line(place[1])), _styled(status), seconds)
        return table

    def _of_batch(self) -> Table:
        counts: dict[str, dict[str, int]] = {}
        for (_, step), status in list(self._statuses.items()):
            of_step = counts.setdefault(step, dict.fromkeys(_COLUMNS, 0))
            of_step[status] = of_step.get(status, 0) + 1
        table = Table(box=None, pad_edge=False)
        table.add_column("step", overflow="fold")
        for name in _COLUMNS:
            table.add_column(name, justify="right")
        for step, of_step in counts.items():
            cells = [Text(f"{of_step[name]:,}", STATUS_STYLES[name]) for name in _COLUMNS]
            table.add_row(Text(one_line(step)), *cells)
        return table


def _styled(status: str) -> Text:
    return Text(status, STATUS_STYLES.get(status, ""))
