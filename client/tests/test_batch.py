"""Batches: in order, lazily, watched, up to 10,000 items."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from client.tests.fault_proxy import Fault, FaultProxy
from client.tests.support import ECHO, READ_FILE, Driver, release, wait_until
from stepflow_client import Progress, errors


def test_ten_thousand_items_come_in_order(do: Driver, client: Any) -> None:
    progress: list[Progress] = []
    results = do(
        client.run_batch(ECHO, ({"n": n} for n in range(10_000)), on_progress=progress.append)
    )
    assert len(results) == 10_000
    assert [result.output["n"] for result in results] == list(range(10_000))
    # As often as one likes.
    assert sum(result.is_success for result in results) == 10_000
    assert [item.item_index for item in results.items] == list(range(10_000))
    assert progress[-1] == Progress(10_000, completed=10_000, failed=0, cancelled=0, running=0)
    assert progress[-1].done == 10_000
    assert all(one.done < other.done for one, other in itertools.pairwise(progress))


def test_items_are_models_one_at_a_time(do: Driver, client: Any) -> None:
    results = do(client.run_batch(ECHO, [{"text": "x" * 100, "n": n} for n in range(10_000)]))
    tracemalloc.start()
    for _ in results:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All of them as models are 20 MB.
    assert peak < 2_000_000


def test_a_batch_mixes_success_and_failure(do: Driver, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("1", encoding="utf-8")
    inputs = [{"path": str(path)}, {"path": "/nowhere"}, {"path": str(path)}]
    results = do(client.run_batch(READ_FILE, inputs, max_concurrency=1))
    assert [result.is_success for result in results] == [True, False, True]
    assert [result.output for result in results] == [1, None, 1]
    assert do(client.handle(results.run_id).status()).items.failed == 1


def test_an_empty_batch_has_no_results(do: Driver, client: Any) -> None:
    results = do(client.run_batch(ECHO, []))
    assert len(results) == 0
    assert list(results) == []
    handle = client.handle(results.run_id)
    with pytest.raises(errors.InvalidInput, match=r"has 0 items; use results\(\)"):
        do(handle.result())
    assert list(do(handle.items())) == list(do(handle.results())) == []


def test_a_submitted_batch_is_waited_for_by_its_handle(do: Driver, client: Any) -> None:
    handle = do(client.submit_batch(ECHO, ["a", "b"]))
    assert [result.output for result in do(handle.results())] == ["a", "b"]
    with pytest.raises(errors.InvalidInput, match=r"has 2 items; use results\(\)"):
        do(handle.result())
    assert do(handle.steps(item_index=1)) == {}


def test_a_deadline_of_a_batch_leaves_its_run(
    do: Driver, client: Any, fifo: Callable[[], Path]
) -> None:
    path = fifo()
    handle = do(client.submit_batch(READ_FILE, [{"path": str(path)}]))
    for on_progress in (None, lambda progress: None):
        with pytest.raises(errors.Timeout, match="was not seen to end") as caught:
            do(handle.results(timeout=0.2, on_progress=on_progress))
        assert caught.value.run_id == handle.id
    wait_until(lambda: release(path), "the step reads the file")
    assert [result.output for result in do(handle.results())] == [42]


def test_cuts_of_a_watched_batch_do_not_surface(
    do: Driver, proxied: Any, proxy: FaultProxy
) -> None:
    faults = iter([Fault.RESET_AFTER, Fault.CUT_ANSWER, Fault.NONE, Fault.END_ANSWER])
    proxy.plan = lambda seen: Fault.NONE if seen.method == "POST" else next(faults, Fault.NONE)
    progress: list[Progress] = []
    results = do(proxied.run_batch(ECHO, range(1000), on_progress=progress.append))
    assert [result.output for result in results] == list(range(1000))
    assert progress[-1].done == 1000


def test_concurrency_below_one_is_refused(do: Driver, client: Any) -> None:
    with pytest.raises(
        errors.InvalidInput, match=r"max_concurrency: .* greater than or equal to 1"
    ):
        do(client.run_batch(ECHO, [1], max_concurrency=0))


@pytest.mark.parametrize(
    "inputs",
    [
        [None, 0, "", False, [], {}],
        (None, None),
        range(3),
        {"a": 1, "b": 2}.keys(),
        deque([1, 2]),
    ],
    ids=repr,
)
def test_every_iterable_is_a_list_of_inputs(do: Driver, client: Any, inputs: Any) -> None:
    expected = list(inputs)
    assert [result.output for result in do(client.run_batch(ECHO, inputs))] == expected
    assert [result.output for result in do(client.run_batch(ECHO, iter(inputs)))] == expected


@pytest.mark.parametrize(
    "inputs",
    [5, None, "text", b"bytes", bytearray(b"bytes"), {"a": 1}, MappingProxyType({"a": 1})],
    ids=repr,
)
def test_inputs_that_are_no_list_are_refused(do: Driver, client: Any, inputs: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="pass a list or another iterable"):
        do(client.run_batch(ECHO, inputs))


def test_too_large_a_batch_says_so(do: Driver, client: Any) -> None:
    with pytest.raises(errors.PayloadTooLarge):
        do(client.run_batch(ECHO, ["x" * 1_000_000] * 3))
