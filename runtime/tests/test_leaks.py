"""Starts and stops leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from pathlib import Path

import pytest

from runtime.tests.support import ECHO, descendants, wait_until
from stepflow_runtime import LogConfig, StepflowRuntime, errors


def held() -> tuple[set[int], int, int]:
    """Return the present processes, threads and file descriptors."""
    # The folder that is listed takes one descriptor, here and there alike.
    return descendants(), threading.active_count(), len(os.listdir("/proc/self/fd"))


def files() -> set[Path]:
    """Return the files and folders in the folder for temporary files."""
    return set(Path(tempfile.gettempdir()).iterdir())


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets this test alone make temporary files there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))


def start_and_stop(data_dir: Path, number: int) -> None:
    """Starts and stops a runtime, by another way each time."""

    async def use() -> None:
        async with StepflowRuntime.start() as runtime:
            await runtime.run(ECHO, number)

    match number % 5:
        case 0:
            StepflowRuntime.start().stop()
        case 1:
            log_config = LogConfig(file_path=data_dir.parent / "log")
            with StepflowRuntime.start(data_dir=data_dir, log_config=log_config) as runtime:
                runtime.sync_client.run(ECHO, number)
        case 2:
            asyncio.run(use())
        case 3:
            with pytest.raises(errors.ConfigInvalid):
                StepflowRuntime.start({"plugins": {}}, data_dir=data_dir)
        case _:
            runtime = StepflowRuntime.start()
            os.kill(runtime.pid, 9)
            wait_until(lambda: not runtime.is_alive, "the server is dead")
            runtime.stop()


def test_200_starts_and_stops_leave_nothing(tmp_path: Path) -> None:
    for number in range(5):
        start_and_stop(tmp_path / "data", number)
    before = held()
    for number in range(200):
        start_and_stop(tmp_path / "data", number)
    wait_until(lambda: held() == before, f"all is as before, {before} {held()}")
    assert files() == set()
    assert {path.name for path in (tmp_path / "data").iterdir()} <= {
        "server.json",
        "stepflow.db",
        "stepflow.db.lock",
        "stepflow.db-shm",
        "stepflow.db-wal",
    }
