"""The subcommands of `stepflow-client`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from stepflow_api.models import FlowError, FlowResult
from stepflow_client._core.results import failure_reason
from stepflow_client._files import write_file
from stepflow_client.cli._app import app, client_of
from stepflow_client.cli._follow import show_steps
from stepflow_client.cli._input import (
    read_input,
    read_inputs,
    read_overrides,
    read_variables,
)
from stepflow_client.cli._options import (
    AsJson,
    Concurrency,
    Flow,
    Follow,
    FromEnv,
    IdempotencyKey,
    InputFile,
    InputLines,
    InputOption,
    Overrides,
    RunId,
    Seconds,
    Variable,
    Verbose,
)
from stepflow_client.cli._output import (
    BatchProgress,
    error_line,
    is_terminal,
    note_line,
    print_details,
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

#: Maximum number of failed items of a batch that are named on standard error.
FAILURES = 5

blob = typer.Typer(help="Store and print blobs.", no_args_is_help=True)
app.add_typer(blob, name="blob")


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
    idempotency_key: IdempotencyKey = None,
    follow: Follow = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> int:
    """Run a flow, with or without waiting for it."""
    options: SubmitOptions = {
        "variables": read_variables(variable or []) or None,
        "variables_from_env": variables_from_env,
        "overrides": read_overrides(overrides),
        "timeout": timeout,
        "idempotency_key": idempotency_key,
    }
    if inputs is None and max_concurrency is not None:
        raise InvalidInput("--max-concurrency requires --inputs; add that or remove it")
    if inputs is not None and (input is not None or input_file is not None):
        raise InvalidInput("--inputs excludes --input and --input-file; use one of them")
    if follow and context.info_name == "submit":
        raise InvalidInput("submit does not wait for the run; use `run --follow`")
    start = time.monotonic()
    with client_of(context) as client:
        if inputs is None:
            handle = client.submit(flow, read_input(input, input_file), **options)
        else:
            values = read_inputs(inputs)
            handle = client.submit_batch(flow, values, max_concurrency=max_concurrency, **options)
        if context.info_name == "run":
            waiting = Waiting(handle, timeout, start)
            if follow:
                show_steps(waiting)
            return _show(waiting, as_json, verbose) if inputs is None else _show_all(waiting)
    if as_json:
        print_json({"runId": str(handle.id)})
    else:
        write_line(str(handle.id))
    return 0


@app.command()
def wait(
    context: typer.Context,
    run_id: RunId,
    timeout: Seconds = None,
    follow: Follow = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> int:
    """Wait for a run and print its result (one per line for a batch)."""
    with client_of(context) as client:
        waiting = Waiting(client.handle(run_id), timeout, time.monotonic())
        is_single = waiting.handle.status().items.total == 1
        if follow:
            show_steps(waiting)
        return _show(waiting, as_json, verbose) if is_single else _show_all(waiting)


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


def _show(waiting: Waiting, as_json: bool, verbose: bool) -> int:
    with waiting:
        result = waiting.handle.result(timeout=waiting.remaining())
    if as_json:
        print_json(result)
    elif result.is_success:
        print_value(result.output)
    if result.error is not None and not as_json:
        error_line(f"the flow failed: {_reason(result.error)} (run {waiting.handle.id})")
    elif not result.is_success and not as_json:
        error_line(f"unknown outcome {result.outcome!r} (run {waiting.handle.id})")
    if result.error is not None and verbose:
        print_details(result.error.details)
    return 0 if result.is_success else 1


def _show_all(waiting: Waiting) -> int:
    with waiting, BatchProgress(waiting.handle.id, waiting.start) as progress:
        results = waiting.handle.results(timeout=waiting.remaining(), on_progress=progress)
    failed = 0
    for index, result in enumerate(results):
        # One line each, with or without --json: a batch's output is for programs.
        print_json(result)
        if result.is_success:
            continue
        failed += 1
        if failed <= FAILURES:
            note_line(f"item {index} {_problem(result)}")
    if failed:
        error_line(f"{failed} of {len(results)} items failed (run {results.run_id})")
    return 1 if failed else 0


def _problem(result: FlowResult) -> str:
    if result.error is None:
        return f"has the unknown outcome {result.outcome!r}"
    return f"failed: {_reason(result.error)}"


def _reason(error: FlowError) -> str:
    reason = failure_reason(error)
    # Most messages name the step themselves.
    return reason if error.step is None or error.step in reason else f"step {error.step}: {reason}"


def _bytes(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else read_file(path, "file")


def _text_of(blob_id: str, data: bytes) -> str:
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise InvalidInput(
            f"blob {blob_id} is binary, which a terminal cannot show; use --output FILE or a pipe"
        ) from None
