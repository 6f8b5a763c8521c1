"""What the command prints: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, cast

from pydantic import BaseModel
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from stepflow_api.errors import one_line
from stepflow_client import _results

#: Seconds between two lines about a batch where no bar can be drawn.
LINE_SECONDS = 5.0


def error_line(message: str) -> None:
    """Prints what went wrong."""
    print(f"stepflow-client: {one_line(message)}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Prints one JSON document on a line."""
    print(json.dumps(plain(value), ensure_ascii=False))


def print_value(value: Any) -> None:
    """Prints a value for people: text as it is, all else as indented JSON."""
    print(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))


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
            print("\t".join(row))
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


class BatchProgress:
    """Shows how far a batch has come: a live bar on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._start = time.monotonic()
        self._last_line = self._start
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[failed]} failed"),
                TextColumn("{task.fields[rate]:.0f}/s"),
                TimeElapsedColumn(),
                console=self._console,
            )
            self._bar.start()
            self._task = self._bar.add_task("items", total=None, failed=0, rate=0.0)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: _results.Progress) -> None:
        """Shows it."""
        now = time.monotonic()
        rate = progress.done / max(now - self._start, 0.001)
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=progress.done,
                total=progress.total,
                failed=progress.failed,
                rate=rate,
            )
        elif progress.done == progress.total or now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            print(
                f"{progress.done}/{progress.total} items, {progress.failed} failed, {rate:.0f}/s",
                file=sys.stderr,
            )
