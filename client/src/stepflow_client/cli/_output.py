"""What the command prints: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from stepflow_api.errors import one_line
from stepflow_client import _results
from stepflow_client.errors import InvalidInput

#: Seconds between two lines about a batch where no bar can be drawn.
LINE_SECONDS = 5.0


class OutputClosed(Exception):
    """Whoever read the output has enough of it."""


def write(content: str | bytes) -> None:
    """Writes to standard output.

    Raises:
        OutputClosed: It is a pipe that nobody reads any more.
        InvalidInput: It takes no more.
    """
    try:
        if isinstance(content, str):
            print(content)
        else:
            sys.stdout.buffer.write(content)
    except OSError as error:
        raise _unwritable(error) from error


def flush() -> None:
    """Writes what is still in memory; raises what `write` does."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> Exception:
    # What is still in memory goes nowhere, so that Python does not fail at it again at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return OutputClosed()
    return InvalidInput(f"cannot write to standard output: {error.strerror}; give it another place")


def error_line(message: str) -> None:
    """Prints what went wrong."""
    print(f"stepflow-client: {one_line(message)}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Prints one JSON document on a line."""
    write(json.dumps(plain(value), ensure_ascii=False))


def print_value(value: Any) -> None:
    """Prints a value for people: text as it is, all else as indented JSON."""
    write(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Gives a value as JSON can hold it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list):
        return [plain(one) for one in cast("Any", value)]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in cast("Any", value).items()}
    return value


def print_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Prints a table on a terminal, values between tabs elsewhere."""
    if not sys.stdout.isatty():
        for row in rows:
            write("\t".join(row))
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


class BatchProgress:
    """Shows how far a batch has come: a live bar on a terminal, lines elsewhere.

    Args:
        run_id: The batch's run.
        start: From when its items are counted per second, by the monotonic clock.
    """

    def __init__(self, run_id: UUID, start: float) -> None:
        self._run_id = run_id
        self._start = start
        self._last_line: float | None = None
        self._bar = Progress(
            TextColumn("items"),
            BarColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=None, shown="")

    def __enter__(self) -> Self:
        if self._bar.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Stopping prints an empty line where there is no terminal.
        if self._bar.console.is_terminal:
            self._bar.stop()

    def __call__(self, progress: _results.Progress) -> None:
        """Shows it."""
        now = time.monotonic()
        rate = progress.done / max(now - self._start, 0.001)
        shown = f"{progress.done}/{progress.total} done, {progress.failed} failed, {rate:.0f}/s"
        if self._bar.console.is_terminal:
            # Servers up to 0.11 count no item before all have ended: until then, the bar moves.
            total = progress.total if progress.done else None
            self._bar.update(self._task, completed=progress.done, total=total, shown=shown)
            return
        last = self._last_line
        if last is None or progress.done == progress.total or now - last >= LINE_SECONDS:
            self._last_line = now
            print(f"run {self._run_id}: {shown}", file=sys.stderr)
