"""Writes what the SDK can do with every released server: `//tools/spec:compat`.

It says how the specs differ that the servers serve, calls every operation on each server's binary,
and writes the table into the README.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.files import PlaceError, marked_part, replace_file, with_marked_part
from tools.spec.compat.probe import ProbeError, probe
from tools.spec.compat.table import BEGIN, END, render
from tools.spec.compatibility import judge, verdict
from tools.spec.normalise import SpecError, parse
from tools.spec.served import served_spec
from tools.spec.server import ServerError

_COMMAND = "tools/bazel run //tools/spec:compat"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code: 0 when the README holds the table.
    """
    parser = argparse.ArgumentParser(prog="compat", description=__doc__)
    parser.add_argument("--readme", required=True, help="seen from the workspace")
    parser.add_argument("servers", nargs="+", metavar="version=binary", help="oldest first")
    options = parser.parse_args(arguments)
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        return _fail(f"this works under Bazel only; run: {_COMMAND}")
    binaries = dict(server.split("=", 1) for server in options.servers)
    path = Path(workspace, options.readme)
    try:
        text = path.read_text(encoding="utf-8")
        marked_part(text, BEGIN, END)
        print(*spec_changes(binaries), sep="\n")
        table = render({version: probe(binary) for version, binary in binaries.items()})
        new = with_marked_part(text, BEGIN, END, table)
        if new == text:
            print(f"{options.readme} is up to date.")
            return 0
        replace_file(path, new)
    except (ProbeError, ServerError, PlaceError) as error:
        return _fail(f"{options.readme} is left as it was: {error}")
    except OSError as error:
        return _fail(f"{options.readme} is left as it was: {error.strerror}: {error.filename}")
    print(f"{options.readme}: the table is written")
    return 0


def spec_changes(binaries: Mapping[str, str]) -> list[str]:
    """Says how the specs differ that servers serve.

    Args:
        binaries: The servers' executables by version, oldest first.

    Returns:
        A line for each step from one version to the next, with the breaking changes below it.
    """
    lines: list[str] = []
    served: dict[str, dict[str, Any]] = {}
    for version, binary in binaries.items():
        try:
            served[version] = parse(served_spec(binary))
        except SpecError:
            lines.append(f"{version} serves no spec")
    told: list[str] = []
    for old, new in itertools.pairwise(served):
        judgements = judge(served[old], served[new])
        told.append(f"{old} -> {new}: {verdict(judgements)}")
        told += [f"  {judgement}" for judgement in judgements if judgement.is_breaking]
    return [*told, *lines]


def _fail(message: str) -> int:
    print(f"compat: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
