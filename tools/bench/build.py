#!/usr/bin/env python3
"""Measures how long builds take, and prints a table.

    tools/bench/build.py            builds without a change, and after one of the spec
    tools/bench/build.py --cold     one from an empty cache as well: downloads Bazel and packages

Runs on the host, since it measures tools/bazel itself; needs Python 3.9, git and nothing else. A
clone of the checkout is built: nothing in it changes, and what is not committed is not measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

ROUNDS = 7


@contextlib.contextmanager
def cloned(cold: bool = False) -> Generator[tuple[Path, Callable[..., float]]]:
    """Clone the checkout; yield the clone, and a function that runs Bazel in it and times it.

    Args:
        cold: Whether it has a home of its own, with empty caches.
    """
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        environment = {**os.environ, **({"HOME": folder, "XDG_CACHE_HOME": folder} if cold else {})}
        checkout = Path(__file__).resolve().parents[2]
        subprocess.run(["git", "clone", "-q", str(checkout), str(clone)], check=True)

        def bazel(*arguments: str) -> float:
            command = ["tools/bazel", f"--output_base={folder}/base", *arguments]
            start = time.perf_counter()
            done = subprocess.run(
                command, cwd=clone, env=environment, capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(f"bazel {' '.join(arguments)} failed: {done.stderr.strip()[-2000:]}")
            return time.perf_counter() - start

        try:
            yield clone, bazel
        finally:
            bazel("shutdown")
            # Bazel writes its output read-only.
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)


def changed_spec(clone: Path, bazel: Callable[..., float], count: int) -> float:
    """Add a field to a model of the clone's spec and check that the build has it."""
    spec = clone / "api" / "openapi.json"
    document = json.loads(spec.read_text(encoding="utf-8"))
    field = f"benchField{count}"
    document["components"]["schemas"]["RunSummary"]["properties"][field] = {"type": "string"}
    spec.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    seconds = bazel("build", "//api")
    built = clone / "bazel-bin/api/src/stepflow_api/models/run_summary.py"
    if field not in built.read_text(encoding="utf-8"):
        sys.exit(f"the built models lack {field}; the measurement means nothing")
    return seconds


def row(case: str, seconds: list[float], target: float) -> bool:
    """Print one line of the table and return whether the target is met."""
    median = statistics.median(seconds)
    met = median <= target
    low, high = min(seconds), max(seconds)
    around = f"({low:.2f} to {high:.2f})"
    print(
        f"{case:<34} {median:>8.2f} s {around:<17} target {target:g} s {'ok' if met else 'MISSED'}"
    )
    return met


def main() -> int:
    """Measure and print; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cold", action="store_true", help="also build from an empty cache")
    cold = parser.parse_args().cold
    print(f"{os.cpu_count()} CPUs; medians of {ROUNDS} rounds, lowest and highest in brackets")
    met: list[bool] = []
    if cold:
        with cloned(cold=True) as (_, bazel):
            met.append(row("build //api from an empty cache", [bazel("build", "//api")], 180))
    with cloned() as (clone, bazel):
        bazel("build", "//api")
        warm, changed = list[float](), list[float]()
        for count in range(ROUNDS + 1):
            changed.append(changed_spec(clone, bazel, count))
            warm.append(bazel("build", "//api"))
    # The first round starts what the others find running.
    met.append(row("no-op build //api", warm[1:], 1))
    met.append(row("changed spec to built models", changed[1:], 3))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
