"""Stores the spec that the server serves, and says what has changed: the body of `update_spec`."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from tools.files import replace_file
from tools.spec.normalise import SpecError
from tools.spec.report import bazel_run, explain
from tools.spec.served import served_spec
from tools.spec.server import ServerError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interrupted(BaseException):
    """A signal asks the process to end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal = signal.Signals(signal_number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Replace the stored spec by the served one.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code: 0 when the stored spec is now what the server serves.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the server's executable")
    parser.add_argument("--spec", required=True, help="the stored spec, seen from the workspace")
    parser.add_argument("--update", required=True, help="the target that this program is")
    parser.add_argument("--then", required=True, help="the target to run after it")
    options = parser.parse_args(arguments)
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        return _fail(f"this works under Bazel only; run: {bazel_run(options.update)}")
    try:
        _on_signals(_interrupt)
        served = served_spec(options.server)
        _on_signals(signal.SIG_IGN)
        changes = _store(Path(workspace, options.spec), served)
    except (ServerError, SpecError) as error:
        return _fail(f"{options.spec} is left as it was: {error}")
    except _Interrupted as interrupt:
        _fail(f"{options.spec} is left as it was: interrupted by {interrupt.signal.name}")
        return 128 + interrupt.signal
    except OSError as error:
        return _fail(
            f"{options.spec} is left as it was: cannot write {error.filename}: {error.strerror}; "
            "make that possible and run this again"
        )
    if not changes:
        print(f"{options.spec} is up to date: the server serves the same document.")
        return 0
    print(f"{options.spec}: {changes[0]}", *changes[1:], sep="\n  ")
    print(f"Next, bring the generated code in line: {bazel_run(options.then)}")
    return 0


def _store(path: Path, served: str) -> list[str]:
    """Write the file unless it is right already; return what has changed."""
    try:
        changes = explain(path.read_bytes(), served)
    except FileNotFoundError:
        changes = ["stored; there was none before"]
    if changes:
        replace_file(path, served)
    return changes


def _interrupt(number: int, _frame: FrameType | None) -> None:
    # A second signal ends this process at once, and the server ends with it.
    _on_signals(signal.SIG_DFL)
    raise _Interrupted(number)


def _on_signals(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # As nohup leaves it.
            signal.signal(number, action)


def _fail(message: str) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"update_spec: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
