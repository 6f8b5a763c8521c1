"""Measures this SDK beside other clients and beside what nobody can do without.

    tools/bazel run //tools/bench                        every case, as a table: some 7 minutes
    tools/bazel run //tools/bench -- sync_call import    some cases
    tools/bazel run //tools/bench -- --json              as JSON, for //tools/bench:report
    tools/bazel run //tools/bench -- --chart=FILE.png    a chart as well

Each contestant of a case is a process of its own. They take turns, round by round, and each round
is compared with its neighbours: what else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench.cases import CASES, PROGRAMS, SDK, module
from tools.bench.chart import draw
from tools.bench.driver import BenchError, Contestant, run_case
from tools.bench.growth import GROWTH, Grown, run_growth
from tools.bench.installation import Installations
from tools.bench.results import (
    Result,
    as_json,
    growth_text,
    machine_text,
    response_size,
    result_text,
)
from tools.bench.world import World, real_server
from tools.spec.server import ServerError

_ROUNDS = 15
_SECONDS = 0.2


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
        return _run(options)
    except (BenchError, ServerError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    results: list[Result] = []
    grown: dict[str, Grown] = {}
    say = sys.stderr if options.json else sys.stdout
    paths = _paths()
    with tempfile.TemporaryDirectory(prefix="stepflow-bench-") as folder:
        installations = Installations(Path(folder))
        with real_server(paths) as world:
            machine = _machine(world)
        print(machine_text(machine), file=say, flush=True)
        for name in options.cases:
            # A server of its own: what one case has left behind is no matter of the next.
            with real_server(paths) as world:
                if name in CASES:
                    results.append(_run_case(name, world, installations, options))
                    lines = result_text(results[-1])
                else:
                    environment = installations.environment(_program(SDK))
                    grown[name] = run_growth(name, world, environment, options.rounds)
                    lines = growth_text(name, grown[name])
            print("", *lines, sep="\n", file=say, flush=True)
    if options.json:
        print(json.dumps(as_json(machine, results, grown), indent=2))
    if options.chart:
        draw(results, grown, machine_text(machine), options.chart)
        print(f"\nchart: {options.chart}", file=say)
    return int(not all(result.met for result in results))


def _run_case(
    name: str, world: World, installations: Installations, options: argparse.Namespace
) -> Result:
    case = CASES[name]
    facts, expected = case.world(world)
    environments = [installations.environment(_program(one)) for one in case.contestants]
    with ExitStack() as stack:
        contestants = [
            stack.enter_context(Contestant(one, module(one), environment, name, facts, expected))
            for one, environment in zip(case.contestants, environments, strict=True)
        ]
        run_case(
            contestants,
            rounds=options.rounds or case.rounds or _ROUNDS,
            seconds=_SECONDS,
            count=case.count,
        )
    response = response_size(facts) if case.over_response else 0
    return Result(name, {one.name: one.series for one in contestants}, response)


def _program(contestant: str) -> str:
    return str(Path("tools/bench/contestants", PROGRAMS[contestant]).absolute())


def _paths() -> dict[str, str]:
    prefix = "BENCH_"
    paths: dict[str, str] = {}
    for name, value in os.environ.items():
        if name.startswith(prefix):
            files = [str(Path(file).absolute()) for file in value.split()]
            paths[name.removeprefix(prefix).lower()] = " ".join(files)
    return paths


def _machine(world: World) -> dict[str, Any]:
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "server": world.version,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.machine()


def _options(arguments: list[str]) -> argparse.Namespace:
    description = (__doc__ or "").splitlines()[0]
    names = [*CASES, *GROWTH]
    parser = argparse.ArgumentParser(
        prog="bench",
        description=description,
        epilog="Cases: " + ", ".join(names),
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="what to run; all by default")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--chart", type=_place, metavar="FILE", help="write a chart, PNG")
    parser.add_argument("--rounds", type=int, help="rounds that count")
    options = parser.parse_args(arguments)
    for name in options.cases:
        if name not in names:
            parser.error(f"there is no case {name!r}; choose from {', '.join(names)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; pass 1 or more")
    if options.chart is not None and not options.chart.parent.is_dir():
        parser.error(f"--chart is to write {options.chart}, whose folder is not there; make it")
    options.cases = options.cases or names
    return options


def _place(text: str) -> Path:
    # Bazel runs this in a folder of its own.
    return Path(os.environ.get("BUILD_WORKING_DIRECTORY", ""), text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
