"""Arguments and options that several subcommands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Flow = Annotated[str, typer.Argument(help="YAML or JSON file, or the id of a stored flow.")]
RunId = Annotated[str, typer.Argument(help="Id of the run.")]
InputOption = Annotated[
    str | None, typer.Option("--input", help="Input as JSON; - for standard input.")
]
InputFile = Annotated[
    Path | None,
    typer.Option("--input-file", help="JSON or YAML file with the input; - for standard input."),
]
InputLines = Annotated[
    Path | None,
    typer.Option(
        "--inputs", help="File with one JSON input per line, run as a batch; - for standard input."
    ),
]
Variable = Annotated[
    list[str] | None, typer.Option("--variable", help="NAME=VALUE; the value is JSON or text.")
]
FromEnv = Annotated[
    bool, typer.Option("--variables-from-env", help="Read missing variables from the environment.")
]
Overrides = Annotated[str | None, typer.Option(help="JSON object of changes to steps, by step id.")]
Concurrency = Annotated[
    int | None,
    typer.Option("--max-concurrency", min=1, help="Maximum items in progress."),
]
Seconds = Annotated[float | None, typer.Option(min=0, help="Maximum time to wait, in seconds.")]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(help="Key of this call: the same call with the same key is one run, not two."),
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Show the steps as they start and finish.")
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Print all that the server says of a failure, its backtrace too."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document per line.")]
