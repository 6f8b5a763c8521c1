"""Output of the command: results on standard output, everything else on standard error."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from stepflow_api.errors import one_line, printable
from stepflow_api.models import RunSummary
from stepflow_client._core import results
from stepflow_client.errors import InvalidInput

#: Seconds between two progress lines of a batch where no bar can be drawn.
LINE_SECONDS = 5.0

#: Maximum length of a table's cell on a terminal.
CELL = 500


class OutputClosed(Exception):
    """The reader of the output has closed the pipe."""


def write_bytes(content: bytes) -> None:
    """Write raw bytes to standard output.

    Raises:
        OutputClosed: Standard output is a pipe whose reader has closed it.
        InvalidInput: Standard output cannot be written to.
    """
    try:
        # Text that was printed before must come first.
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    except OSError as error:
        raise _unwritable(error) from error


def write_line(text: str) -> None:
    """Print one line, with everything in it escaped that a terminal could interpret.

    Raises:
        OutputClosed: Standard output is a pipe whose reader has closed it.
        InvalidInput: Standard output cannot be written to.
    """
    _write_text(printable(text))


def flush() -> None:
    """Write buffered output; raises the same errors as `write_line`."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _unwritable(error) from error


def is_terminal() -> bool:
    """Whether standard output is a terminal rather than a pipe or a file."""
    return sys.stdout.isatty()


def error_line(message: str) -> None:
    """Print an error message to standard error, on one line."""
    print(f"stepflow-client: {one_line(message)}", file=sys.stderr)


def note_line(text: str) -> None:
    """Print something beside the result to standard error, on one line."""
    print(one_line(text), file=sys.stderr)


def print_details(text: str) -> None:
    """Print several lines to standard error."""
    for line in text.splitlines():
        print(printable(line, keep="\t"), file=sys.stderr)


def print_json(value: Any, indent: int | None = None) -> None:
    """Print a value as JSON, on one line unless it is indented.

    Characters that a terminal could interpret are written as JSON escapes, which programs read as
    the same value; where the output is not UTF-8, such as in a pipe on Windows, all beyond ASCII.
    """
    try:
        document = json.dumps(_plain(value), indent=indent, ensure_ascii=not _is_utf_8())
    except RecursionError:
        raise InvalidInput("the value is nested too deeply to be printed as JSON") from None
    if printable(document, keep="\n") != document:
        document = "".join(map(_json_character, document))
    _write_text(document)


def print_text(text: str) -> None:
    """Print text, escaped on a terminal and unchanged elsewhere."""
    if is_terminal():
        text = printable(text.replace("\r\n", "\n"), keep="\n\t")
    _write_text(text)


def print_value(value: Any) -> None:
    """Print a value: text as text, everything else as indented JSON."""
    if isinstance(value, str):
        print_text(value)
    else:
        print_json(value, indent=2)


def print_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table on a terminal, and lines of tab-separated values elsewhere."""
    if not is_terminal():
        print_rows(rows)
        return
    cells = [tuple(map(printable, row)) for row in rows]
    table = Table(box=None)
    for column in columns:
        # A narrow terminal folds the cells: ids have to be complete.
        table.add_column(column, overflow="fold")
    for row in cells:
        # As Text, since rich interprets markup in a str.
        table.add_row(*(Text(cell if len(cell) <= CELL else f"{cell[:CELL]}…") for cell in row))
    Console().print(table)


def print_rows(rows: Iterable[tuple[str, ...]]) -> None:
    """Print lines of tab-separated values."""
    for row in rows:
        _write_text("\t".join(map(printable, row)))


def print_runs(runs: Iterable[RunSummary]) -> None:
    """Print runs: on a terminal a table with whole ids, elsewhere lines with tabs between."""
    if not is_terminal():
        print_rows(
            (
                str(run.run_id),
                run.status.value,
                f"{run.items.completed}/{run.items.total}",
                run.flow_name or "",
                run.created_at.isoformat(timespec="seconds"),
            )
            for run in runs
        )
        return
    now = datetime.now(UTC)
    rows = [
        (
            str(run.run_id),
            printable(run.status.value),
            f"{run.items.completed}/{run.items.total}",
            age((now - run.created_at).total_seconds()),
            printable(run.flow_name or ""),
        )
        for run in runs
    ]
    names = ("run", "status", "items", "age", "flow")
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    console = Console()
    # A folded id cannot be pasted, so the flow's name is what is cut.
    left = console.width - sum(widths[:-1]) - 2 * len(widths[:-1])
    widths[-1] = max(len(names[-1]), min(widths[-1], left))
    # A terminal that is too narrow even so wraps the lines itself, behind the ids.
    console.width = max(console.width, sum(widths) + 2 * len(widths))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        is_number = name in ("items", "age")
        table.add_column(name, no_wrap=True, justify="right" if is_number else "left")
    for row in rows:
        styles = ("", STATUS_STYLES.get(row[1], ""), "", "", "")
        cells = [Text(cell, style) for cell, style in zip(row, styles, strict=True)]
        cells[-1].truncate(widths[-1], overflow="ellipsis")
        table.add_row(*cells)
    console.print(table)


def age(seconds: float) -> str:
    """Return a time span in one unit, such as `5 min`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


#: Styles of statuses; rich leaves colours out where the output or `$NO_COLOR` wants none.
STATUS_STYLES = {
    "completed": "green",
    "failed": "bold red",
    "recoveryFailed": "bold red",
    "running": "blue",
    "cancelled": "yellow",
}
_STATUS = re.compile(rf"(?<!\S)({'|'.join(STATUS_STYLES)})(?![\w-])")


def print_statuses(text: str) -> None:
    """Print lines on a terminal, with the first status of each in colour, and its bar."""
    console = Console(highlight=False)
    for line in text.splitlines():
        styled = Text(line)
        if (status := _STATUS.search(line)) is not None:
            style = STATUS_STYLES[status[1]]
            styled.stylize(style, *status.span(1))
            styled.highlight_regex("[█·#]+$", style.removeprefix("bold "))
        console.print(styled, soft_wrap=True)


def print_changes(text: str) -> None:
    """Print lines of a comparison, with changed ones in colour on a terminal."""
    if not is_terminal():
        print_text(text)
        return
    console = Console(highlight=False)
    for line in text.splitlines():
        style = {"-": "red", "+": "green"}.get(line[:1], "")
        console.print(Text(printable(line, keep="\t"), style), soft_wrap=True)


def _json_character(character: str) -> str:
    if printable(character, keep="\n") == character:
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _plain(value: Any) -> Any:
    """Return a value as JSON can represent it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list):
        return [_plain(one) for one in cast("Any", value)]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in cast("Any", value).items()}
    return value


def _is_utf_8() -> bool:
    return (sys.stdout.encoding or "utf-8").lower() in ("utf-8", "utf8")


def _write_text(text: str) -> None:
    # Characters that the encoding cannot represent, such as half a surrogate pair, are escaped.
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding))
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> Exception:
    # Buffered output is discarded, so that Python does not fail again when it exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # Windows reports a closed pipe as EINVAL.
    if isinstance(error, BrokenPipeError) or (
        sys.platform == "win32" and error.errno == errno.EINVAL
    ):
        return OutputClosed()
    return InvalidInput(f"cannot write to standard output: {error.strerror}; redirect it elsewhere")


class BatchProgress:
    """Shows the progress of a batch: a live bar on a terminal, lines elsewhere.

    Args:
        run_id: Id of the batch's run.
        start: Start of the batch by the monotonic clock, for the rate.
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

    def __call__(self, progress: results.Progress) -> None:
        """Show the progress."""
        now = time.monotonic()
        rate = progress.done / max(now - self._start, 0.001)
        shown = f"{progress.done}/{progress.total} done, {progress.failed} failed, {rate:.0f}/s"
        if self._bar.console.is_terminal:
            # Servers up to 0.11 report no finished items before all have finished; the bar pulses.
            total = progress.total if progress.done else None
            self._bar.update(self._task, completed=progress.done, total=total, shown=shown)
            return
        last = self._last_line
        if last is None or progress.done == progress.total or now - last >= LINE_SECONDS:
            self._last_line = now
            print(f"run {self._run_id}: {shown}", file=sys.stderr)
