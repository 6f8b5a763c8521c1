"""Many runs while connections are cut at random: none is lost, none is created twice."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from client.tests.fault_proxy import Fault, FaultProxy, Seen
from client.tests.support import ECHO
from stepflow_client import RetryPolicy, StepflowClient, SyncStepflowClient, errors
from tools.spec.server import StepflowServer

CALLS = 500
CALLERS = 8
SEED = 20240229
# Without delays, and more often than by default: so many requests of a key's call are cut in a row.
RETRY = RetryPolicy(max_retries=9, first_delay=0.0)
CUTS = (
    Fault.RESET_BEFORE,
    Fault.RESET_DURING,
    Fault.RESET_AFTER,
    Fault.CUT_WAITING,
    Fault.CUT_ANSWER,
    Fault.END_ANSWER,
)


class RandomCuts:
    """Plans a cut for every fifth request or so, and counts which."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self._lock = threading.Lock()
        self.creating = 0
        self.others = 0

    def __call__(self, seen: Seen) -> Fault:
        with self._lock:
            if self._random.random() >= 0.2:
                return Fault.NONE
            if seen.creates_run:
                self.creating += 1
            else:
                self.others += 1
            return self._random.choice(CUTS)


def run_sync(url: str, flow: dict[str, Any], key: str | None = None) -> list[object]:
    with (
        SyncStepflowClient(url, retry=RETRY) as client,
        ThreadPoolExecutor(CALLERS) as threads,
    ):

        def call(number: int) -> object:
            try:
                one = key and f"{key} {number}"
                result = client.run(flow, {"n": number}, idempotency_key=one, timeout=120)
                return result.output
            except errors.RunOutcomeUnknown as error:
                return error

        return list(threads.map(call, range(CALLS)))


def run_async(url: str, flow: dict[str, Any], key: str | None = None) -> list[object]:
    async def main() -> list[object]:
        limit = asyncio.Semaphore(CALLERS)
        async with StepflowClient(url, retry=RETRY) as client:

            async def call(number: int) -> object:
                async with limit:
                    try:
                        one = key and f"{key} {number}"
                        result = await client.run(
                            flow, {"n": number}, idempotency_key=one, timeout=120
                        )
                        return result.output
                    except errors.RunOutcomeUnknown as error:
                        return error

            return await asyncio.gather(*map(call, range(CALLS)))

    return asyncio.run(main())


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_every_call_is_right_or_says_that_it_cannot_know(run: Any, server: StepflowServer) -> None:
    flow = {**ECHO, "name": run.__name__}
    cuts = RandomCuts()
    with FaultProxy(server.port, cuts) as proxy:
        outcomes = run(proxy.url, flow)
    unknown = [outcome for outcome in outcomes if isinstance(outcome, errors.RunOutcomeUnknown)]
    for number, outcome in enumerate(outcomes):
        assert outcome in unknown or outcome == {"n": number}
    # Only a cut of the creating request itself is ever seen, and each is.
    assert len(unknown) == cuts.creating
    assert cuts.creating > 20
    assert cuts.others > 100
    assert all("Look for a run of flow" in str(error) for error in unknown)

    with SyncStepflowClient(server.url) as client:
        runs = [one.run_id for one in client.list_runs(flow_name=run.__name__)]
        inputs = Counter(
            item.result.output["n"]
            for run_id in runs
            for item in client.handle(run_id).results().items
            if item.result is not None
        )
    assert CALLS - len(unknown) <= len(runs) <= CALLS
    assert set(inputs.values()) == {1}


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_every_call_with_a_key_is_right(run: Any, server: StepflowServer) -> None:
    flow = {**ECHO, "name": run.__name__}
    cuts = RandomCuts()
    with FaultProxy(server.port, cuts) as proxy:
        assert run(proxy.url, flow, "key") == [{"n": number} for number in range(CALLS)]
    assert cuts.creating > 20
    names = {f"{run.__name__} [key {number}]" for number in range(CALLS)}
    with SyncStepflowClient(server.url) as client:
        created = [one.flow_name for one in client.list_runs() if one.flow_name in names]
    assert len(created) == CALLS
    assert set(created) == names
