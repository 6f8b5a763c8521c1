"""Calls of components that last, end the program, fork, or wait for a thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.component_flows import VERSION, flow
from runtime.tests.support import leaving_nothing, wait_until
from stepflow_runtime import StepflowRuntime, component, errors


@component
def shout(text: str) -> str:
    """Return a text in capitals."""
    return text.upper()


@pytest.mark.parametrize("is_coroutine", [False, True], ids=["function", "coroutine"])
def test_a_component_that_hangs_does_not_hold_up_the_end(is_coroutine: bool) -> None:
    started, free = threading.Event(), threading.Event()

    @component(name="hang")
    def hang() -> None:
        started.set()
        free.wait()

    @component(name="hang")
    async def hang_later() -> None:
        started.set()
        await asyncio.to_thread(free.wait)

    with StepflowRuntime.start(components=[hang_later if is_coroutine else hang, shout]) as runtime:
        caller = threading.Thread(target=_run, args=(runtime, flow("hang", {})))
        caller.start()
        assert started.wait(60)
        # Others are not held up either.
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"
        begun = time.monotonic()
        runtime.stop()
        # A server that drains requests has `shutdown_timeout` for it, by default 5 s.
        assert time.monotonic() - begun < 30
    free.set()
    caller.join()


def test_a_server_exits_although_components_are_connected() -> None:
    # Otherwise it would be killed only after these seconds.
    with StepflowRuntime.start(components=[shout], shutdown_timeout=3600) as runtime:
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"


def _run(runtime: StepflowRuntime, flow: dict[str, Any]) -> None:
    with contextlib.suppress(errors.StepflowError):
        runtime.sync_client.run(flow, None)


def test_a_call_may_take_longer_than_the_server_waits_for_a_heartbeat() -> None:
    release = threading.Event()

    @component
    def slow() -> str:
        # The server takes a task without heartbeats for lost after 10 s.
        release.wait(12)
        return "done"

    with StepflowRuntime.start(components=[slow]) as runtime:
        assert runtime.sync_client.run(flow("slow", {}), None).output == "done"


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_component_that_ends_the_program_ends_its_server(end: str) -> None:
    code = f"""
import os
from stepflow_runtime import StepflowRuntime

def die():
    print(pid, flush=True)
    {end}

with StepflowRuntime.start(components=[die]) as runtime:
    pid = runtime.pid
    runtime.sync_client.run({flow("die", {})!r}, None)
"""
    with leaving_nothing():
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (3 if "exit" in end else -9)
        server = int(done.stdout)
        wait_until(lambda: not Path(f"/proc/{server}").exists(), "the server is gone")


def test_components_that_fork() -> None:
    @component
    def fork(then: str) -> int:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, b"child")
            match then:
                case "return":
                    return 99
                case "raise":
                    raise ValueError
            os._exit(0)
        os.close(writing)
        assert os.read(reading, 100) == b"child"
        os.close(reading)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    @component
    def call_a_program() -> str:
        return subprocess.run(["echo", "a"], capture_output=True, text=True, check=True).stdout

    with StepflowRuntime.start(components=[fork, call_a_program]) as runtime:
        run = runtime.sync_client.run
        # A child that returns or raises sends no second response.
        for then in ("exit", "return", "raise"):
            assert run(flow("fork", {"then": then}), None).output == 0
        assert run(flow("call_a_program", {}), None).output == "a\n"


def test_calls_beyond_64_wait_for_a_thread() -> None:
    if VERSION < (0, 12):
        pytest.skip("servers up to 0.11 send any number of calls at once")
    started: list[int] = []
    gate = threading.Event()

    @component
    def wait(number: int) -> int:
        started.append(number)
        gate.wait(60)
        return number

    with StepflowRuntime.start(components=[wait]) as runtime:
        batch = runtime.sync_client.submit_batch(
            flow("wait", {"number": {"$input": "$"}}), range(70), max_concurrency=70
        )
        wait_until(lambda: len(started) >= 64, "all threads are busy")
        # No other call is started, and none is dropped.
        assert not gate.wait(1.5) and len(started) == 64
        gate.set()
        assert [one.output for one in batch.results(timeout=60)] == list(range(70))
