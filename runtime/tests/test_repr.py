"""The repr of a runtime: starting, running, stopped or failed, and why."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from stepflow_runtime import StepflowRuntime, errors
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
