"""The command `stepflow-client`."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import typer
from typer.main import get_command

from stepflow_client.cli import _commands as _commands
from stepflow_client.cli import _graph as _graph
from stepflow_client.cli import _runs as _runs
from stepflow_client.cli._app import app
from stepflow_client.cli._messages import message_of
from stepflow_client.cli._output import OutputClosed, error_line, flush
from stepflow_client.cli._waiting import Interrupted
from stepflow_client.errors import (
    InvalidAnswer,
    InvalidRequest,
    StepflowError,
    Timeout,
    TransportError,
)

__all__ = ["main", "run"]

# typer raises a class for wrong usage that it exports only by its subclasses.
UsageError: Any = typer.BadParameter.__bases__[0]

FAILED = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130


def run(arguments: list[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Arguments of the command; by default those of this process.

    Returns:
        0 for success, 1 if the flow failed or the server rejected the request, 2 for wrong usage, 3
        if the server did not respond in time or not as a Stepflow server, 130 after Ctrl-C.
    """
    try:
        # On Windows, typer would expand `*`, `~` and `$NAME` in the arguments of the process, JSON
        # and tokens included.
        code = get_command(app).main(
            sys.argv[1:] if arguments is None else arguments,
            "stepflow-client",
            standalone_mode=False,
        )
        flush()
    except StepflowError as error:
        error_line(message_of(error))
        return _exit_code(error)
    except UsageError as error:
        error.show()
        return USAGE
    except Interrupted as error:
        error_line(str(error))
        return INTERRUPTED
    except OutputClosed:
        return 0
    if code == INTERRUPTED:
        error_line("interrupted")
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """Run the command and exit."""
    sys.exit(run())


def _exit_code(error: StepflowError) -> int:
    if isinstance(error, InvalidRequest):
        return USAGE
    return UNREACHABLE if isinstance(error, TransportError | InvalidAnswer | Timeout) else FAILED
