"""A runtime starts, runs flows by every way of use, and stops."""

from __future__ import annotations

import asyncio
import copy
import errno
import gc
import inspect
import json
import os
import socket
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from runtime.tests.support import (
    ECHO,
    PUT_BLOB,
    READ_FILE,
    binary_with,
    descendants,
    exists,
    wait_until,
)
from stepflow_api.support import Hidden
from stepflow_client import StepflowClient, StepflowExecutor, SyncStepflowExecutor
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime, errors
from stepflow_runtime._binary import find_binary
from stepflow_runtime._config import server_environment
from tools.pytest.support import check_frames


def test_with() -> None:
    with StepflowRuntime.start() as runtime:
        assert runtime.is_alive and exists(runtime.pid)
        assert runtime.url == f"http://127.0.0.1:{runtime.port}"
        assert runtime.sync_client.run(ECHO, {"n": 1}).output == {"n": 1}
        pid = runtime.pid
    assert not runtime.is_alive and not exists(pid)


def test_a_timeout_beyond_what_the_system_can_wait_is_none() -> None:
    with StepflowRuntime.start(startup_timeout=10**400, shutdown_timeout=10**400) as runtime:
        pid = runtime.pid
    assert not exists(pid)


def test_start_waits_until_the_server_takes_runs(tmp_path: Path) -> None:
    # As servers from 0.12 on print it, with the last line long after the server is healthy.
    binary = binary_with(
        tmp_path / "stepflow-server",
        """{
        echo '{"level":"INFO","message":"gRPC services available on 127.0.0.1:1"}'
        while IFS= read -r line; do
            case $line in *"Recovering pending runs"*) continue ;; esac
            printf '%s\\n' "$line"
            case $line in *"server starting on"*)
                sleep 0.3
                echo '{"level":"INFO","message":"Recovering pending runs"}' ;;
            esac
        done
        }""",
    )
    with StepflowRuntime.start(binary=binary) as runtime:
        assert runtime.port
        assert [line for line in runtime.recent_logs() if "Recovering pending runs" in line]


def test_async_with() -> None:
    async def main() -> int:
        async with StepflowRuntime.start() as runtime:
            result = await runtime.run(ECHO, 1)
            assert result.output == 1
            handle = await runtime.submit(ECHO, 2)
            assert (await handle.result()).output == 2
            results = await runtime.run_batch(ECHO, [3, 4])
            assert [one.output for one in results] == [3, 4]
            assert (await runtime.validate(ECHO)).is_valid
            assert (await runtime.client.health()).status == "healthy"
            return runtime.pid

    assert not exists(asyncio.run(main()))


def test_a_client_is_closed_with_its_event_loop_or_its_block() -> None:
    kept: list[StepflowClient] = []

    async def use(runtime: StepflowRuntime) -> None:
        kept.append(runtime.client)
        assert await runtime.client.health()

    async def use_in_block() -> None:
        async with StepflowRuntime.start() as runtime:
            await use(runtime)
            sync_client = runtime.sync_client
        # Before the event loop ends.
        with pytest.raises(errors.StepflowError, match="closed"):
            await kept[-1].health()
        with pytest.raises(errors.StepflowError, match="closed"):
            sync_client.health()

    asyncio.run(use_in_block())
    with StepflowRuntime.start() as runtime:
        asyncio.run(use(runtime))
        with pytest.raises(errors.StepflowError, match="closed"):
            asyncio.run(kept[-1].health())
        # The next event loop has another.
        asyncio.run(use(runtime))


def test_without_a_block() -> None:
    runtime = StepflowRuntime.start()
    pid = runtime.pid
    assert runtime.is_alive
    runtime.stop()
    assert not exists(pid)
    runtime.stop()


def test_in_a_loop_without_a_block() -> None:
    async def main() -> None:
        runtime = StepflowRuntime.start()
        assert (await runtime.run(ECHO, 1)).output == 1
        await asyncio.to_thread(runtime.stop)
        other = StepflowRuntime.start()
        assert other.port and other.is_alive
        other.stop()

    asyncio.run(main())


def test_starting_does_not_hold_up_the_loop() -> None:
    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        task = asyncio.create_task(tick())
        async with StepflowRuntime.start():
            during = ticks
        task.cancel()
        assert during > 10

    asyncio.run(main())


def test_stopping_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    """Here the server exits only once another task of the loop has run."""
    asked, allowed, exited = (tmp_path / name for name in ("asked", "allowed", "exited"))
    binary = tmp_path / "server"
    binary.write_text(
        f'#!/bin/sh\nexec 3<&0\n"{find_binary(None)}" "$@" <&3 &\n'
        f'trap \': > "{asked}"; until [ -e "{allowed}" ]; do sleep 0.01; done;'
        f' kill $!; wait $!; : > "{exited}"; exit\' TERM\nwait\n',
        encoding="utf-8",
    )
    binary.chmod(0o755)

    async def main() -> None:
        async def allow() -> None:
            while not asked.exists():
                await asyncio.sleep(0.001)
            allowed.touch()

        task = asyncio.create_task(allow())
        async with StepflowRuntime.start(binary=binary, shutdown_timeout=60):
            pass
        # Otherwise it was killed in the end.
        assert exited.exists()
        await task

    asyncio.run(main())


def test_a_cancelled_start_leaves_nothing() -> None:
    async def main() -> None:
        async def enter() -> None:
            async with StepflowRuntime.start():
                raise AssertionError("it was to be cancelled")

        task = asyncio.create_task(enter())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_cancelled_call_does_not_cancel_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    run, go = threading.Thread.run, threading.Event()

    def wait_and_run(thread: threading.Thread) -> None:
        if thread.name == "stepflow-start":
            go.wait()
        run(thread)

    async def main() -> None:
        monkeypatch.setattr(threading.Thread, "run", wait_and_run)
        runtime = StepflowRuntime.start()
        call = asyncio.create_task(runtime.run(ECHO, 1))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        go.set()
        async with runtime:
            assert (await runtime.run(ECHO, 2)).output == 2

    asyncio.run(main())


@pytest.mark.parametrize("moment", ["start", "end"])
def test_a_cancelled_block_leaves_nothing_while_all_threads_of_the_loop_are_busy(
    moment: str,
) -> None:
    async def main() -> None:
        loop, free, entered = asyncio.get_running_loop(), threading.Event(), asyncio.Event()
        loop.set_default_executor(ThreadPoolExecutor(1))

        async def use() -> None:
            async with StepflowRuntime.start():
                entered.set()

        busy = asyncio.create_task(asyncio.to_thread(free.wait))
        task = asyncio.create_task(use())
        if moment == "end":
            await entered.wait()
        await asyncio.sleep(0)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        busy.cancel()
        # The loop ends before its thread is free.
        threading.Timer(0.1, free.set).start()

    asyncio.run(main())


def test_the_end_of_a_block_without_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "stepflow-stop":
            raise RuntimeError("can't start new thread")
        start(thread)

    async def main() -> int:
        async with StepflowRuntime.start() as runtime:
            monkeypatch.setattr(threading.Thread, "start", refuse)
            return runtime.pid

    assert not exists(asyncio.run(main()))


def test_a_binary_that_can_be_executed_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    binary, read = find_binary(None), Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path == binary:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return read(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with StepflowRuntime.start() as runtime:
        assert runtime.sync_client.health()


THREADS = ["guard", "output", "waiter", "supervisor"]


@pytest.mark.parametrize("name", [*THREADS, "start"])
def test_a_start_without_threads_leaves_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == f"stepflow-{name}":
            raise RuntimeError("can't start new thread")
        start(thread)

    async def in_loop() -> None:
        async with StepflowRuntime.start():
            raise AssertionError("it cannot start")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(errors.StartFailed, match="can't start new thread; end other processes"):
        asyncio.run(in_loop()) if name == "start" else StepflowRuntime.start()
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("name", THREADS)
def test_an_interrupt_while_a_thread_starts_leaves_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []
    failed: list[threading.ExceptHookArgs] = []

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name.startswith("stepflow-"):
            started.append(thread)
        if thread.name == f"stepflow-{name}":
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    monkeypatch.setattr(threading, "excepthook", failed.append)
    with pytest.raises(KeyboardInterrupt):
        StepflowRuntime.start()
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()
    assert not failed
    assert not descendants()


def test_it_is_an_executor() -> None:
    with StepflowRuntime.start() as runtime:
        assert isinstance(runtime, StepflowExecutor)
        assert isinstance(runtime.sync_client, SyncStepflowExecutor)
    for name in ("run", "submit", "run_batch", "submit_batch", "validate"):
        signature = inspect.signature(getattr(StepflowExecutor, name))
        assert inspect.signature(getattr(StepflowRuntime, name)) == signature


def test_it_takes_the_options_of_a_client() -> None:
    async def main() -> None:
        async with StepflowRuntime.start() as runtime:
            batch = await runtime.submit_batch(ECHO, [1, 2], max_concurrency=1, timeout=60)
            assert [one.output for one in await batch.results()] == [1, 2]
            handle = await runtime.submit(ECHO, 3, timeout=60, retry_create=True)
            assert (await handle.result()).output == 3
            for method in (runtime.run, runtime.submit, runtime.run_batch, runtime.submit_batch):
                wrong: dict[str, Any] = {"headers": {"x-tenant": "s3cr3t"}, "tmeout": 3}
                with pytest.raises(TypeError) as raised:
                    await method(ECHO, [4], **wrong)
                del wrong
                check_frames(raised.value, "s3cr3t")

    asyncio.run(main())


def test_one_runtime_serves_several_loops_and_threads() -> None:
    with StepflowRuntime.start() as runtime:

        def in_thread(number: int) -> None:
            assert asyncio.run(runtime.run(ECHO, number)).output == number
            assert runtime.sync_client.run(ECHO, number).output == number

        threads = [threading.Thread(target=in_thread, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert asyncio.run(runtime.run(ECHO, 9)).output == 9
        assert runtime.client is runtime.client
        loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

        async def note() -> None:
            assert runtime.client is runtime.client
            loops.append(weakref.ref(asyncio.get_running_loop()))

        asyncio.run(note())
        gc.collect()
        assert loops[0]() is None
        for number in range(3):
            assert asyncio.run(runtime.client.run(ECHO, number)).output == number
        gc.collect()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("listed", ["", "localhost,fe80::/10", "127.0.0.0/8", "*"])
def test_proxies_of_the_environment_are_not_used(
    scheme: str, listed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("NO_PROXY", listed)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        url = f"{scheme}://127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, url)
        with StepflowRuntime.start() as runtime:
            assert runtime.sync_client.run(ECHO, 1, timeout=60).output == 1
            assert asyncio.run(runtime.run(ECHO, 1, timeout=60)).output == 1
            # Made outside of a loop, it is the client for any loop.
            assert asyncio.run(runtime.client.run(ECHO, 1, timeout=60)).output == 1


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTPS_PROXY"])
@pytest.mark.parametrize("listed", ["NO_PROXY", "no_proxy"])
def test_the_server_connects_to_this_machine_without_a_proxy(listed: str, proxy: str) -> None:
    names = {proxy: "http://127.0.0.1:1", listed: "example.com"}
    # An empty one says no more than none.
    for given in (names, {"NO_PROXY": "", "no_proxy": "", **names}):
        environment = server_environment(Hidden(given), inherit_env=False, lasts=False).value
        for name in ("NO_PROXY", "no_proxy"):
            assert environment[name].split(",") == ["example.com", "localhost", "127.0.0.1", "::1"]
    names[listed] = "*"
    environment = server_environment(Hidden(names), inherit_env=False, lasts=False).value
    assert environment["NO_PROXY"] == environment["no_proxy"] == "*"
    assert "NO_PROXY" not in server_environment(Hidden({}), inherit_env=False, lasts=False).value


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("upper", "lower", "expected_upper", "expected_lower"),
    [
        # Both are set: each keeps its own.
        ("one.example", "other.example", "one.example", "other.example"),
        # An asterisk within a list, or within a name, does not stand for all hosts.
        ("*.example", "*,a.example", "*.example", "*,a.example"),
        # Spaces are no list.
        (" one.example ", " ", "one.example", ""),
    ],
)
def test_the_server_inherits_proxies_and_connects_to_this_machine_without_one(
    upper: str,
    lower: str,
    expected_upper: str,
    expected_lower: str,
    proxy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [one for one in os.environ if one.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(proxy, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", upper)
    monkeypatch.setenv("no_proxy", lower)
    environment = server_environment(Hidden(None), inherit_env=True, lasts=False).value
    local = ["localhost", "127.0.0.1", "::1"]
    assert environment[proxy] == "http://127.0.0.1:1"
    for name, expected in (("NO_PROXY", expected_upper), ("no_proxy", expected_lower)):
        assert environment[name].split(",") == [*filter(None, expected.split(",")), *local]


def test_two_runtimes_at_once() -> None:
    with StepflowRuntime.start() as one, StepflowRuntime.start() as other:
        assert one.port != other.port
        flow_id = one.sync_client.store_flow(ECHO)
        with pytest.raises(errors.StepflowError):
            other.sync_client.get_flow(flow_id)


@pytest.mark.parametrize("components", [[], [len]], ids=["none", "components"])
def test_a_forgotten_runtime_ends(components: list[Callable[..., Any]]) -> None:
    pid = StepflowRuntime.start(components=components).pid
    gc.collect()
    wait_until(lambda: not exists(pid), "the server is gone")


def test_the_default_config_computes_and_reads_no_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.write_text("1", encoding="utf-8")
    with StepflowRuntime.start() as runtime:
        assert runtime.sync_client.run(PUT_BLOB, 1).is_success
        result = runtime.sync_client.run(READ_FILE, {"path": str(path)})
        assert result.is_failed
    with StepflowRuntime.start(ALL_BUILTINS) as runtime:
        assert runtime.sync_client.run(READ_FILE, {"path": str(path)}).output == 1


@pytest.mark.parametrize("config", [None, ALL_BUILTINS], ids=["default", "all builtins"])
def test_a_config_of_this_package_tries_no_component_again(config: Any, tmp_path: Path) -> None:
    """By default, servers from 0.11 on try a builtin that fails again for seconds."""
    seen, binary = tmp_path / "seen.json", tmp_path / "server"
    binary.write_text(f'#!/bin/sh\ntee "{seen}" | "{find_binary(None)}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    StepflowRuntime.start(config, binary=binary).stop()
    assert json.loads(seen.read_text(encoding="utf-8"))["retry"] == {"transportMaxRetries": 0}


def test_a_config_of_the_caller_stays_as_it_is(tmp_path: Path) -> None:
    given = copy.deepcopy(ALL_BUILTINS)
    StepflowRuntime.start(given, data_dir=tmp_path / "data", components=[len]).stop()
    assert given == ALL_BUILTINS


def test_a_config_is_a_dict_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(
        'plugins: {builtin: {type: builtin}}\nroutes: {"/{*component}": [{plugin: builtin}]}\n',
        encoding="utf-8",
    )
    rule = [{"plugin": "builtin"}]
    given: dict[str, Any] = {
        "plugins": {"builtin": {"type": "builtin"}},
        "routes": {"/{*component}": rule},
    }

    class OtherPath(os.PathLike[str]):
        def __fspath__(self) -> str:
            return str(path)

    for config in (given, path, str(path), OtherPath(), MappingProxyType(given)):
        with StepflowRuntime.start(config) as runtime:
            assert runtime.sync_client.run(PUT_BLOB, 1).is_success
