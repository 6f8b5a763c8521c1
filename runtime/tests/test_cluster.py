"""Several servers on one store: nothing is lost, and nothing is created or executed twice."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from runtime.tests.clusters import Clients, Work, flow_of
from runtime.tests.clusters import clients as clients
from runtime.tests.clusters import cluster as cluster
from runtime.tests.clusters import work as work
from runtime.tests.support import ECHO, command_line, descendants, wait_until
from stepflow_client.events import RunEvent
from stepflow_runtime import StepflowCluster

RUNS = 120
ITEMS = 40


def test_each_run_is_executed_once_wherever_it_is_sent(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    each = [clients(cluster, number) for number in range(3)]
    flow = flow_of(2)
    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(lambda n: each[n % 3].run(flow, {"number": n}, timeout=60), range(90))
        )
    assert [result.output for result in results] == list(range(90))
    assert set(work.calls.values()) == {1}
    lines = [line for number in range(3) for line in cluster.recent_logs(number)]
    assert not [line for line in lines if "Recovering execution tree" in line]


def test_no_call_is_lost_while_servers_are_killed(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    each = [clients(cluster, number) for number in range(3)]
    flow = flow_of(2)
    kills = 0
    done = threading.Event()

    def kill() -> None:
        nonlocal kills
        while kills < 3 and not done.wait(1):
            cluster.kill(kills)
            cluster.restart(kills)
            kills += 1

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        with ThreadPoolExecutor(9) as pool:
            batch = pool.submit(
                lambda: each[1].run_batch(
                    flow,
                    [{"number": RUNS + n} for n in range(ITEMS)],
                    idempotency_key="batch",
                    timeout=120,
                )
            )
            results = list(
                pool.map(
                    lambda n: each[n % 3].run(
                        flow, {"number": n}, idempotency_key=f"run {n}", timeout=120
                    ),
                    range(RUNS),
                )
            )
            wait_until(lambda: kills >= 3, "each server was killed")
            items = [result.output for result in batch.result()]
    finally:
        done.set()
        killing.join()
    assert [result.output for result in results] == list(range(RUNS))
    assert items == list(range(RUNS, RUNS + ITEMS))
    assert sum(1 for _ in each[0].list_runs(limit=None)) == RUNS + 1
    # At a kill, a step may be in progress for each caller and each item of the batch.
    in_flight = kills * (9 + 10)
    assert sum(work.calls.values()) <= 2 * (RUNS + ITEMS) + in_flight


def test_a_wait_at_another_server_ends_soon_after_the_run(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    """A server notices the end of another one's run only when it answers a long poll."""
    work.hold(step=0)
    handle = clients(cluster, 0).submit(flow_of(1), {"number": 1})
    wait_until(lambda: work.calls[1, 0] == 1, "the step is in progress")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(clients(cluster, 1).handle(handle.id).result, timeout=60)
        work.release()
        released = time.monotonic()
        assert waiting.result().output == 1
    # A server lets a client wait for 25 s, if that does not ask for less.
    assert time.monotonic() - released < 15


def test_only_the_step_in_progress_at_a_kill_is_executed_again(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    client = clients(cluster, 0)
    work.hold(step=1)
    handle = client.submit(flow_of(3), {"number": 7})
    wait_until(lambda: work.calls[7, 1] == 1, "the second step is in progress")
    cluster.kill(0)
    cluster.restart(0)
    wait_until(lambda: work.calls[7, 1] == 2, "it is executed again")
    work.release()
    assert handle.result(timeout=60).output == 7
    assert dict(work.calls) == {(7, 0): 1, (7, 1): 2, (7, 2): 1}


def test_a_stand_in_resumes_the_runs_of_a_server_that_is_down(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    client = clients(cluster, 1)
    work.hold(step=0)
    handle = client.submit(flow_of(1), {"number": 1})
    wait_until(lambda: work.calls[1, 0] == 1, "the step is in progress")
    cluster.kill(1)
    killed = time.monotonic()
    work.release()
    assert cluster.pids[1] is None
    assert handle.result(timeout=60).output == 1
    assert work.calls[1, 0] == 2
    # 2 s until the stand-in starts, and what a busy machine needs.
    assert 2 <= time.monotonic() - killed < 20
    # Its place is free for the server itself.
    cluster.restart(1)
    assert client.run(flow_of(1), {"number": 2}).output == 2


def test_a_server_that_crashes_is_started_again(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    client = clients(cluster, 2)
    work.hold(step=0)
    handle = client.submit(flow_of(1), {"number": 1})
    wait_until(lambda: work.calls[1, 0] == 1, "the step is in progress")
    pid = cluster.pids[2]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: cluster.pids[2] not in (None, pid), "the server is started again")
    work.release()
    assert handle.result(timeout=60).output == 1


def test_a_rolling_restart_fails_no_call(cluster: StepflowCluster, clients: Clients) -> None:
    """With keys: a connection that a stopping server has not accepted yet is reset."""
    each = [clients(cluster, number) for number in range(3)]
    flow = flow_of(2)
    done = threading.Event()
    outputs: list[bool] = []

    def call(number: int) -> None:
        while not done.is_set():
            key = str(uuid4())
            result = each[number % 3].run(flow, {"number": number}, timeout=60, idempotency_key=key)
            outputs.append(result.output == number)

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call, number) for number in range(4)]
        try:
            for number in range(3):
                seen = len(outputs)
                wait_until(lambda seen=seen: len(outputs) > seen + 4, "calls are answered")  # type: ignore[misc]
                cluster.restart(number)
        finally:
            done.set()
        for call_ in calls:
            call_.result()
    assert all(outputs)


def test_events_come_once_and_in_order_across_two_kills(
    cluster: StepflowCluster, work: Work, clients: Clients
) -> None:
    submitting, reading = clients(cluster, 0), clients(cluster, 1)
    work.hold(step=1)
    handle = submitting.submit(flow_of(3), {"number": 1})
    events: list[RunEvent] = []

    def read() -> None:
        events.extend(reading.handle(handle.id).events(timeout=90))

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: work.calls[1, 1] == 1, "the second step is in progress")
    # The server that the events come from, and then the one that executes the run.
    cluster.kill(1)
    cluster.restart(1)
    cluster.kill(0)
    cluster.restart(0)
    work.release()
    reader.join(90)
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(numbers)
    assert len({repr(event) for event in events}) == len(events)
    kinds = Counter(type(event).__name__ for event in events)
    assert (kinds["RunCreated"], kinds["RunCompleted"]) == (1, 1)
    steps = [getattr(event, "step_id", None) for event in events]
    assert [one for one in steps if one] == sorted(one for one in steps if one)


@pytest.mark.parametrize("first", [0, 1], ids=["its server", "another"])
def test_a_cancelled_run_ends_as_each_server_says(
    cluster: StepflowCluster, work: Work, clients: Clients, first: int
) -> None:
    """The server of a run cancels no step either, so a call may go to any."""
    work.hold(step=0)
    handle = clients(cluster, 0).submit(flow_of(2), {"number": 1})
    wait_until(lambda: work.calls[1, 0] == 1, "the step is in progress")
    cancelling = clients(cluster, first).handle(handle.id)
    watching = clients(cluster, 2).handle(handle.id)
    with ThreadPoolExecutor(1) as pool:
        final = pool.submit(cancelling.cancel, wait=True, timeout=60)
        wait_until(lambda: watching.status().status == "cancelled", "the run is cancelled")
        work.release()
        status = final.result().status
    assert [clients(cluster, n).handle(handle.id).status().status for n in range(3)] == [status] * 3
    assert work.calls[1, 1] == (status == "completed")


def test_an_etcd_that_crashes_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, etcd = tmp_path / "broken", tmp_path / "etcd"
    real = shutil.which("etcd")
    etcd.write_text(f'#!/bin/sh\n[ ! -e "{broken}" ] || exit 3\nexec {real} "$@"\n', "utf-8")
    etcd.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def attempts() -> list[float]:
        said = "etcd was not started again: etcd exited (exit code 3)"
        return [one.created for one in caplog.records if one.getMessage().startswith(said)]

    with StepflowCluster.start(servers=1, data_dir=tmp_path / "data") as cluster:
        pid = etcd_of()
        broken.touch()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(attempts()) > 1, "it was tried twice")
        broken.unlink()
        wait_until(lambda: etcd_of() not in (0, pid), "etcd is started again")
        assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1
    assert "etcd was killed by signal 9 (SIGKILL)" in caplog.text
    first, second = attempts()[:2]
    assert second - first >= 1


def test_an_etcd_that_hangs_when_it_is_started_again_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hanging, etcd = tmp_path / "hanging", tmp_path / "etcd"
    real = shutil.which("etcd")
    etcd.write_text(
        f'#!/bin/sh\n[ ! -e "{hanging}" ] || exec sleep 600\nexec {real} "$@"\n', "utf-8"
    )
    etcd.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def is_hanging() -> bool:
        return any(command_line(pid).startswith(b"sleep\0") for pid in descendants())

    with StepflowCluster.start(servers=1, data_dir=tmp_path / "data") as cluster:
        pid = etcd_of()
        hanging.touch()
        monkeypatch.setattr("stepflow_runtime._etcd.ETCD_TIMEOUT", 0.1)
        os.kill(pid, signal.SIGKILL)
        said = "etcd was not started again: etcd was not ready within"
        wait_until(lambda: said in caplog.text, "it was given up")
        # In this order, no attempt hangs for that long.
        hanging.unlink()
        monkeypatch.setattr("stepflow_runtime._etcd.ETCD_TIMEOUT", 60)
        wait_until(lambda: etcd_of() not in (0, pid) and not is_hanging(), "it is started again")
        assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1


def etcd_of() -> int:
    """Return the process id of this program's etcd; 0 if it is not running."""
    for pid in descendants():
        name = command_line(pid).split(b"\0")[0]
        if Path(os.fsdecode(name)).name == "etcd":
            return pid
    return 0
