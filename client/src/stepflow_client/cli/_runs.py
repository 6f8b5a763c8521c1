"""The subcommands that show what a run did."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from stepflow_client._constants import TIMELINE_ITEMS
from stepflow_client._report.words import notes
from stepflow_client.cli._commands import app, client_of
from stepflow_client.cli._options import AsJson, RunId
from stepflow_client.cli._output import (
    is_terminal,
    note_line,
    print_changes,
    print_json,
    print_rows,
    print_statuses,
)
from stepflow_client.timeline import Timeline, TimelineStep

Items = Annotated[
    int, typer.Option("--items", min=1, help="Maximum number of items: failed and slowest first.")
]


@app.command()
def timeline(
    context: typer.Context,
    run_id: RunId,
    items: Items = TIMELINE_ITEMS,
    as_json: AsJson = False,
) -> None:
    """Show when the steps of a run started and finished."""
    with client_of(context) as client:
        found = client.handle(run_id).timeline(items=items)
    if as_json:
        print_json(found.to_dict())
    elif is_terminal():
        width = shutil.get_terminal_size().columns
        is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        print_statuses(found.to_text(width=width, ascii_only=not is_unicode))
    else:
        print_rows(_rows(found))
        for note in notes(found):
            note_line(note)


@app.command()
def report(
    context: typer.Context,
    run_id: RunId,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="HTML file to write.", show_default=True)
    ] = Path("run.html"),
    items: Items = TIMELINE_ITEMS,
) -> None:
    """Write a page about a run: its graph, timeline, inputs, outputs and errors."""
    with client_of(context) as client:
        client.handle(run_id).report(output, items=items)
    note_line(f"wrote {output}")


@app.command()
def diff(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="RUN_A", help="Id of a run.")],
    second: Annotated[str, typer.Argument(metavar="RUN_B", help="Id of the other run.")],
    item: Annotated[
        int | None, typer.Option("--item", min=0, help="Compare only this item, with its steps.")
    ] = None,
    items: Annotated[
        int, typer.Option("--items", min=1, help="Maximum number of items to print.")
    ] = TIMELINE_ITEMS,
    as_json: AsJson = False,
) -> int:
    """Compare two runs: flows, statuses, inputs, outputs and errors, step by step.

    Exit codes: 0 no difference, 1 a difference or an error.
    """
    with client_of(context) as client:
        found = client.handle(first).diff(second, item=item)
    if as_json:
        print_json(found.to_dict())
    else:
        print_changes(found.to_text(items=items))
    return 0 if found.is_equal else 1


def _rows(timeline: Timeline) -> list[tuple[str, ...]]:
    """Return an item, step, status, start, end and duration in seconds for each step."""
    return [
        (
            str(item.index),
            one.step_id if isinstance(one, TimelineStep) else "",
            str(one.status),
            "" if one.started_at is None else one.started_at.isoformat(),
            "" if one.completed_at is None else one.completed_at.isoformat(),
            "" if one.seconds is None else f"{one.seconds:.6f}",
        )
        for item in timeline.items
        for one in item.steps or (item,)
    ]
