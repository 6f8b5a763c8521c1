"""Several servers on one store: nothing is lost, and nothing is created or executed twice."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.programs import gone, marked, program
from runtime.tests.support import descendants, wait_until
from stepflow_client import FlowBuilder, StepflowClient, SyncStepflowClient
from stepflow_client.events import RunEvent
from stepflow_runtime import (
    ALL_BUILTINS,
    ComponentContext,
    RestartPolicy,
    StepflowCluster,
    StepflowRuntime,
    component,
    errors,
)

#: The time in which the figures of the README are measured is longer.
RUNS = 120
ITEMS = 40


class Work:
    """A component that counts its calls, and waits in the step that a test holds."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[int, int]] = Counter()
        self.runs: Counter[str | None] = Counter()
        self.go_on = threading.Event()
        self.go_on.set()
        self.held_step = -1
        self._lock = threading.Lock()

    def component(self) -> Callable[..., Any]:
        @component
        def work(number: int, step: int, context: ComponentContext) -> int:
            with self._lock:
                self.calls[number, step] += 1
                self.runs[context.run_id] += 1
            if step == self.held_step:
                self.go_on.wait(60)
            return number

        return work

    def hold(self, step: int) -> None:
        self.held_step = step
        self.go_on.clear()

    def release(self) -> None:
        self.go_on.set()


def flow_of(steps: int) -> dict[str, Any]:
    builder = FlowBuilder("work")
    value: Any = builder.input["number"]
    for step in range(steps):
        value = builder.step(f"step{step}", "/python/work", {"number": value, "step": step})
    return builder.build(output=value).to_dict()


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.release()


#: Creates a client that begins with another server of a cluster than the first.
Clients = Callable[[StepflowCluster, int], SyncStepflowClient]


@pytest.fixture
def clients() -> Iterator[Clients]:
    with ExitStack() as opened:

        def create(cluster: StepflowCluster, first: int) -> SyncStepflowClient:
            urls = cluster.urls[first:] + cluster.urls[:first]
            return opened.enter_context(SyncStepflowClient(urls))

        yield create


@pytest.fixture
def cluster(tmp_path: Path, work: Work) -> Iterator[StepflowCluster]:
    with StepflowCluster.start(data_dir=tmp_path / "data", components=[work.component()]) as it:
        yield it


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
    assert time.monotonic() - killed < 20
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
    each = [clients(cluster, number) for number in range(3)]
    flow = flow_of(2)
    done = threading.Event()
    outputs: list[bool] = []

    def call(number: int) -> None:
        while not done.is_set():
            result = each[number % 3].run(flow, {"number": number}, timeout=60)
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


def test_another_client_and_an_async_one(tmp_path: Path) -> None:
    async def call() -> tuple[Any, Any]:
        async with StepflowCluster.start(servers=2, data_dir=tmp_path / "data") as cluster:
            echo = {"name": "echo", "steps": [], "output": {"$input": "$"}}
            async with StepflowClient(cluster.urls) as client:
                await asyncio.to_thread(cluster.kill, 0)
                return (await client.run(echo, 1)).output, (await cluster.run(echo, 2)).output

    assert asyncio.run(call()) == (1, 2)


@pytest.mark.parametrize("servers", [1, 2])
def test_runs_of_more_servers_are_resumed(
    tmp_path: Path, work: Work, servers: int, clients: Clients
) -> None:
    """By a cluster of fewer, and by a single server."""
    data = tmp_path / "data"
    work.hold(step=0)
    with StepflowCluster.start(data_dir=data, components=[work.component()]) as cluster:
        handles = [clients(cluster, n).submit(flow_of(1), {"number": n}) for n in range(3)]
        wait_until(lambda: len(work.calls) == 3, "all steps are in progress")
    work.release()
    start = StepflowRuntime.start if servers == 1 else StepflowCluster.start
    options: dict[str, Any] = {} if servers == 1 else {"servers": servers}
    with start(data_dir=data, components=[work.component()], **options) as runtime:
        outputs = [runtime.sync_client.handle(h.id).result(timeout=60).output for h in handles]
    assert outputs == [0, 1, 2]


def test_an_etcd_that_is_given(tmp_path: Path) -> None:
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "one") as first:
        (url,) = first._group._etcd.endpoints
        # Both have servers of the same names.
        with StepflowCluster.start(servers=2, data_dir=tmp_path / "two", etcd=url) as cluster:
            flow = {"name": "echo", "steps": [], "output": {"$input": "$"}}
            assert cluster.sync_client.run(flow, 1).output == 1
            cluster.restart(0)
            assert cluster.sync_client.run(flow, 2).output == 2
        assert first.sync_client.run(flow, 3).output == 3


def test_an_etcd_that_crashes_is_started_again(
    cluster: StepflowCluster, caplog: pytest.LogCaptureFixture
) -> None:
    etcd = etcd_of(cluster)
    os.kill(etcd, signal.SIGKILL)
    wait_until(
        lambda: "etcd was killed by signal 9 (SIGKILL)" in caplog.text, "the crash is reported"
    )
    wait_until(lambda: etcd_of(cluster) not in (0, etcd), "etcd is started again")
    assert cluster.sync_client.run(flow_of(1), {"number": 1}, timeout=60).output == 1


def etcd_of(cluster: StepflowCluster) -> int:
    """Return the process id of a cluster's etcd; 0 if it is not running."""
    for pid in descendants():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if Path(os.fsdecode(command.split(b"\0")[0])).name == "etcd":
            return pid
    return 0


CLUSTER = (
    "from stepflow_runtime import StepflowCluster\n"
    "cluster = StepflowCluster.start(data_dir=sys.argv[1])\n"
    "print(*cluster.pids, flush=True)\n"
)


@pytest.mark.parametrize(
    "ending", ["", "os.kill(os.getpid(), 9)", "cluster.kill(0)\nos._exit(0)", "raise ValueError"]
)
def test_all_servers_end_with_the_program(
    tmp_path: Path, ending: str, running: list[subprocess.Popen[str]]
) -> None:
    code = CLUSTER.replace("sys.argv[1]", repr(str(tmp_path / "data")))
    running.append(program(code + ending))
    assert running[0].stdout is not None
    pids = [int(one) for one in running[0].stdout.readline().split()]
    assert len(pids) == 3
    running[0].communicate(timeout=60)
    for pid in pids:
        gone(pid)
    wait_until(lambda: not marked(), "etcd is gone as well")


def test_a_cluster_that_is_forgotten_ends(tmp_path: Path) -> None:
    cluster = StepflowCluster.start(servers=2, data_dir=tmp_path / "data")
    pids = list(cluster.pids)
    del cluster
    gc.collect()
    for pid in pids:
        assert pid is not None
        gone(pid)


def test_it_describes_itself(tmp_path: Path) -> None:
    cluster = StepflowCluster.start(servers=2, data_dir=tmp_path / "data")
    urls = cluster.urls
    assert repr(cluster) == f"<StepflowCluster {', '.join(urls)} running, 2 of 2 servers>"
    cluster.kill(1)
    assert cluster.pids[1] is None
    assert repr(cluster).endswith("1 of 2 servers>")
    cluster.stop()
    assert repr(cluster) == "<StepflowCluster stopped>"
    with pytest.raises(errors.InvalidState, match="the cluster is stopped"):
        _ = cluster.urls


def test_servers_that_all_crashed_are_reported(tmp_path: Path) -> None:
    with StepflowCluster.start(
        servers=2, data_dir=tmp_path / "data", restart_policy=RestartPolicy.NEVER
    ) as cluster:
        for pid in cluster.pids:
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not cluster.is_alive, "both are gone")

        def is_reported() -> bool:
            try:
                cluster.sync_client.health()
            except errors.ServerCrashed as error:
                return "no server of the cluster is running" in str(error)
            except errors.StepflowError:
                pass
            return False

        wait_until(is_reported, "the crash is reported")


def test_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(kind: type[errors.StepflowError], config: Any = None, **options: Any) -> str:
        with pytest.raises(kind) as raised:
            StepflowCluster.start(config, **options)
        text = str(raised.value)
        assert "\n" not in text
        return text

    data = tmp_path / "data"
    invalid = errors.InvalidInput
    assert message(invalid, servers=0, data_dir=data).startswith("servers is 0; give a whole")
    assert "give data_dir=" in message(invalid)
    assert "ftp" not in message(invalid, data_dir=data, etcd="ftp://a")
    assert "etcd is empty" in message(invalid, data_dir=data, etcd=[])
    leases = {**ALL_BUILTINS, "leaseManager": {"type": "etcd", "endpoints": []}}
    assert "etcd=" in message(invalid, leases, data_dir=data)
    postgres = {"storageConfig": {"type": "postgres", "databaseUrl": "postgres://localhost/a"}}
    assert "give etcd=" in message(invalid, {**ALL_BUILTINS, **postgres})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unused = f"http://127.0.0.1:{listener.getsockname()[1]}"
    failed = message(errors.StartFailed, data_dir=data, etcd=unused)
    assert failed.startswith(f"cannot use etcd: {unused} does not answer: Connection refused;")
    with StepflowRuntime.start(data_dir=data):
        assert "is already in use by this process" in message(errors.DataDirLocked, data_dir=data)
    with StepflowCluster.start(servers=1, data_dir=data) as cluster:
        with pytest.raises(errors.DataDirLocked):
            StepflowRuntime.start(data_dir=data)
        with pytest.raises(errors.InvalidInput, match=r"number is 1; give a whole number, 0 to 0"):
            cluster.kill(1)
        (url,) = cluster._group._etcd.endpoints
        unbuilt = message(errors.StartFailed, {**ALL_BUILTINS, **postgres}, etcd=url)
        assert "without PostgreSQL" in unbuilt and "binary=" in unbuilt
    older = Path(os.environ["OLDER_SERVER"])
    assert "version 0.13 or later" in message(errors.BinaryUnusable, data_dir=data, binary=older)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install etcd-server" in message(errors.BinaryUnusable, data_dir=data)
