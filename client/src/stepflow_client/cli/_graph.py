"""The subcommand that draws a flow."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from stepflow_api.models import Flow
from stepflow_client._core.flow_source import resolve
from stepflow_client._files import write_file
from stepflow_client.cli._app import app, client_of
from stepflow_client.cli._options import Flow as FlowArgument
from stepflow_client.cli._output import print_text


class Format(enum.StrEnum):
    """Forms of a picture."""

    MERMAID = "mermaid"
    SVG = "svg"
    DOT = "dot"


_FORMATS = {".svg": Format.SVG, ".dot": Format.DOT, ".gv": Format.DOT}


@app.command()
def graph(
    context: typer.Context,
    flow: FlowArgument,
    format: Annotated[
        Format | None,
        typer.Option(help="By default that of the output file's name, or mermaid."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write to.")] = None,
) -> None:
    """Draw a flow: its steps, and which step reads which."""
    source = resolve(flow)
    if isinstance(source, str):
        with client_of(context) as client:
            model = client.get_flow(source)
    else:
        model = source.load()
    suffix = output.suffix.lower() if output is not None else ""
    text = _draw(model, format or _FORMATS.get(suffix, Format.MERMAID))
    if output is None:
        print_text(text.removesuffix("\n"))
    else:
        write_file(output, text.encode())


def _draw(flow: Flow, format: Format) -> str:
    match format:
        case Format.MERMAID:
            return flow.to_mermaid()
        case Format.SVG:
            return flow.to_svg()
        case Format.DOT:
            return flow.to_dot()
