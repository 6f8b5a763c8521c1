"""With a data_dir every step is executed once, and everything is resumed after a crash."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.tests.opened import Opened
from runtime.tests.support import READ_FILE, completed_tasks, release, wait_until
from stepflow_runtime import ALL_BUILTINS, RestartPolicy, StepflowRuntime

RUNS = int(os.environ["RUNS"])
IN_PROGRESS = 250

#: Reads a file, then waits until something is written to a FIFO.
TWO_STEPS = {
    "name": "two-steps",
    "steps": [
        {"id": "count", "component": "/load_file", "input": {"path": {"$input": "file"}}},
        {
            "id": "wait",
            "component": "/load_file",
            "input": {"path": {"$input": "fifo"}, "after": {"$step": "count"}},
        },
    ],
    "output": {"$step": "wait", "path": "data"},
}


def test_each_of_many_runs_is_executed_once(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    names = [f"{number}.json" for number in range(RUNS)]
    for name in names:
        (files / name).write_text("1", encoding="utf-8")
    with (
        StepflowRuntime.start(ALL_BUILTINS, data_dir=tmp_path / "data") as runtime,
        Opened(files) as opened,
        ThreadPoolExecutor(8) as pool,
    ):
        client = runtime.sync_client
        results = pool.map(lambda name: client.run(READ_FILE, {"path": str(files / name)}), names)
        assert all(result.output == 1 for result in results)
    assert opened.times == dict.fromkeys(names, 1)
    resumed = [line for line in runtime.recent_logs() if "Recovering execution tree" in line]
    assert not resumed


def test_all_runs_in_progress_are_resumed_at_once(tmp_path: Path) -> None:
    files, fifos = tmp_path / "files", tmp_path / "fifos"
    files.mkdir()
    fifos.mkdir()
    numbers = range(IN_PROGRESS)
    for number in numbers:
        (files / str(number)).write_text("1", encoding="utf-8")
        os.mkfifo(fifos / f"{number}.json")
    with (
        Opened(files) as opened,
        StepflowRuntime.start(
            ALL_BUILTINS, data_dir=tmp_path / "data", restart_policy=RestartPolicy.ON_FAILURE
        ) as runtime,
    ):
        client = runtime.sync_client
        handles = [
            client.submit(
                TWO_STEPS, {"file": str(files / str(n)), "fifo": str(fifos / f"{n}.json")}
            )
            for n in numbers
        ]
        database = tmp_path / "data" / "stepflow.db"
        wait_until(lambda: completed_tasks(database) == IN_PROGRESS, "the first steps are done")
        pid = runtime.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: runtime.pid != pid and runtime.is_alive, "the server is started again")
        restarted = time.monotonic()
        done = threading.Event()

        def feed() -> None:
            # Once each: a reader would take two values for one.
            waiting = set(numbers)
            while waiting and not done.wait(0.01):
                waiting -= {one for one in waiting if release(fifos / f"{one}.json")}

        feeding = threading.Thread(target=feed)
        feeding.start()
        try:
            outputs = [handle.result(timeout=60).output for handle in handles]
        finally:
            done.set()
            feeding.join()
        seconds = time.monotonic() - restarted
    assert outputs == [42] * IN_PROGRESS
    # The step in flight is executed again, the one before it is not.
    assert opened.times == {str(number): 1 for number in numbers}
    # Under the server's own limit, 100 runs at its start and 10 every 30 seconds, it is 450 s.
    assert seconds < 60
