"""Measures this SDK beside other clients and beside the least that any client needs.

    tools/bazel run //tools/bench                        every case, as tables: some 10 minutes
    tools/bazel run //tools/bench -- sync_call import    some cases
    tools/bazel run //tools/bench -- --chart=FILE.png    a chart as well
    tools/bazel run //tools/bench -- --json > 1.json     as JSON
    tools/bazel run //tools/bench -- --results 1.json 2.json    writes tools/bench/RESULTS.md

Each contestant of a case is a process of its own. They take turns, round by round, and each round
is compared with its neighbours, so other work on the machine affects all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench.cases import AGAIN, CASES, GROWTH, PROGRAMS, SDK, Case
from tools.bench.chart import draw
from tools.bench.driver import BenchError, Contestant, run_case
from tools.bench.results import all_met, case_report, growth_report, report, versions
from tools.bench.world import World, real_server
from tools.files import replace_file, with_marked_part
from tools.spec.server import ServerError

_BEGIN = "<!-- Written by tools/bazel run //tools/bench -- --results, from here -->"
_END = "<!-- to here -->"

_GROWTH_ROUNDS = 3
_SECONDS = 0.2


class Bench:
    """The contestants' packages, and the files that they read.

    Args:
        folder: Takes the packages.
        rounds: Rounds that count; None for those of each case.
    """

    def __init__(self, folder: Path, rounds: int | None) -> None:
        self._folder = folder
        self._rounds = rounds
        #: The environment's BENCH_ variables, with absolute paths.
        self.paths = {
            name.removeprefix("BENCH_").lower(): " ".join(map(os.path.abspath, value.split()))
            for name, value in os.environ.items()
            if name.startswith("BENCH_")
        }

    def run(self, name: str) -> Any:
        """Run a case, or a series of sizes; return its part of a run's document."""
        # With a server of its own: no case finds what another one left behind.
        with real_server(self.paths) as world:
            if name in CASES:
                return self._case(name, CASES[name], world)
            return {size: self._size(name, world, size) for size in GROWTH[name].sizes}

    def _case(self, name: str, case: Case, world: World) -> dict[str, Any]:
        facts, expected = case.world(world, case.size)
        with ExitStack() as stack:
            contestants = [
                stack.enter_context(self._contestant(one, name, facts, expected))
                for one in (SDK, AGAIN, *case.others)
            ]
            rounds = self._rounds or case.rounds
            run_case(contestants, rounds=rounds, seconds=_SECONDS, count=case.count)
        response = Path(facts["items_file"]).stat().st_size if "items_file" in facts else 0
        return {
            "rounds": {one.name: one.rounds for one in contestants},
            "versions": {one.name: one.versions for one in contestants if one.name != AGAIN},
            "allowed": case.memory and case.memory + response,
        }

    def _size(self, name: str, world: World, size: int) -> Any:
        case = CASES[GROWTH[name].case]
        facts, expected = case.world(world, size)
        with self._contestant(SDK, GROWTH[name].case, facts, expected) as one:
            rounds = self._rounds or _GROWTH_ROUNDS
            run_case([one], rounds=rounds, seconds=_SECONDS, count=case.count)
        return one.rounds

    def _contestant(self, name: str, case: str, facts: Any, expected: Any) -> Contestant:
        contestant = SDK if name == AGAIN else name
        program = PROGRAMS[contestant]
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "PATH") if key in os.environ}
        packages = self._folder / program.packages
        if not packages.exists():
            layer = str(Path("tools/bench", program.packages).absolute())
            subprocess.run([layer, "--lay-out", str(packages)], env=kept, check=True)
        job = {
            "module": f"tools.bench.contestants.{program.module}",
            "contestant": contestant,
            "case": case,
            "facts": facts,
            "versions": program.versions,
        }
        return Contestant(name, {**kept, "PYTHONPATH": str(packages)}, job, expected)


def main(arguments: list[str]) -> int:
    """Run the benchmark.

    Args:
        arguments: The command line.

    Returns:
        0 where every target is met, 1 where one is missed, 2 where the benchmark means nothing, 130
        where it was interrupted; SIGTERM exits with 143.
    """
    options = _options(arguments)
    # So that blocks end: servers, contestants and temporary folders are theirs.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        return _write(options.results) if options.results else _run(options)
    except (BenchError, ServerError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    out = sys.stderr if options.json else sys.stdout
    with tempfile.TemporaryDirectory(prefix="stepflow-bench-") as folder:
        bench = Bench(Path(folder), options.rounds)
        with real_server(bench.paths) as world:
            run: dict[str, Any] = {"machine": _machine(world.version), "cases": {}, "growth": {}}
        print(run["machine"], file=out, flush=True)
        for name in options.cases:
            run["cases" if name in CASES else "growth"][name] = bench.run(name)
            if name in CASES:
                print(*case_report(name, [run]), sep="\n", file=out, flush=True)
    print(*growth_report([run]), "", *versions([run]), sep="\n", file=out)
    if options.json:
        print(json.dumps(run))
    if options.chart:
        draw(run, options.chart)
        print(f"\nchart: {options.chart}", file=out)
    return int(not all_met(run))


def _write(files: list[Path]) -> int:
    results = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ""), "tools/bench/RESULTS.md")
    try:
        runs = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        tables = "\n".join(report(runs))
        text = with_marked_part(results.read_text(encoding="utf-8"), _BEGIN, _END, tables)
    except (ValueError, LookupError, TypeError) as error:
        raise BenchError(f"cannot write {results}: {error!r}; pass what --json printed") from None
    replace_file(results, text)
    print(f"wrote {results}")
    return 0


def _machine(server: str) -> str:
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2] for line in cpuinfo if line.startswith("model name")]
    processor = " ".join((models or [platform.machine()])[0].split())
    return (
        f"{len(os.sched_getaffinity(0))} CPUs ({processor}), {platform.system()}"
        f" {platform.machine()}, Python {platform.python_version()}, server {server}"
    )


def _options(arguments: list[str]) -> argparse.Namespace:
    names = [*CASES, *GROWTH]
    parser = argparse.ArgumentParser(
        prog="bench",
        description=(__doc__ or "").splitlines()[0],
        epilog="Cases: " + ", ".join(names),
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="what to run; all by default")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    parser.add_argument("--chart", type=_place, metavar="FILE", help="write a chart, PNG")
    parser.add_argument(
        *("--results",), nargs="+", type=_place, metavar="RUN", help="write what --json printed"
    )
    parser.add_argument("--rounds", type=int, help="rounds that count")
    options = parser.parse_args(arguments)
    for name in options.cases:
        if name not in names:
            parser.error(f"there is no case {name!r}; choose from {', '.join(names)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; pass 1 or more")
    if options.chart is not None and not options.chart.parent.is_dir():
        parser.error(f"--chart: the folder of {options.chart} does not exist; create it")
    options.cases = options.cases or names
    return options


def _place(text: str) -> Path:
    # Bazel runs this in a folder of its own.
    return Path(os.environ.get("BUILD_WORKING_DIRECTORY", ""), text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
