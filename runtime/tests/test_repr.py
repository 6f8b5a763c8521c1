"""The repr of a runtime: starting, running, stopped or failed, and why."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest

from runtime.tests.support import ECHO
from stepflow_runtime import StepflowRuntime, errors
from stepflow_runtime._binary import find_binary
from tools.pytest.support import wait_until


def test_running_and_stopped() -> None:
    runtime = StepflowRuntime.start()
    assert repr(runtime) == f"<StepflowRuntime {runtime.url} running, pid {runtime.pid}>"
    runtime.stop()
    assert repr(runtime) == "<StepflowRuntime stopped>"


def test_killed() -> None:
    with StepflowRuntime.start() as runtime:
        os.kill(runtime.pid, signal.SIGKILL)
        wait_until(lambda: "failed" in repr(runtime), "the end is noticed")
        assert repr(runtime).startswith("<StepflowRuntime failed: ")
        assert "killed by signal 9" in repr(runtime)
    assert repr(runtime) == "<StepflowRuntime stopped>"


def test_starting_and_failed(tmp_path: Path) -> None:
    async def main() -> None:
        # In an event loop, `start` does not wait.
        runtime = StepflowRuntime.start(tmp_path / "missing.yml")
        assert repr(runtime) == "<StepflowRuntime starting>" or "failed: " in repr(runtime)
        with pytest.raises(errors.StartFailed) as error:
            async with runtime:
                pass
        assert repr(runtime).startswith("<StepflowRuntime failed: ")
        assert str(error.value)[:40] in repr(runtime)

    asyncio.run(main())


def test_starting_and_running() -> None:
    async def main() -> None:
        runtime = StepflowRuntime.start()
        assert repr(runtime) == "<StepflowRuntime starting>" or "running" in repr(runtime)
        async with runtime:
            assert "running, pid" in repr(runtime)
        assert repr(runtime) == "<StepflowRuntime stopped>"

    asyncio.run(main())


def test_stopped_before_its_process_exists(tmp_path: Path) -> None:
    binary, gate = tmp_path / "server", tmp_path / "gate"
    binary.write_text(
        f'#!/bin/sh\n[ ! -e "{gate}" ] || cat "{gate}"\nexec "{find_binary(None)}" "$@"\n', "utf-8"
    )
    binary.chmod(0o755)
    StepflowRuntime.start(data_dir=tmp_path / "data").stop()
    os.mkfifo(gate)

    async def main() -> None:
        # Its version is asked for first, since another server may have written the data.
        runtime = StepflowRuntime.start(data_dir=tmp_path / "data", binary=binary)
        writing: list[int] = []
        wait_until(lambda: opened(gate, writing), "it is asked")
        stopping = threading.Thread(target=runtime.stop)
        stopping.start()
        wait_until(lambda: repr(runtime) == "<StepflowRuntime stopped>", "it is stopped")
        gate.unlink()
        os.close(writing[0])
        stopping.join()
        with pytest.raises(errors.InvalidState, match="was stopped while it started"):
            await runtime.run(ECHO, 1)
        # Nothing of it is left, such as a lock.
        async with StepflowRuntime.start(data_dir=tmp_path / "data"):
            pass

    asyncio.run(main())


def test_stopped_before_it_is_ready(tmp_path: Path) -> None:
    binary, began = tmp_path / "server", tmp_path / "began"
    binary.write_text(f'#!/bin/sh\n: > "{began}"\nexec sleep 600\n', encoding="utf-8")
    binary.chmod(0o755)

    async def main() -> None:
        runtime = StepflowRuntime.start(binary=binary)
        wait_until(began.exists, "its process runs")
        runtime.stop()
        # It is no failed start that its process was killed.
        with pytest.raises(errors.InvalidState, match="was stopped while it started"):
            await runtime.run(ECHO, 1)
        assert repr(runtime) == "<StepflowRuntime stopped>"

    asyncio.run(main())


def opened(gate: Path, writing: list[int]) -> bool:
    """Open a FIFO for writing, once a process reads it."""
    with contextlib.suppress(OSError):
        writing.append(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
    return bool(writing)


def test_stopped_while_it_started() -> None:
    async def main() -> None:
        runtime = StepflowRuntime.start()
        await asyncio.to_thread(runtime.stop)
        # Its start may have succeeded before.
        with contextlib.suppress(errors.InvalidState):
            async with runtime:
                raise AssertionError("it is stopped")
        assert repr(runtime) == "<StepflowRuntime stopped>"

    asyncio.run(main())
