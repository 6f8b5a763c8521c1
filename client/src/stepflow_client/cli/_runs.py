"""The subcommands that show what a run did."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from stepflow_api.models import ExecutionStatus
from stepflow_client._constants import TIMELINE_ITEMS
from stepflow_client._report.words import notes
from stepflow_client.cli._app import app, client_of
from stepflow_client.cli._follow import event_time, event_words
from stepflow_client.cli._options import AsJson, RunId, Seconds
from stepflow_client.cli._output import (
    flush,
    is_terminal,
    note_line,
    print_changes,
    print_json,
    print_rows,
    print_runs,
    print_statuses,
    write_line,
)
from stepflow_client.cli._waiting import Waiting
from stepflow_client.timeline import Timeline, TimelineStep

Items = Annotated[
    int, typer.Option("--items", min=1, help="Maximum number of items: failed and slowest first.")
]


@app.command()
def runs(
    context: typer.Context,
    status: Annotated[
        ExecutionStatus | None, typer.Option(help="Only runs with this status.")
    ] = None,
    flow_name: Annotated[str | None, typer.Option(help="Only runs of this flow.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-L", min=0, help="Runs per page.")] = 20,
    page: Annotated[int, typer.Option(min=1, help="Number of the page; 1 has the newest.")] = 1,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    first = (page - 1) * limit
    with client_of(context) as client:
        # One more than is shown, to know whether there is a next page.
        found = client.list_runs(status=status, flow_name=flow_name, limit=first + limit + 1)
        chosen = list(islice(found, first, None))
    if as_json:
        for one in chosen[:limit]:
            print_json(one)
    else:
        print_runs(chosen[:limit])
    if len(chosen) > limit > 0 and is_terminal():
        note_line(f"There are more runs: --page {page + 1}")


@app.command()
def events(
    context: typer.Context,
    run_id: RunId,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Wait for more events until the run has finished."),
    ] = False,
    since: Annotated[
        int, typer.Option(min=0, help="Number of the first event; 0 for all events.")
    ] = 0,
    timeout: Seconds = None,
    as_json: AsJson = False,
) -> None:
    """Print the events of a run, one per line."""
    start = time.monotonic()
    with client_of(context) as client:
        waiting = Waiting(client.handle(run_id), timeout, start)
        found = waiting.handle.events(since=since, follow=follow, timeout=timeout)
        with waiting, closing(found):
            for event in found:
                if as_json:
                    print_json(event)
                else:
                    line = f"{event_time(event)} {event_words(event)}"
                    print_statuses(line) if is_terminal() else write_line(line)
                # A reader behind a pipe sees each event when it happens.
                flush()


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
