"""Fails when the stored spec is not what the server serves: the body of `spec_up_to_date_test`."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.spec.normalise import SpecError
from tools.spec.report import bazel_run, explain
from tools.spec.served import served_spec
from tools.spec.server import ServerError

_MAX_DIFF_LINES = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the stored spec with the served one.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code: 0 when the two are equal.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the server's executable")
    parser.add_argument("--spec", required=True, help="the stored spec")
    parser.add_argument("--update", required=True, help="the target that stores the spec")
    parser.add_argument("--then", required=True, help="the target to run after it")
    options = parser.parse_args(arguments)
    try:
        served = served_spec(options.server)
    except (ServerError, SpecError) as error:
        print(f"cannot check {options.spec}: {error}")
        return 1
    problem = _problem(options.spec, served)
    if not problem:
        return 0
    remedy = f"To fix it: {bazel_run(options.update)} && {bazel_run(options.then)}"
    print(*problem, remedy, sep="\n")
    return 1


def _problem(spec: str, served: str) -> list[str]:
    try:
        stored = Path(spec).read_bytes()
    except FileNotFoundError:
        return [f"{spec} is missing."]
    except OSError as error:
        return [f"{spec} cannot be read: {error.strerror}."]
    changes = explain(stored, served)
    if not changes:
        return []
    heading = f"{spec} is not what the pinned server serves (stored -> served): {changes[0]}"
    return [heading, *(f"  {line}" for line in changes[1:]), *_unified_diff(spec, stored, served)]


def _unified_diff(spec: str, stored: bytes, served: str) -> list[str]:
    old = stored.decode("utf-8", "replace").splitlines()
    lines = list(difflib.unified_diff(old, served.splitlines(), spec, "served", lineterm="", n=2))
    if len(lines) > _MAX_DIFF_LINES:
        return [f"(The text differs in more places than fit here: {len(lines)} lines of diff.)"]
    return lines


if __name__ == "__main__":
    sys.exit(main())
