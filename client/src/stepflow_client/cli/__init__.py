"""The command `stepflow-client`."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import typer
from typer.main import get_command

from stepflow_client.cli._commands import app
from stepflow_client.cli._output import error_line
from stepflow_client.errors import (
    InvalidAnswer,
    InvalidRequest,
    StepflowError,
    Timeout,
    TransportError,
)

__all__ = ["main", "run"]

# typer exports what it raises for wrong usage under the names of subclasses alone.
UsageError: Any = typer.BadParameter.__bases__[0]

FAILED = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130


def run(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: What stands behind the command's name; by default this process's.

    Returns:
        0 for success, 1 where the flow failed or the server refused, 2 for wrong usage, 3 where the
        server did not answer as a Stepflow server or in time, 130 after Ctrl-C.
    """
    try:
        code = get_command(app).main(arguments, "stepflow-client", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except StepflowError as error:
        error_line(str(error))
        return _exit_code(error)
    except UsageError as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        error_line("interrupted; a run that was created goes on")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough.
        sys.stdout = None
        return 0


def main() -> NoReturn:
    """Runs the command and ends the process."""
    sys.exit(run())


def _exit_code(error: StepflowError) -> int:
    if isinstance(error, InvalidRequest):
        return USAGE
    return UNREACHABLE if isinstance(error, TransportError | InvalidAnswer | Timeout) else FAILED
