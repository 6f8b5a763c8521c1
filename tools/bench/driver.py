"""Runs a case: each contestant is a process, and they take turns."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

_EXIT_SECONDS = 10.0


class BenchError(Exception):
    """The measurements would mean nothing, for the reason given on one line."""


class Round(NamedTuple):
    """What one operation took in a round: seconds by the clock, CPU seconds, bytes of memory."""

    wall: float
    cpu: float
    peak: float

    @property
    def rate(self) -> float:
        """Operations in a second."""
        return 1 / self.wall


class Contestant:
    """A contestant's process that runs one case; a context manager.

    Args:
        name: The contestant, in messages.
        environment: All of its environment, with its packages.
        job: What the worker is told: module, contestant, case, facts, versions.
        expected: The right answer.
    """

    def __init__(
        self, name: str, environment: Mapping[str, str], job: Mapping[str, Any], expected: Any
    ) -> None:
        self.name = name
        self.rounds: list[Round] = []
        self.versions: dict[str, str] = {}
        self._job = job
        self._expected = expected
        self._count = 1
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tools.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def prepare(self) -> None:
        """Set up the case."""
        self.versions = self._ask(self._job)

    def warm_up(self, seconds: float, count: int | None) -> None:
        """Run the case until caches are warm, and choose the number of operations in a round.

        Args:
            seconds: CPU time of a round at least. By the clock, other work on the machine would
                make rounds short, and a short round measures its own beginning.
            count: Operations in a round, where the case says so.
        """
        self._count = count or 1
        while self._run().cpu * self._count < seconds and count is None:
            self._count *= 2

    def run(self) -> None:
        """Run a round that counts."""
        self.rounds.append(self._run())

    def _run(self) -> Round:
        reply = self._ask({"count": self._count})
        if reply["answer"] != self._expected:
            answer, expected = (json.dumps(x)[:200] for x in (reply["answer"], self._expected))
            raise BenchError(
                f"{self._job['case']}: {self.name} answered {answer} instead of {expected};"
                " what it took would mean nothing"
            )
        return Round(reply["wall"] / self._count, reply["cpu"] / self._count, reply["peak"])

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        reply: dict[str, Any] = json.loads(line) if line else {"error": "its process exited"}
        if "error" in reply:
            raise BenchError(f"{self._job['case']}: {self.name} failed: {reply['error']}")
        return reply


def run_case(
    contestants: Sequence[Contestant], *, rounds: int, seconds: float, count: int | None = None
) -> None:
    """Run a case; each contestant then has its `rounds` and `versions`.

    Neighbours in time are compared, so other work on the machine affects all alike. Each round
    begins with another contestant, since the one after a slow one finds other caches.

    Args:
        contestants: Who takes part.
        rounds: Rounds that count.
        seconds: CPU time of a round of one contestant at least.
        count: Operations in a round, where the case says so.

    Raises:
        BenchError: A contestant fails, or answers wrongly.
    """
    for contestant in contestants:
        contestant.prepare()
    for contestant in contestants:
        contestant.warm_up(seconds, count)
    for number in range(rounds):
        first = number % len(contestants)
        for contestant in (*contestants[first:], *contestants[:first]):
            contestant.run()
