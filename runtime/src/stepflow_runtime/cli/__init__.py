"""The command `stepflow-runtime`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from stepflow_runtime.cli._output import (
    Interrupted,
    error_line,
    interruptible,
    show_output_at_once,
)
from stepflow_runtime.errors import InvalidInput, StepflowError

__all__ = ["main", "run"]

FAILED = 1
USAGE = 2

_MODULES = "module, or MODULE:FUNCTION, whose functions flows can call as /python/NAME; repeatable"


def run(arguments: list[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Arguments of the command; by default those of this process.

    Returns:
        0 after Ctrl-C or SIGTERM, 1 if the server failed, 2 for wrong usage.
    """
    # For wrong usage, argparse exits.
    parsed = _parser().parse_args(arguments)
    show_output_at_once()
    try:
        with interruptible():
            if parsed.command == "worker":
                from stepflow_runtime.cli._worker import work

                return work(parsed)
            from stepflow_runtime.cli._serve import serve

            return serve(parsed)
    except Interrupted:
        return 0
    except InvalidInput as error:
        error_line(str(error))
        return USAGE
    except StepflowError as error:
        error_line(str(error))
        return FAILED


def main() -> NoReturn:
    """Run the command and exit."""
    sys.exit(run())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "stepflow-runtime", description="Run a Stepflow server.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="run a server until Ctrl-C",
        description="Run a server until Ctrl-C.",
        allow_abbrev=False,
    )
    serve.add_argument(
        "--port",
        type=int,
        default=7840,
        help="port to listen on; 0 for any free port; by default %(default)s; more servers listen"
        " on the following ports",
    )
    serve.add_argument(
        "--servers",
        type=int,
        default=1,
        metavar="N",
        help="number of servers, of version 0.13 or later, that share a data folder; by default"
        " %(default)s",
    )
    serve.add_argument(
        "--etcd",
        action="append",
        default=[],
        metavar="URL",
        help="etcd for several servers, repeatable; by default one is started (Debian's package"
        " etcd-server)",
    )
    serve.add_argument(
        "--listen",
        choices=("all", "loopback"),
        default="all",
        help="listen on every network interface, the default, or for this machine only (Linux)",
    )
    serve.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="keep flows and runs in this folder; by default they are lost at the end",
    )
    serve.add_argument(
        "--upgrade",
        action="store_true",
        help="convert a data folder of another server version, after a backup",
    )
    serve.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the server's config; by default the builtin components that only compute",
    )
    serve.add_argument("--components", action="append", default=[], metavar="MODULE", help=_MODULES)
    serve.add_argument("--binary", type=Path, metavar="FILE", help="the server's executable")
    serve.add_argument(
        "--log-level",
        choices=("error", "warn", "info", "debug"),
        default="warn",
        help="lowest level of the server's log lines on standard error; by default %(default)s",
    )
    worker = commands.add_parser(
        "worker",
        help="serve components to a server from this process",
        description="Serve components to a server, which starts this command or is reached by"
        " --tasks-url.",
        allow_abbrev=False,
    )
    worker.add_argument("components", nargs="+", metavar="MODULE[:FUNCTION]", help=_MODULES)
    worker.add_argument(
        "--tasks-url",
        metavar="HOST:PORT",
        help="a server from 0.12 on that is running already; by default $STEPFLOW_TASKS_URL",
    )
    worker.add_argument(
        "--queue",
        metavar="NAME",
        help="queueName of the plugin in its config; by default $STEPFLOW_QUEUE_NAME, or python",
    )
    return parser


class _Version(argparse.Action):
    """Prints the version, which is only then imported."""

    def __init__(self, option_strings: list[str], dest: str, **options: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=options.get("help"))

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from stepflow_api import __version__

        print(f"stepflow-runtime {__version__}")
        parser.exit()
