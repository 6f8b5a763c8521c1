#!/usr/bin/env python3
"""Measures how long builds take and what the compiler needs, and prints a table.

    tools/bench/build.py            all but the build from an empty cache
    tools/bench/build.py --cold     that one as well: it downloads Bazel and all packages anew

Runs on the host, since it measures tools/bazel itself; needs Python 3.9 and nothing else. The
checkout is cloned into a temporary folder: nothing in it changes, and what is not committed is not
measured.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROUNDS = 7


class Clone:
    """A clone of this checkout with an output base and, where asked for, a cache of its own."""

    def __init__(self, folder: Path, cold: bool = False) -> None:
        self.folder = folder / "clone"
        self.environment = dict(os.environ)
        if cold:
            home = folder / "home"
            home.mkdir()
            self.environment.update(HOME=str(home), XDG_CACHE_HOME=str(home / ".cache"))
        checkout = Path(__file__).resolve().parents[2]
        subprocess.run(["git", "clone", "-q", str(checkout), str(self.folder)], check=True)
        self.options = [f"--output_base={folder / 'base'}"]

    def bazel(self, *arguments: str) -> tuple[float, str]:
        """Run Bazel; return the seconds it took and what it printed."""
        start = time.perf_counter()
        done = subprocess.run(
            ["tools/bazel", *self.options, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"bazel {' '.join(arguments)} failed: {done.stderr.strip()[-2000:]}")
        return seconds, done.stdout

    def close(self) -> None:
        """Stop the clone's Bazel server."""
        self.bazel("shutdown")


def changed_spec(clone: Clone, count: int) -> float:
    """Add a field to a model of the clone's spec and check that the build has it."""
    spec = clone.folder / "api" / "openapi.json"
    document = json.loads(spec.read_text(encoding="utf-8"))
    field = f"benchField{count}"
    schema = document["components"]["schemas"]["RunSummary"]
    schema["properties"][field] = {"type": "string"}
    spec.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    seconds, _ = clone.bazel("build", "//api")
    built = clone.folder / "bazel-bin/api/src/stepflow_api/models/run_summary.py"
    if field not in built.read_text(encoding="utf-8"):
        sys.exit(f"the built models lack {field}; the measurement means nothing")
    return seconds


def peak_memory(clone: Clone) -> float:
    """Return the compiler's peak memory in MiB: the largest of its processes."""
    clone.bazel("build", "//tools/codegen:compile", "//third_party/python:ruff")
    program = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    package = clone.folder / "api/src/stepflow_api"
    hand_written = [
        f"{file.relative_to(package).as_posix()}={file}"
        for part in ("models", "api")
        for file in sorted((package / part).rglob("*.py"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        _, printed = clone.bazel(
            "run",
            f"--run_under=python3.11 -c '{program}'",
            "//tools/codegen:compile",
            "--",
            f"--spec={clone.folder}/api/openapi.json",
            "--package=stepflow_api",
            "--command=bench",
            f"--ruff={clone.folder}/bazel-bin/third_party/python/ruff",
            f"--archive={folder}/out.zip",
            "--hand-written",
            *hand_written,
        )
    return float(re.findall(r"[\d.]+", printed)[-1])


def row(
    case: str,
    value: float,
    unit: str,
    target: float,
    spread: tuple[float, float] | None = None,
) -> bool:
    """Print one line of the table and return whether the target is met."""
    met = value <= target
    around = f" ({spread[0]:.2f} to {spread[1]:.2f})" if spread else ""
    verdict = "ok" if met else "MISSED"
    print(f"{case:<58} {value:>8.2f} {unit:<4}{around:<17} target {target:g} {unit} {verdict}")
    sys.stdout.flush()
    return met


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the middle half of the values as a pair."""
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def main() -> int:
    """Measures and prints; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cold", action="store_true", help="also build from an empty cache")
    arguments = parser.parse_args()
    print(
        f"{os.cpu_count()} CPUs; medians of {ROUNDS} rounds, middle half of the rounds in brackets"
    )
    met: list[bool] = []
    if arguments.cold:
        with tempfile.TemporaryDirectory() as folder:
            clone = Clone(Path(folder), cold=True)
            seconds, _ = clone.bazel("build", "//api")
            met.append(row("build //api from an empty cache", seconds, "s", 180))
            clone.close()
            # Bazel writes its output read-only.
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    with tempfile.TemporaryDirectory() as folder:
        clone = Clone(Path(folder))
        try:
            clone.bazel("build", "//api")
            warm, changed = list[float](), list[float]()
            for count in range(ROUNDS + 1):
                changed.append(changed_spec(clone, count))
                warm.append(clone.bazel("build", "//api")[0])
            # The first round starts what the others find running.
            met.append(
                row("no-op build //api", statistics.median(warm[1:]), "s", 1, quartiles(warm[1:]))
            )
            median = statistics.median(changed[1:])
            met.append(row("changed spec to built models", median, "s", 3, quartiles(changed[1:])))
            met.append(row("peak memory of the compiler", peak_memory(clone), "MiB", 120))
        finally:
            clone.close()
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    return 0 if all(met) else 1


if __name__ == "__main__":
    if shutil.which("git") is None:
        sys.exit("tools/bench/build.py: git is not on PATH; install it and run again")
    sys.exit(main())
