"""Output of the command, and its end by a signal."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Generator
from typing import Any, NoReturn

from stepflow_api.errors import one_line


class Interrupted(BaseException):
    """Ctrl-C was pressed, or SIGTERM received."""


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """Raise `Interrupted` in the block for the signals that end a program."""

    def interrupt(*_: object) -> NoReturn:
        raise Interrupted

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def show_output_at_once() -> None:
    """Write each line that a component prints at once, also into a pipe or a file."""
    output: Any = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(line_buffering=True)


def error_line(message: str) -> None:
    """Print an error message to standard error, on one line."""
    print(f"stepflow-runtime: {one_line(message)}", file=sys.stderr)


def line(text: str) -> None:
    """Print a line at once, also into a pipe."""
    try:
        print(text, flush=True)
    except OSError:
        # The server keeps running without a reader. Python flushes the buffer again at exit, which
        # would fail with exit code 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
