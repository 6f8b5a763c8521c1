"""How a cluster starts and ends, and what it reports."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import errno
import gc
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.clusters import Clients, Work, etcd_url, flow_of
from runtime.tests.clusters import clients as clients
from runtime.tests.clusters import work as work
from runtime.tests.programs import gone, marked, program
from runtime.tests.support import ECHO, command_line, descendants, wait_until
from stepflow_client import FlowBuilder, StepflowClient, SyncStepflowClient
from stepflow_runtime import (
    ALL_BUILTINS,
    LogConfig,
    RestartPolicy,
    StepflowCluster,
    StepflowRuntime,
    _starting,
    errors,
)
from stepflow_runtime._binary import find_binary
from stepflow_runtime._database import DatabaseLock
from stepflow_runtime._ports import ReservedPort


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
    # Leases in it would keep the runs with servers that no longer exist.
    (data / "etcd" / "earlier").touch()
    work.release()
    start = StepflowRuntime.start if servers == 1 else StepflowCluster.start
    options: dict[str, Any] = {} if servers == 1 else {"servers": servers}
    with start(data_dir=data, components=[work.component()], **options) as runtime:
        outputs = [runtime.sync_client.handle(h.id).result(timeout=60).output for h in handles]
    assert outputs == [0, 1, 2]
    assert (data / "etcd" / "earlier").exists() == (servers == 1)
    assert (data / "cluster").exists() == (servers > 1)


def keys_of(etcd: str) -> list[str]:
    """Return all keys in an etcd, by its URL."""
    # From the first key to the last.
    everything = base64.b64encode(b"\0").decode()
    body = json.dumps({"key": everything, "range_end": everything, "keys_only": True})
    with urllib.request.urlopen(f"{etcd}/v3/kv/range", body.encode(), timeout=60) as response:
        found = json.load(response).get("kvs", [])
    return [base64.b64decode(one["key"]).decode() for one in found]


def test_an_etcd_that_is_given(tmp_path: Path, work: Work, clients: Clients) -> None:
    data, components = tmp_path / "two", [work.component()]
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "one") as first:
        given = etcd_url(tmp_path / "one")
        # Both have servers of the same names.
        with StepflowCluster.start(
            servers=2, data_dir=data, etcd=given, components=components
        ) as cluster:
            assert cluster.sync_client.run(ECHO, 1).output == 1
            # It starts no other one, whose folder that would be.
            assert not (data / "etcd").exists()
            cluster.restart(0)
            assert cluster.sync_client.run(ECHO, 2).output == 2
            work.hold(step=0)
            handle = clients(cluster, 1).submit(flow_of(1), {"number": 4})
            wait_until(lambda: work.calls[4, 0] == 1, "the step is in progress")
            # Those of each cluster lie apart.
            (lease,) = [key for key in keys_of(given) if str(handle.id) in key]
            assert re.match("/stepflow/[0-9a-f]{16}/leases", lease), lease
        assert first.sync_client.run(ECHO, 3).output == 3
        work.release()
        # The lease of the server that no longer exists is removed.
        with StepflowCluster.start(
            servers=1, data_dir=data, etcd=given, components=components
        ) as cluster:
            assert cluster.sync_client.handle(handle.id).result(timeout=60).output == 4


def test_runs_are_resumed_whatever_the_folder_is_called(
    tmp_path: Path, work: Work, clients: Clients
) -> None:
    """Leases of an earlier cluster are found by the folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    options: dict[str, Any] = {"components": [work.component()]}
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "one"):
        options["etcd"] = etcd_url(tmp_path / "one")
        work.hold(step=0)
        real, link = tmp_path / "real" / "data", tmp_path / "link" / "data"
        with StepflowCluster.start(servers=2, data_dir=real, **options) as cluster:
            handle = clients(cluster, 1).submit(flow_of(1), {"number": 4})
            wait_until(lambda: work.calls[4, 0] == 1, "the step is in progress")
        work.release()
        with StepflowCluster.start(servers=1, data_dir=link, **options) as cluster:
            assert cluster.sync_client.handle(handle.id).result(timeout=60).output == 4


def test_etcd_is_for_this_machine_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "stepflow_runtime.server")
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "data"):
        port = int(etcd_url(tmp_path / "data").rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port)).close()
    # Its own lines are not those of a server.
    assert not [one for one in caplog.messages if "etcd" in one]


def test_servers_continue_without_a_given_etcd_that_stopped(
    tmp_path: Path, clients: Clients
) -> None:
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "one") as first:
        url = etcd_url(tmp_path / "one")
        with StepflowCluster.start(servers=2, data_dir=tmp_path / "two", etcd=url) as cluster:
            assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1
            first.stop()
            outputs = [clients(cluster, n).run(ECHO, n, timeout=60).output for n in (0, 1)]
            assert outputs == [0, 1]


def test_what_each_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # etcd itself would not start with this variable.
    monkeypatch.setenv("ETCD_LISTEN_METRICS_URLS", "nonsense")
    seen, binary = tmp_path / "seen.json", tmp_path / "server"
    binary.write_text(f'#!/bin/sh\ntee "{seen}" | "{find_binary(None)}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    config = {**ALL_BUILTINS, "recovery": {"maxStartupRecovery": 5}}
    port = two_free_ports()
    with StepflowCluster.start(
        config, servers=2, data_dir=tmp_path / "data", binary=binary, port=port
    ) as cluster:
        assert cluster.urls == [f"http://127.0.0.1:{port + n}" for n in range(2)]
        told = json.loads(seen.read_text(encoding="utf-8"))
        # A year: a server does not renew them.
        lease = {"leaseTtlSecs": 365 * 24 * 3600, "enabled": False}
        assert told["recovery"] == {**lease, "maxStartupRecovery": 5}
        # Of this folder: other clusters have servers of the same names.
        prefix = told["leaseManager"]["key_prefix"]
        assert re.fullmatch("/stepflow/[0-9a-f]{16}/leases", prefix)
        for number, pid in enumerate(cluster.pids):
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            assert b"STEPFLOW_ORCHESTRATOR_URL=127.0.0.1:%d" % (port + number) in environment
            lines = "".join(cluster.recent_logs(number))
            assert [n for n in range(2) if f":{port + n}" in lines] == [number]


def two_free_ports() -> int:
    """Return a port that is free, and the next one as well."""
    while True:
        with socket.create_server(("0.0.0.0", 0)) as one, contextlib.suppress(OSError):
            port: int = one.getsockname()[1]
            socket.create_server(("0.0.0.0", port + 1)).close()
            return port


def test_a_number_that_no_server_has(tmp_path: Path) -> None:
    with StepflowCluster.start(servers=2, data_dir=tmp_path / "data") as cluster:
        pids = cluster.pids
        calls: list[Any] = [cluster.kill, cluster.restart, cluster.recent_logs]
        for call in calls:
            for number in (-1, 2, True, "0", None):
                with pytest.raises(
                    errors.InvalidInput, match=f"number is {number!r}; pass a whole number, 0 to 1"
                ):
                    call(number)
        assert cluster.pids == pids


@pytest.mark.parametrize("listen", ["all", "loopback"])
def test_a_stopped_cluster_holds_no_file(tmp_path: Path, listen: Any) -> None:
    def opened() -> set[str]:
        return {*os.listdir("/proc/self/fd")}

    # What is imported and found once stays.
    StepflowCluster.start(servers=1, data_dir=tmp_path / "first").stop()
    before = opened()
    cluster = StepflowCluster.start(
        servers=2,
        data_dir=tmp_path / "data",
        listen=listen,
        log_config=LogConfig(file_path=tmp_path / "log"),
    )
    assert len(opened() - before) > 4
    cluster.kill(1)
    cluster.stop()
    wait_until(lambda: opened() <= before, "all files are closed")
    # etcd was there for this cluster alone.
    assert not descendants()


@pytest.mark.parametrize("name", ["etcd", "guard", "output", "waiter", "supervisor"])
def test_a_cluster_without_threads_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process is etcd."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == f"stepflow-{name}":
            raise RuntimeError("can't start new thread")
        start(thread)

    before = {*os.listdir("/proc/self/fd")}
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(errors.StartFailed, match="can't start new thread; end other processes"):
            StepflowCluster.start(servers=1, data_dir=tmp_path)
    wait_until(lambda: {*os.listdir("/proc/self/fd")} <= before, "all files are closed")
    StepflowCluster.start(servers=1, data_dir=tmp_path).stop()


def test_the_store_of_a_config(
    tmp_path: Path, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """Its servers may be those of several clusters, which share the leases as well."""
    seen, binary = tmp_path / "seen.json", tmp_path / "server"
    binary.write_text(f'#!/bin/sh\ntee "{seen}" | "{find_binary(None)}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    storage = {"type": "sqlite", "databaseUrl": f"sqlite:{tmp_path}/a.db?mode=rwc"}
    config = {**ALL_BUILTINS, "storageConfig": storage}
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "one"):
        etcd = etcd_url(tmp_path / "one")
        for binary_ in (binary, find_binary(None)):
            with StepflowCluster.start(config, servers=2, etcd=etcd, binary=binary_) as cluster:
                outputs = [clients(cluster, n).run(ECHO, n, timeout=60).output for n in (0, 1)]
                assert outputs == [0, 1]
                with pytest.raises(errors.DataDirLocked, match=r"config's database .*/a\.db is"):
                    StepflowRuntime.start(config)
                DatabaseLock(tmp_path / "a.db", "another cluster", shared=True).release()
    # Its recovery is not that of a single server.
    assert not [one for one in caplog.messages if "recovery" in one]
    told = json.loads(seen.read_text(encoding="utf-8"))
    assert told["leaseManager"] == {"type": "etcd", "endpoints": [etcd]}
    assert told["storageConfig"] == storage
    # Nothing keeps it.
    StepflowRuntime.start(config).stop()


def test_a_cluster_that_cannot_start_holds_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scarce(ReservedPort):
        left = 0

        def __init__(self) -> None:
            if Scarce.left == 0:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            Scarce.left -= 1
            super().__init__()

    monkeypatch.setattr("stepflow_runtime.cluster.ReservedPort", Scarce)
    monkeypatch.setattr("stepflow_runtime._etcd.ReservedPort", Scarce)
    data = tmp_path / "data"
    before = {*os.listdir("/proc/self/fd")}
    # Of two servers and etcd's two ports, one after the other is missing.
    for Scarce.left in range(4):
        with pytest.raises(errors.StartFailed, match=r"Too many open files; close files, or raise"):
            StepflowCluster.start(servers=2, data_dir=data)
        wait_until(lambda: {*os.listdir("/proc/self/fd")} <= before, "all files are closed")
    Scarce.left = 4
    with StepflowCluster.start(servers=2, data_dir=data) as cluster:
        assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1


def running_servers() -> set[int]:
    """Return the process ids of all servers that this program has started."""
    binary = os.fsencode(find_binary(None))
    return {pid for pid in descendants() if command_line(pid).split(b"\0")[0] == binary}


@pytest.mark.parametrize("end", ["restart", "stop", "forgotten"])
@pytest.mark.parametrize("is_running", [True, False])
def test_a_stand_in_ends_before_its_server_starts_again_and_with_the_cluster(
    is_running: bool, end: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = StepflowCluster.start(servers=2, data_dir=tmp_path / "data")
    others = {pid for pid in cluster.pids[1:] if pid is not None}
    cluster.kill(0)
    if is_running:
        wait_until(lambda: len(running_servers() - others) == 1, "a stand-in runs")
    match end:
        case "restart":
            cluster.restart(0)
            # At no moment do two of one name run: both would execute its runs.
            assert running_servers() == {*cluster.pids}
            assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1
            cluster.stop()
        case "stop":
            cluster.stop()
        case _:
            del cluster
            gc.collect()
            wait_until(lambda: not descendants(), "everything is gone")
    assert not descendants()
    assert not [one for one in caplog.messages if "stand-in" in one]


def test_a_stand_in_is_stopped_while_it_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slow, waiting, binary = (tmp_path / name for name in ("slow", "waiting", "server"))
    binary.write_text(
        f'#!/bin/sh\nif [ -e "{slow}" ]; then > "{waiting}"; exec sleep 600; fi\n'
        f'exec "{find_binary(None)}" "$@"\n',
        encoding="utf-8",
    )
    binary.chmod(0o755)
    with StepflowCluster.start(servers=2, data_dir=tmp_path / "data", binary=binary) as cluster:
        slow.touch()
        cluster.kill(0)
        wait_until(waiting.exists, "the stand-in starts")
        slow.unlink()
        cluster.restart(0)
        assert running_servers() == {*cluster.pids}
    assert not [one for one in caplog.messages if "stand-in" in one]


@pytest.mark.parametrize("seconds", [10**400, float("inf")], ids=["large", "infinite"])
def test_timeouts_beyond_what_the_system_can_wait_are_none(seconds: float, tmp_path: Path) -> None:
    # Its version is asked for, since no wheel names it.
    binary = tmp_path / "server"
    binary.write_text(f'#!/bin/sh\nexec "{find_binary(None)}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    with StepflowCluster.start(
        servers=1,
        data_dir=tmp_path / "data",
        binary=binary,
        startup_timeout=seconds,
        shutdown_timeout=seconds,
    ) as cluster:
        assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1


def test_kills_and_restarts_from_several_threads(tmp_path: Path) -> None:
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "data") as cluster:
        actions = [cluster.restart, cluster.kill, cluster.restart, cluster.restart, cluster.kill]
        with ThreadPoolExecutor(5) as pool:
            for done in [pool.submit(action, 0) for action in actions * 2]:
                done.result()
        cluster.restart(0)
        assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1


def test_a_server_is_killed_without_waiting_for_its_exit(tmp_path: Path) -> None:
    with StepflowCluster.start(
        servers=1, data_dir=tmp_path / "data", shutdown_timeout=3600
    ) as cluster:
        (pid,) = cluster.pids
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        killing = threading.Thread(target=cluster.kill, args=(0,), daemon=True)
        killing.start()
        killing.join(60)
        assert not killing.is_alive()
        assert cluster.pids == [None]


def test_a_restart_stays_in_the_working_directory_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # May be named by a relative path.
    binary = os.path.abspath(find_binary(None))
    monkeypatch.chdir(tmp_path)
    with StepflowCluster.start(servers=1, data_dir="data", binary=binary) as cluster:
        monkeypatch.chdir("/")
        cluster.restart(0)
        (pid,) = cluster.pids
        assert os.readlink(f"/proc/{pid}/cwd") == str(tmp_path)


def test_servers_that_do_not_exit_are_killed_at_the_same_time(tmp_path: Path) -> None:
    with StepflowCluster.start(data_dir=tmp_path / "data", shutdown_timeout=5) as cluster:
        for pid in cluster.pids:
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
    # They have their time; one after the other, they would take 15 s.
    assert 4 < time.monotonic() - begun < 13


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


@pytest.mark.parametrize(
    "ending",
    ["cluster.stop()\n    assert cluster.sync_client.health()", "del cluster\n    gc.collect()"],
)
def test_a_forked_child_leaves_the_cluster_alone(
    tmp_path: Path, ending: str, running: list[subprocess.Popen[str]]
) -> None:
    code = f"""
cluster = StepflowCluster.start(servers=2, data_dir={str(tmp_path / "data")!r})
print("started", flush=True)
input()
if not (child := os.fork()):
    {ending}
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert cluster.sync_client.health()
print("used", flush=True)
input()
"""
    running.append(program(f"from stepflow_runtime import StepflowCluster\n{code}"))
    output, input = running[0].stdout, running[0].stdin
    assert output is not None and input is not None
    assert output.readline() == "started\n"
    # The program, its servers and etcd.
    pids = marked()
    input.write("\n")
    input.flush()
    assert output.readline() == "used\n"
    assert marked() == pids
    running[0].communicate("\n", timeout=60)
    assert running[0].returncode == 0


def test_a_cluster_that_is_forgotten_ends(tmp_path: Path, work: Work) -> None:
    cluster = StepflowCluster.start(
        servers=2, data_dir=tmp_path / "data", components=[work.component()]
    )
    pids = list(cluster.pids)
    cluster.kill(1)
    del cluster
    gc.collect()
    for pid in pids:
        assert pid is not None
        gone(pid)
    # Nothing keeps the folder.
    StepflowRuntime.start(data_dir=tmp_path / "data").stop()


def test_it_describes_itself(tmp_path: Path) -> None:
    cluster = StepflowCluster.start(servers=2, data_dir=tmp_path / "data")
    urls = cluster.urls
    assert repr(cluster) == f"<StepflowCluster {', '.join(urls)} running, 2 of 2 servers>"
    # Free ports, which the system chooses among those of users.
    assert min(int(url.rpartition(":")[2]) for url in urls) >= 1024
    with pytest.raises(TypeError, match="cannot be copied or pickled; pass its urls on"):
        copy.copy(cluster)
    for _ in range(2):
        cluster.kill(1)
        assert cluster.pids[1] is None
    assert repr(cluster).endswith("1 of 2 servers>")
    cluster.stop()
    assert repr(cluster) == "<StepflowCluster stopped>"
    for use in (
        lambda: cluster.urls,
        lambda: cluster.pids,
        lambda: cluster.kill(0),
        lambda: cluster.restart(0),
        lambda: cluster.recent_logs(0),
        lambda: cluster.sync_client,
    ):
        with pytest.raises(errors.InvalidState, match="the cluster is stopped; start another"):
            use()


def test_a_cluster_that_is_stopped_while_it_starts(tmp_path: Path) -> None:
    binary, asked, started = (tmp_path / name for name in ("server", "asked", "started"))
    # The first start is for its version.
    binary.write_text(
        f'#!/bin/sh\nif mkdir "{asked}"; then exec "{find_binary(None)}" "$@"; fi\n'
        f'mkdir "{started}"\nexec sleep 600\n',
        encoding="utf-8",
    )
    binary.chmod(0o755)

    async def main() -> None:
        cluster = StepflowCluster.start(data_dir=tmp_path / "data", binary=binary)
        wait_until(started.exists, "the first server starts")
        assert repr(cluster) == "<StepflowCluster starting>"
        await asyncio.to_thread(cluster.stop)
        with pytest.raises(errors.InvalidState, match=r"^the cluster was stopped while it started"):
            await cluster.run(ECHO, 1)
        with pytest.raises(errors.InvalidState, match=r"^the cluster is stopped"):
            async with cluster:
                raise AssertionError("it is stopped")
        assert repr(cluster) == "<StepflowCluster stopped>"

    asyncio.run(main())


@pytest.mark.parametrize("listen", ["all", "loopback"])
def test_who_can_reach_the_servers_is_reported(
    listen: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_starting, "_warned", threading.Lock())
    monkeypatch.setattr(_starting, "other_interfaces", lambda: ["eth7"])
    StepflowCluster.start(servers=1, data_dir=tmp_path / "data", listen=listen).stop()
    reported = [one for one in caplog.messages if "every network interface (eth7)" in one]
    assert len(reported) == (listen == "all")


def test_servers_that_all_crashed_are_reported(tmp_path: Path) -> None:
    with StepflowCluster.start(
        servers=2, data_dir=tmp_path / "data", restart_policy=RestartPolicy.NEVER
    ) as cluster:
        first, second = cluster.pids
        assert first is not None and second is not None
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: cluster.pids[0] is None, "the first is gone")
        assert cluster.is_alive
        assert cluster.sync_client.run(ECHO, 1, timeout=60).output == 1
        os.kill(second, signal.SIGKILL)
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


COMMAND = [sys.executable, "-m", "stepflow_runtime.cli", "serve", "--port", "0"]


def variables() -> dict[str, str]:
    """The command finds the packages and the server."""
    path = os.pathsep.join(os.path.abspath(one) for one in sys.path if one)
    binary = os.path.abspath(os.environ["STEPFLOW_SERVER_BINARY"])
    return {**os.environ, "PYTHONPATH": path, "STEPFLOW_SERVER_BINARY": binary}


def test_the_command_serves_a_cluster(tmp_path: Path) -> None:
    command = [*COMMAND, "--servers", "2", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(
        command, env=variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            lines = [program.stdout.readline() for _ in range(3)]
            urls = [line.split()[-1] for line in lines[:2]]
            assert [line.split(" listens")[0] for line in lines[:2]] == [
                "Stepflow server 0.13.0"
            ] * 2
            assert lines[2] == "Press Ctrl-C to stop.\n"
            with SyncStepflowClient(urls) as client:
                assert client.health().status == "healthy"
            program.send_signal(signal.SIGTERM)
            assert program.wait(60) == 0
        finally:
            program.kill()


def test_the_command_ends_when_no_server_is_left(tmp_path: Path) -> None:
    broken, binary = tmp_path / "broken", tmp_path / "server"
    binary.write_text(
        f'#!/bin/sh\n[ ! -e "{broken}" ] || exit 3\nexec "{find_binary(None)}" "$@"\n', "utf-8"
    )
    binary.chmod(0o755)
    options = ["--servers", "2", "--data-dir", str(tmp_path / "data"), "--binary", str(binary)]
    with subprocess.Popen(
        [*COMMAND, *options],
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            assert program.stdout is not None
            for _ in range(3):
                program.stdout.readline()
            broken.touch()
            for pid in descendants(program.pid):
                if str(find_binary(None)).encode() in command_line(pid).split(b"\0"):
                    os.kill(pid, signal.SIGKILL)
            _, said = program.communicate(timeout=60)
        finally:
            program.kill()
    assert program.returncode == 1
    assert said.splitlines()[-1].startswith("stepflow-runtime: no server of the cluster is running")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--servers", "2"], "--servers needs --data-dir, the folder that all servers share"),
        (["--servers", "0", "--data-dir", "a"], "servers is 0; pass a whole number, 1 to 100"),
        (["--etcd", "http://a"], "--etcd is for several servers; add --servers"),
        (
            ["--servers=2", "--config=config.json"],
            "the config has a storageConfig, which other servers may use as well; pass etcd=, the"
            " URL of the etcd that all of them use",
        ),
        (
            ["--servers=2", "--config=config.json", "--etcd=http://a:x", "--etcd=http://b:x"],
            "etcd is not a URL; pass one such as http://127.0.0.1:2379",
        ),
    ],
)
def test_wrong_use_of_the_command(tmp_path: Path, options: list[str], said: str) -> None:
    stored = {"type": "postgres", "databaseUrl": "postgres://localhost/a"}
    config = json.dumps({**ALL_BUILTINS, "storageConfig": stored})
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    done = subprocess.run(
        [*COMMAND, *options],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, f"stepflow-runtime: {said}\n")


def test_each_server_has_a_worker_of_its_own(tmp_path: Path, clients: Clients) -> None:
    module = """
import os
from stepflow_runtime import component

@component
def process() -> int:
    return os.getpid()
"""
    (tmp_path / "steps.py").write_text(module, encoding="utf-8")
    worker = {
        "type": "grpc",
        "queueName": "q",
        "command": sys.executable,
        "args": ["-m", "stepflow_runtime.cli", "worker", "steps"],
        "env": {"PYTHONPATH": f"{tmp_path}{os.pathsep}{variables()['PYTHONPATH']}"},
    }
    config = {"plugins": {"w": worker}, "routes": {"/python": [{"plugin": "w"}]}}
    builder = FlowBuilder("process")
    flow = builder.build(output=builder.step("process", "/python/process", {}))
    with StepflowCluster.start(config, data_dir=tmp_path / "data") as cluster:
        processes = {clients(cluster, n).run(flow, None, timeout=60).output for n in range(3)}
        assert len(processes) == 3
        cluster.restart(0)
        restarted = clients(cluster, 0).run(flow, None, timeout=60)
        assert restarted.output not in processes
