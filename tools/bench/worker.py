"""The side of a contestant: a process of its own that runs cases when it is told to.

The benchmark writes one JSON object a line to its standard input, and reads one for each. The first
names the case and the world; every other one says how many operations to do at once.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from tools.bench.installation import lay_out_if_asked


@dataclass(frozen=True, slots=True)
class Measured:
    """What operations took that a case has timed itself, since they ran in other processes.

    Attributes:
        answer: What they gave.
        wall: Seconds by the clock.
        cpu: Seconds of processor time.
        peak: Bytes of memory of the largest process; 0 where that is this one.
    """

    answer: Any
    wall: float
    cpu: float
    peak: int = 0


World = Mapping[str, Any]

_PEAK_FILE = 9

# The memory that wait4 reports for a process counts in the process that started it.
_TELL_PEAK = f"""
import atexit
@atexit.register
def _tell_peak():
    with open("/proc/self/status") as status, open({_PEAK_FILE}, "w") as peak:
        peak.write(status.read().partition("VmHWM:")[2].split()[0] + "\\n")
"""

#: Performs a number of operations, and returns what shows that they were right, or a function that
#: returns it and is called after the measurement.
Run = Callable[[int], Any]

Case = Callable[[World], AbstractContextManager[Run]]


def serve(cases: Mapping[str, Case], packages: Sequence[str] = ()) -> None:
    """Do what the benchmark asks for until it closes the pipe.

    Args:
        cases: What this contestant can do, by the name of the case.
        packages: Distributions whose versions the benchmark states.
    """
    lay_out_if_asked()
    # What a contestant prints must not end up among the replies.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        with contextlib.ExitStack() as stack:
            try:
                _serve(cases, packages, stack, replies)
            except Exception as error:
                # The benchmark says which contestant, in which case.
                _reply(replies, {"error": f"{type(error).__name__}: {error}"})


def _serve(
    cases: Mapping[str, Case],
    packages: Sequence[str],
    stack: contextlib.ExitStack,
    replies: TextIO,
) -> None:
    first = json.loads(sys.stdin.readline() or "null")
    if first is None:
        return
    run = stack.enter_context(cases[first["case"]](first["world"]))
    _reply(replies, {"versions": {name: importlib.metadata.version(name) for name in packages}})
    for line in sys.stdin:
        count = json.loads(line)["count"]
        # Each round begins with the garbage of the one before gone.
        gc.collect()
        wall, cpu = time.perf_counter(), _cpu()
        answer = run(count)
        wall, cpu = time.perf_counter() - wall, _cpu() - cpu
        peak = 0
        if callable(answer):
            answer = answer()
        if isinstance(answer, Measured):
            answer, wall, cpu, peak = answer.answer, answer.wall, answer.cpu, answer.peak
        _reply(replies, {"answer": answer, "wall": wall, "cpu": cpu, "peak": peak or peak_memory()})


def peak_memory() -> int:
    """Return the most memory that this process had, in bytes.

    What getrusage reports counts in the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def run_python(
    code: str, arguments: Sequence[str], count: int, environment: Mapping[str, str] = os.environ
) -> Measured:
    """Run code in an interpreter of its own, so many times, one after the other.

    Args:
        code: What it runs.
        arguments: Its `sys.argv[1:]`.
        count: How often.
        environment: All of its environment.

    Returns:
        What all of them took; the answer is "done".

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "-P", "-c", _TELL_PEAK + code, *arguments]
    reader, writer = os.pipe()
    silence = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    with os.fdopen(reader) as peaks:
        wall = time.perf_counter()
        cpu = 0.0
        try:
            for _ in range(count):
                actions = [silence, (os.POSIX_SPAWN_DUP2, writer, _PEAK_FILE)]
                pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
                _, status, usage = os.wait4(pid, 0)
                if status:
                    raise RuntimeError(f"{code.strip()[:80]!r} ended with status {status}")
                cpu += usage.ru_utime + usage.ru_stime
            wall = time.perf_counter() - wall
        finally:
            os.close(writer)
        return Measured("done", wall, cpu, max(int(peak) * 1024 for peak in peaks))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _reply(replies: TextIO, reply: Mapping[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()
