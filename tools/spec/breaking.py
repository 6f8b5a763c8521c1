"""Says which changes between two OpenAPI documents break callers: `//tools/spec:breaking`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.spec.compatibility import judge, verdict
from tools.spec.normalise import SpecError, parse

_EXIT_CODES = """\
Exit code: 0 when no change breaks callers, 1 when one does, 2 when a document cannot be read.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two documents and print every change with its verdict, breaking ones first.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code: 0 when every change is compatible, 1 when one breaks callers, 2 when a
        document cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog="tools/bazel run //tools/spec:breaking --", description=__doc__, epilog=_EXIT_CODES
    )
    parser.add_argument("old", help="the OpenAPI document before, as JSON")
    parser.add_argument("new", help="the OpenAPI document after, as JSON")
    options = parser.parse_args(arguments)
    try:
        judgements = judge(_read(options.old), _read(options.new))
    except SpecError as error:
        print(f"breaking: {error}", file=sys.stderr)
        return 2
    print(f"{options.old} -> {options.new}: {verdict(judgements)}", *judgements, sep="\n  ")
    return 1 if any(judgement.is_breaking for judgement in judgements) else 0


def _read(name: str) -> dict[str, Any]:
    # Bazel runs programs in a folder of its own.
    path = Path(os.environ.get("BUILD_WORKING_DIRECTORY", ""), name)
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise SpecError(
            f"cannot read {name}: {error.strerror}; pass the paths of two OpenAPI documents"
        ) from error
    except SpecError as error:
        raise SpecError(f"cannot compare {name}: {error}; pass an OpenAPI document") from error


if __name__ == "__main__":
    sys.exit(main())
