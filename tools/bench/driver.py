"""Runs a case: all its contestants at once, each in a process of its own, in turn."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_END_SECONDS = 10.0


class BenchError(Exception):
    """The benchmark means nothing, for the reason given on one line."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one contestant took, for one operation.

    Attributes:
        wall: Seconds by the clock.
        cpu: Seconds of processor time of the contestant, its own child processes included.
    """

    wall: float
    cpu: float


@dataclass(slots=True)
class Series:
    """All rounds of one contestant.

    Attributes:
        rounds: What each took.
        peak: Bytes of memory of its process at most, Python and all packages included.
        versions: Of its packages.
    """

    rounds: list[Round] = field(default_factory=list)
    peak: int = 0
    versions: dict[str, str] = field(default_factory=dict)


class Contestant:
    """One contestant's process, ready to run one case; a context manager.

    Args:
        name: What it is called in messages.
        module: What it runs.
        environment: All of its environment, with its packages.
        case: Name of the case.
        world: What the case needs to know.
        expected: The answer that is right.
    """

    def __init__(
        self,
        name: str,
        module: str,
        environment: Mapping[str, str],
        case: str,
        world: Mapping[str, Any],
        expected: Any,
    ) -> None:
        self.name = name
        self.series = Series()
        self._case = case
        self._world = world
        self._expected = expected
        self._count = 1
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def prepare(self) -> None:
        """Let it set up the case.

        Raises:
            BenchError: It cannot.
        """
        self.series.versions = self._ask({"case": self._case, "world": self._world})["versions"]

    def warm_up(self, seconds: float, count: int | None) -> None:
        """Run the case until its caches are warm, and find out how often to run it in a round.

        Args:
            seconds: Processor time that a round is to take at least: what else the machine does
                must not make rounds short, or all that is measured is their beginning.
            count: Operations in a round, where the case says so.

        Raises:
            BenchError: It fails, or returns a wrong answer.
        """
        self._count = count or 1
        while self._run().cpu * self._count < seconds and count is None:
            self._count *= 2

    def run(self) -> None:
        """Run a round that counts.

        Raises:
            BenchError: It fails, or returns a wrong answer.
        """
        self.series.rounds.append(self._run())

    def _run(self) -> Round:
        reply = self._ask({"count": self._count})
        answer, expected = reply["answer"], self._expected
        if answer != expected:
            raise BenchError(
                f"{self._case}: {self.name} answered {_short(answer)} where {_short(expected)} is"
                " right; nothing that it took would mean anything"
            )
        self.series.peak = max(self.series.peak, reply["peak"])
        return Round(reply["wall"] / self._count, reply["cpu"] / self._count)

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        reply: dict[str, Any] = json.loads(line) if line else {"error": "its process ended"}
        if "error" in reply:
            raise BenchError(f"{self._case}: {self.name} failed: {reply['error']}")
        return reply


def run_case(
    contestants: Sequence[Contestant], *, rounds: int, seconds: float, count: int | None = None
) -> None:
    """Run a case; the rounds are then in each contestant's `series`.

    Neighbours in time are compared, so whatever else the machine does meets all of them. Each round
    begins with another contestant, since the one after a slow one finds other caches.

    Args:
        contestants: Who takes part.
        rounds: How many count.
        seconds: Processor time that a round of one contestant is to take at least.
        count: Operations of a round, where the case says so.

    Raises:
        BenchError: One fails, or returns a wrong answer.
    """
    for contestant in contestants:
        contestant.prepare()
    for contestant in contestants:
        contestant.warm_up(seconds, count)
    for number in range(rounds):
        first = number % len(contestants)
        for contestant in (*contestants[first:], *contestants[:first]):
            contestant.run()


def _short(answer: Any) -> str:
    text = json.dumps(answer)
    return text if len(text) <= 200 else text[:200] + "..."
