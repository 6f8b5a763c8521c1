"""A contestant's process, and the program that lays out its packages.

The benchmark writes one JSON object per line to standard input, and reads one for each. The first
names the case and its facts; every other one says how many operations to do.

`PROGRAM --lay-out FOLDER` links the packages of a Bazel program into one folder, as an installation
has them. Bazel puts each package into its own folder, without byte code: imports from there take
longer, and httpcore's vain import on every asynchronous request ten times as long.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: What contestants import of this repository as `tools`.
_TOOLS = Path(__file__).absolute().parents[1]


def main() -> None:
    """Do what the benchmark asks for until it closes the pipe."""
    if sys.argv[1:2] == ["--lay-out"]:
        lay_out(Path(sys.argv[2]))
        return
    # What a contestant prints must not end up among the replies.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        with contextlib.ExitStack() as stack:
            try:
                for reply in _replies(stack):
                    print(json.dumps(reply), file=replies, flush=True)
            except Exception as error:
                # The benchmark says which contestant, in which case.
                reply = {"error": f"{type(error).__name__}: {error}"}
                print(json.dumps(reply), file=replies, flush=True)


def _replies(stack: contextlib.ExitStack) -> Iterator[dict[str, Any]]:
    line = sys.stdin.readline()
    if not line:
        return
    job = json.loads(line)
    cases = importlib.import_module(job["module"]).CASES[job["contestant"]]
    run = stack.enter_context(cases[job["case"]](job["facts"]))
    yield {name: importlib.metadata.version(name) for name in job["versions"]}
    for line in sys.stdin:
        count = json.loads(line)["count"]
        # Each round begins with the garbage of the one before gone.
        gc.collect()
        wall, cpu = time.perf_counter(), _cpu()
        answer = run(count)
        taken = {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}
        # Looking at the results is no part of the measurement.
        answer = answer() if callable(answer) else answer
        own = {"peak": _peak_memory(), "answer": answer}
        yield {**taken, **(answer if isinstance(answer, dict) else own)}


def _cpu() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_memory() -> int:
    # Other than what getrusage reports, this leaves out the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def lay_out(folder: Path) -> None:
    """Link the packages that this process can import, other than Python's own, into a folder."""
    paths = [Path(path).absolute() for path in sys.path[1:]]
    paths = [path for path in paths if not path.is_relative_to(sys.base_prefix)]
    for path in paths:
        # One that has other ones in it has no packages.
        if path.is_dir() and not any(path in other.parents for other in paths):
            _link(path, folder)
    _link(_TOOLS, folder / _TOOLS.name)


def _link(source: Path, target: Path) -> None:
    def link(file: str, place: str) -> None:
        # Parts of one namespace package are in several folders, some with the same empty module.
        with contextlib.suppress(FileExistsError):
            os.symlink(file, place)

    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, target, copy_function=link, ignore=ignored, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
