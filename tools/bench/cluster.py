"""Servers of a cluster that are killed under load: what becomes of the calls.

tools/bazel run //tools/bench:cluster
"""

from __future__ import annotations

import argparse
import functools
import logging
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from client.tests.fault_proxy import Fault, FaultProxy, Seen
from stepflow_client import FlowBuilder, RetryPolicy, SyncStepflowClient, errors
from stepflow_client.events import RunEvent, StepCompleted
from stepflow_runtime import StepflowCluster, component
from stepflow_runtime._constants import TAKEOVER_SECONDS

SERVERS = 3
CALLERS = 24
STEPS = 2
STEP_SECONDS = 0.05
KILL_SECONDS = 5.0
CUTS = (
    Fault.RESET_BEFORE,
    Fault.RESET_DURING,
    Fault.RESET_AFTER,
    Fault.CUT_WAITING,
    Fault.CUT_ANSWER,
    Fault.END_ANSWER,
)
#: Without delays, and more often than by default: so many requests are cut in a row.
RETRY = RetryPolicy(max_retries=9, first_delay=0.0)
ECHO = {"name": "echo", "steps": [], "output": {"$input": "$"}}


class Goals:
    """The rows of the table, and whether all goals are met."""

    def __init__(self) -> None:
        self.are_met = True

    def add(self, what: str, goal: str, seen: str, is_met: bool) -> None:
        """Print a row."""
        self.are_met &= is_met
        print(f"| {what} | {goal} | {seen} | {'met' if is_met else 'MISSED'} |", flush=True)


class Counted:
    """A component that counts its executions."""

    def __init__(self) -> None:
        self.starts: dict[tuple[int, int], list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    def component(self) -> Callable[..., Any]:
        """Return the function."""

        @component
        def work(number: int, step: int, seconds: float = STEP_SECONDS) -> int:
            with self._lock:
                self.starts[number, step].append(time.time())
            time.sleep(seconds)
            return number

        return work

    def executed_again(self) -> dict[tuple[int, int], float]:
        """Return the steps that were executed several times, and when they last were."""
        return {step: starts[-1] for step, starts in self.starts.items() if len(starts) > 1}


class RandomCuts:
    """Plans for about every fifth request that its connection is cut."""

    def __init__(self, seed: int) -> None:
        self.number = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, _: Seen) -> Fault:
        """Return what becomes of a request."""
        with self._lock:
            if self._random.random() >= 0.2:
                return Fault.NONE
            self.number += 1
            return self._random.choice(CUTS)


@dataclass
class Outcome:
    """What became of the calls under load."""

    right: int = 0
    seconds: list[float] = field(default_factory=list[float])
    wrong: Counter[str] = field(default_factory=Counter[str])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, number: int, run: Callable[[], Any], work: float) -> None:
        """Make a call, whose result is its number."""
        start = time.monotonic()
        try:
            result = run()
            problem = None if result.is_success and result.output == number else str(result)
        except errors.StepflowError as error:
            problem = f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - start - work
        with self.lock:
            self.seconds.append(seconds)
            self.right += problem is None
            if problem is not None:
                self.wrong[problem[:200]] += 1

    def print_problems(self) -> None:
        """Print the most frequent ones."""
        for problem, count in self.wrong.most_common(5):
            print(f"{count} times {problem}", file=sys.stderr)


def flow_of(steps: int, **constants: Any) -> dict[str, Any]:
    """Return a flow of counted steps, one after the other."""
    builder = FlowBuilder("counted")
    value: Any = builder.input["number"]
    for step in range(steps):
        given = {"number": value, "step": step, **constants}
        value = builder.step(f"step{step}", "/python/work", given)
    return builder.build(output=value).to_dict()


@contextmanager
def running(counted: Counted) -> Iterator[tuple[StepflowCluster, list[SyncStepflowClient]]]:
    """Start a cluster, with a client that begins with each of its servers."""
    with (
        tempfile.TemporaryDirectory() as folder,
        StepflowCluster.start(
            servers=SERVERS, data_dir=Path(folder, "data"), components=[counted.component()]
        ) as cluster,
        ExitStack() as opened,
    ):
        orders = [cluster.urls[first:] + cluster.urls[:first] for first in range(SERVERS)]
        yield cluster, [opened.enter_context(SyncStepflowClient(order)) for order in orders]


def killed_at_random(goals: Goals, runs: int, items: int, seconds: float, seed: int) -> None:
    """Kill a random server every few seconds, and start it again."""
    counted, outcome = Counted(), Outcome()
    kills: list[float] = []
    done = threading.Event()
    flow = flow_of(STEPS)
    with running(counted) as (cluster, clients):

        def kill() -> None:
            chosen = random.Random(seed)
            while not done.wait(KILL_SECONDS) and time.monotonic() < start + seconds:
                number = chosen.randrange(SERVERS)
                kills.append(time.monotonic())
                cluster.kill(number)
                cluster.restart(number)

        def call(number: int) -> None:
            # Spread over the time, so that each kill hits some.
            time.sleep(max(0.0, start + number * seconds / runs - time.monotonic()))
            options: Any = {"idempotency_key": f"run {number}", "timeout": 300}
            run = functools.partial(
                clients[number % SERVERS].run, flow, {"number": number}, **options
            )
            outcome.call(number, run, STEPS * STEP_SECONDS)

        def batch() -> int:
            inputs = [{"number": runs + item} for item in range(items)]
            results = clients[1].run_batch(flow, inputs, idempotency_key="batch", timeout=600)
            outputs = [result.output for result in results]
            return sum(output == runs + item for item, output in enumerate(outputs))

        killing = threading.Thread(target=kill)
        start = time.monotonic()
        killing.start()
        try:
            with ThreadPoolExecutor(CALLERS + 1) as pool:
                batched = pool.submit(batch)
                list(pool.map(call, range(runs)))
                while time.monotonic() < start + seconds:
                    time.sleep(0.1)
                right_items = batched.result()
        finally:
            done.set()
            killing.join()
        created = sum(1 for _ in clients[0].list_runs(limit=None))
        again = counted.executed_again()
        needless = sum(
            _was_stored(clients[0], runs, number, step, last)
            for (number, step), last in again.items()
        )
    outcome.print_problems()
    what = f"{runs} runs and a batch of {items} items, {len(kills)} times SIGKILL"
    right = outcome.right == runs and right_items == items
    seen = f"{outcome.right} runs and {right_items} items right"
    goals.add(what, "every call returns the right result", seen, right)
    goals.add(what, "runs created = calls", f"{created} of {runs + 1}", created == runs + 1)
    total = STEPS * (runs + items)
    goals.add(
        what,
        "only steps in flight at a kill execute again",
        f"{len(again)} of {total} steps, {needless} of them had a result",
        needless == 0 and len(counted.starts) == total,
    )
    most, slowest = 2 * TAKEOVER_SECONDS + 2, max(outcome.seconds)
    seen = f"{slowest:.1f} s, half of them {statistics.median(outcome.seconds):.1f} s"
    goals.add("slowest caller beyond the work", f"<= {most:g} s", seen, slowest <= most)


def _was_stored(client: SyncStepflowClient, runs: int, number: int, step: int, last: float) -> bool:
    """Return whether a step had a result before it was last executed."""
    name, item = (f"run {number}", 0) if number < runs else ("batch", number - runs)
    (run,) = client.list_runs(flow_name=f"counted [{name}]")
    return any(
        event.timestamp.timestamp() < last
        for event in client.handle(run.run_id).events(timeout=60)
        if isinstance(event, StepCompleted) and (event.item_index, event.step_index) == (item, step)
    )


def cut_at_random(goals: Goals, calls: int, seed: int) -> None:
    """Send calls with a key through a proxy that cuts connections."""
    with running(Counted()) as (cluster, _):
        cuts, outcome = RandomCuts(seed), Outcome()
        port = int(cluster.urls[0].rpartition(":")[2])
        with (
            FaultProxy(port) as proxy,
            SyncStepflowClient(proxy.url, retry=RETRY) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            proxy.plan = cuts

            def call(number: int) -> None:
                run = functools.partial(client.run, ECHO, number, idempotency_key=f"cut {number}")
                outcome.call(number, run, 0)

            list(pool.map(call, range(calls)))
        created = sum(1 for _ in cluster.sync_client.list_runs(limit=None))
    unknown = sum(n for text, n in outcome.wrong.items() if text.startswith("RunOutcomeUnknown"))
    goals.add(
        f"{calls} calls with a key through a proxy that cuts at random",
        "each a result and a run, none unknown",
        f"{outcome.right} results, {created} runs, {unknown} unknown, {cuts.number} cuts",
        (outcome.right, created, unknown) == (calls, calls, 0),
    )


def rolling_restart(goals: Goals) -> None:
    """Each server is restarted under load."""
    counted, outcome = Counted(), Outcome()
    done = threading.Event()
    flow = flow_of(STEPS)
    calls = iter(range(1_000_000))
    with running(counted) as (cluster, clients):

        def call(client: SyncStepflowClient) -> None:
            while not done.is_set():
                number = next(calls)
                outcome.call(number, functools.partial(run, client, number), 0)

        def run(client: SyncStepflowClient, number: int) -> Any:
            key = f"run {number}"
            return client.run(flow, {"number": number}, idempotency_key=key, timeout=60)

        with ThreadPoolExecutor(9) as pool:
            for number in range(9):
                pool.submit(call, clients[number % SERVERS])
            try:
                for number in range(SERVERS):
                    time.sleep(2)
                    cluster.restart(number)
                time.sleep(1)
            finally:
                done.set()
    outcome.print_problems()
    failed = sum(outcome.wrong.values())
    goals.add(
        "rolling restart under load",
        "no failed call",
        f"{failed} of {failed + outcome.right}",
        failed == 0 and outcome.right > 0,
    )


def costs(goals: Goals, calls: int) -> None:
    """Measure the cost of several URLs and of a key."""
    with running(Counted()) as (cluster, _):
        url = cluster.urls[0]
        with (
            SyncStepflowClient(url) as plain,
            SyncStepflowClient([url]) as listed,
            SyncStepflowClient(cluster.urls) as several,
        ):
            times = alternating([plain, listed, several], calls)
        base = statistics.median(times[0])
        cost = [100 * (statistics.median(one) / base - 1) for one in times[1:]]
        goals.add(
            "cost of urls=[one] against url",
            "<= 1 %",
            f"{cost[0]:.1f} % (three URLs: {cost[1]:.1f} %)",
            cost[0] <= 1,
        )
        port = int(url.rpartition(":")[2])
        with FaultProxy(port) as proxy, SyncStepflowClient(proxy.url) as client:
            client.run(ECHO, 0)

            def requests(number: int, **options: Any) -> int:
                proxy.seen.clear()
                client.run(ECHO, number, **options)
                return len(proxy.seen)

            without = requests(1)
            first, again = (requests(1, idempotency_key="cost") for _ in range(2))
    goals.add(
        "cost of a key",
        "<= 2 requests more",
        f"{first - without} more at first, {again - without} more with a run that is there",
        first - without <= 2 and again - without <= 2,
    )


def alternating(clients: list[SyncStepflowClient], calls: int) -> list[list[float]]:
    """Return the times of a call by each client, which take turns."""
    times: list[list[float]] = [[] for _ in clients]
    for number in range(calls):
        # Each of them comes first as often as the others.
        for offset in range(len(clients)):
            index = (number + offset) % len(clients)
            start = time.perf_counter()
            clients[index].health()
            times[index].append(time.perf_counter() - start)
    return times


def events_across_kills(goals: Goals) -> None:
    """Kill the server of a stream of events, and then that of the run."""
    with running(Counted()) as (cluster, clients):
        handle = clients[0].submit(flow_of(8, seconds=0.5), {"number": 1})
        events: list[RunEvent] = []

        def read() -> None:
            events.extend(clients[1].handle(handle.id).events(timeout=120))

        reading = threading.Thread(target=read)
        reading.start()
        for number in (1, 0):
            time.sleep(1.2)
            cluster.kill(number)
            cluster.restart(number)
        reading.join()
    numbers = [event.sequence_number for event in events]
    distinct = len({repr(event) for event in events})
    completed = Counter(type(event).__name__ for event in events)["StepCompleted"]
    goals.add(
        "events across two kills",
        "each once, in order",
        f"{len(events)} events, {distinct} distinct, {completed} of 8 steps completed",
        numbers == sorted(numbers) and distinct == len(events) and completed == 8,
    )


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60, help="time with kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if binary := os.environ.get("STEPFLOW_SERVER_BINARY"):
        os.environ["STEPFLOW_SERVER_BINARY"] = os.path.abspath(binary)
    logging.getLogger("stepflow_runtime").setLevel(logging.CRITICAL)
    print("| what | goal | seen | |\n|---|---|---|---|")
    goals = Goals()
    killed_at_random(goals, options.runs, options.items, options.seconds, options.seed)
    cut_at_random(goals, 500, options.seed)
    rolling_restart(goals)
    costs(goals, 1000)
    events_across_kills(goals)
    return 0 if goals.are_met else 1


if __name__ == "__main__":
    sys.exit(main())
