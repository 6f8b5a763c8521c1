"""The subcommands of `stepflow-client`."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from stepflow_api.models import ExecutionStatus, FlowResult
from stepflow_client._constants import TOKEN_VARIABLE
from stepflow_client._core.results import failure_reason
from stepflow_client._files import write_file
from stepflow_client.cli._input import (
    read_input,
    read_inputs,
    read_overrides,
    read_token,
    read_variables,
)
from stepflow_client.cli._options import (
    AsJson,
    Concurrency,
    Flow,
    FromEnv,
    InputFile,
    InputLines,
    InputOption,
    Overrides,
    RunId,
    Seconds,
    Variable,
)
from stepflow_client.cli._output import (
    BatchProgress,
    error_line,
    is_terminal,
    print_json,
    print_table,
    print_text,
    print_value,
    write_bytes,
    write_line,
)
from stepflow_client.cli._waiting import Waiting
from stepflow_client.documents import read_file
from stepflow_client.errors import InvalidInput
from stepflow_client.options import SubmitOptions
from stepflow_client.sync_client import SyncStepflowClient

app = typer.Typer(
    help="Run flows on a Stepflow server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
blob = typer.Typer(help="Store and print blobs.", no_args_is_help=True)
app.add_typer(blob, name="blob")


@dataclass(frozen=True)
class Connection:
    """URL of the server, and the token for it, which is left out of the repr."""

    url: str | None
    token: str | None = field(repr=False)


@app.callback()
def connection(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="STEPFLOW_URL",
            help="URL of the server, or several separated by commas; by default"
            " http://localhost:7840.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar=TOKEN_VARIABLE,
            help="Bearer token. Other users of this machine can read it in the process list:"
            " prefer --token-file or the environment variable.",
            show_envvar=True,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the bearer token; - for standard input. Make it readable only by you"
            " (chmod 600).",
        ),
    ] = None,
) -> None:
    """Run flows on a Stepflow server.

    Exit codes: 0 success, 1 the flow failed or was rejected, 2 wrong usage, 3 server unreachable.
    """
    if token_file is not None:
        # Unlike the option --token, the variable may be set for all calls; --token-file wins.
        if token is not None and token != os.environ.get(TOKEN_VARIABLE):
            raise InvalidInput("--token and --token-file are both given; use one of them")
        token = read_token(token_file)
    # typer 0.26.0 shows the variable in the help, and does not read it.
    context.obj = Connection(url, token or os.environ.get(TOKEN_VARIABLE))


def client_of(context: typer.Context) -> SyncStepflowClient:
    """Return a client for the server that the options name."""
    options: Connection = context.obj
    return SyncStepflowClient(options.url, token=options.token)


@app.command("run", help="Run a flow and print its result (one per line with --inputs).")
@app.command("submit", help="Run a flow without waiting, and print the run's id.")
def run(
    context: typer.Context,
    *,
    flow: Flow,
    input: InputOption = None,
    input_file: InputFile = None,
    inputs: InputLines = None,
    variable: Variable = None,
    variables_from_env: FromEnv = False,
    overrides: Overrides = None,
    max_concurrency: Concurrency = None,
    timeout: Seconds = None,
    as_json: AsJson = False,
) -> int:
    """Run a flow, with or without waiting for it."""
    options: SubmitOptions = {
        "variables": read_variables(variable or []) or None,
        "variables_from_env": variables_from_env,
        "overrides": read_overrides(overrides),
        "timeout": timeout,
    }
    if inputs is None and max_concurrency is not None:
        raise InvalidInput("--max-concurrency requires --inputs; add that or remove it")
    if inputs is not None and (input is not None or input_file is not None):
        raise InvalidInput("--inputs excludes --input and --input-file; use one of them")
    start = time.monotonic()
    with client_of(context) as client:
        if inputs is None:
            handle = client.submit(flow, read_input(input, input_file), **options)
        else:
            values = read_inputs(inputs)
            handle = client.submit_batch(flow, values, max_concurrency=max_concurrency, **options)
        if context.info_name == "run":
            waiting = Waiting(handle, timeout, start)
            return _show(waiting, as_json) if inputs is None else _show_all(waiting)
    if as_json:
        print_json({"runId": str(handle.id)})
    else:
        write_line(str(handle.id))
    return 0


@app.command()
def wait(
    context: typer.Context, run_id: RunId, timeout: Seconds = None, as_json: AsJson = False
) -> int:
    """Wait for a run and print its result (one per line for a batch)."""
    with client_of(context) as client:
        waiting = Waiting(client.handle(run_id), timeout, time.monotonic())
        is_single = waiting.handle.status().items.total == 1
        return _show(waiting, as_json) if is_single else _show_all(waiting)


@app.command()
def status(context: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Print a run's status."""
    with client_of(context) as client:
        summary = client.handle(run_id).status()
    if as_json:
        print_json(summary)
        return
    items = summary.items
    write_line(
        f"{summary.status}: {items.completed} of {items.total} items completed,"
        f" {items.failed} failed, {items.running} running"
    )


@app.command()
def cancel(context: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Cancel a run."""
    with client_of(context) as client:
        summary = client.handle(run_id).cancel()
    if as_json:
        print_json(summary)
    else:
        write_line(summary.status.value)


@app.command()
def runs(
    context: typer.Context,
    status: Annotated[
        ExecutionStatus | None, typer.Option(help="Only runs with this status.")
    ] = None,
    flow_name: Annotated[str | None, typer.Option(help="Only runs of this flow.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Maximum number of runs.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    with client_of(context) as client:
        found = list(client.list_runs(status=status, flow_name=flow_name, limit=limit))
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [
        (
            str(one.run_id),
            one.status.value,
            f"{one.items.completed}/{one.items.total}",
            one.flow_name or "",
            one.created_at.isoformat(timespec="seconds"),
        )
        for one in found
    ]
    print_table(("run", "status", "items", "flow", "created"), rows)


@app.command()
def components(context: typer.Context, as_json: AsJson = False) -> None:
    """List the components that flows can use."""
    with client_of(context) as client:
        found = client.list_components(include_schemas=as_json)
    if as_json:
        for one in found:
            print_json(one)
        return
    print_table(
        ("component", "description"), [(one.component, one.description or "") for one in found]
    )


@app.command()
def validate(context: typer.Context, flow: Flow, as_json: AsJson = False) -> int:
    """Check a flow on the server, and print errors and warnings."""
    with client_of(context) as client:
        found = client.validate(flow)
    if as_json:
        print_json(
            {
                "valid": found.is_valid,
                "flowId": found.flow_id,
                "errors": found.errors,
                "warnings": found.warnings,
            }
        )
    else:
        for one in [*found.errors, *found.warnings]:
            write_line(f"{one.level}: {one.path or '$'}: {one.formatted}")
        write_line("valid" if found.is_valid else "invalid")
    return 0 if found.is_valid else 1


@blob.command("put")
def put_blob(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file; - for standard input.")],
    content_is_json: Annotated[
        bool, typer.Option("--data", help="Store the file's JSON value instead of its bytes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Store a file as a blob and print its id."""
    data: Any = read_input(None, path) if content_is_json else _bytes(path)
    with client_of(context) as client:
        blob_id = client.put_blob(data)
    if as_json:
        print_json({"blobId": blob_id})
    else:
        write_line(blob_id)


@blob.command("get")
def get_blob(
    context: typer.Context,
    blob_id: Annotated[str, typer.Argument(help="Id of the blob.")],
    output: Annotated[Path | None, typer.Option(help="File to write to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print a blob: JSON as text, bytes unchanged."""
    with client_of(context) as client:
        data = client.get_blob(blob_id)
    if isinstance(data, bytes):
        if as_json:
            raise InvalidInput(f"blob {blob_id} is bytes, which JSON cannot hold; leave out --json")
        if output is not None:
            write_file(output, data)
        elif is_terminal():
            print_text(_text_of(blob_id, data))
        else:
            write_bytes(data)
    elif output is not None:
        write_file(output, json.dumps(data, ensure_ascii=False).encode() + b"\n")
    elif as_json:
        print_json(data)
    else:
        print_value(data)


def _show(waiting: Waiting, as_json: bool) -> int:
    with waiting:
        result = waiting.handle.result(timeout=waiting.remaining())
    if as_json:
        print_json(result)
    elif result.is_success:
        print_value(result.output)
    elif result.error is not None:
        error_line(f"the flow failed: {failure_reason(result.error)} (run {waiting.handle.id})")
    return 0 if result.is_success else 1


def _show_all(waiting: Waiting) -> int:
    with waiting, BatchProgress(waiting.handle.id, waiting.start) as progress:
        results = waiting.handle.results(timeout=waiting.remaining(), on_progress=progress)
    # One line each, with or without --json: a batch's output is for programs.
    failed = sum([_line(result) for result in results])
    if failed:
        error_line(f"{failed} of {len(results)} items failed (run {results.run_id})")
    return 1 if failed else 0


def _line(result: FlowResult) -> bool:
    print_json(result)
    return not result.is_success


def _bytes(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else read_file(path, "file")


def _text_of(blob_id: str, data: bytes) -> str:
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise InvalidInput(
            f"blob {blob_id} is binary, which a terminal cannot show; use --output FILE or a pipe"
        ) from None
