"""What many results and events cost in memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx

from stepflow_api.testing import MockRequest, MockServer
from stepflow_client import SyncStepflowClient
from tools.spec.server import StepflowServer

ITEMS = 100_000
RUN = str(UUID(int=1))
TIME = "2026-01-01T00:00:00Z"
SUMMARY = {
    "runId": RUN,
    "rootRunId": RUN,
    "flowId": "0" * 64,
    "status": 1,
    "items": {"total": 1, "completed": 0, "running": 1, "failed": 0, "cancelled": 0},
    "createdAt": TIME,
    "createdAtSeqno": 0,
}
ALLOWED_OVER_RESPONSE = 60_000_000

_ITERATE = """
import sys
from pathlib import Path
from stepflow_client import SyncStepflowClient

with SyncStepflowClient(sys.argv[1]) as client:
    results = client.handle(sys.argv[2]).results()
    assert sum(result.output["n"] for result in results) == sum(range(len(results)))
# Other than the peak that getrusage reports, this one leaves out the process that started it.
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def test_100_000_results_take_little_more_than_the_response(server: StepflowServer) -> None:
    flow = {"name": "echo", "steps": [], "output": {"$input": "$"}}
    with SyncStepflowClient(server.url) as client:
        run_id = client.submit_batch(flow, ({"n": n} for n in range(ITEMS))).id
    done = subprocess.run(
        [sys.executable, "-c", _ITERATE, server.url, str(run_id)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    response = len(httpx.get(f"{server.url}/api/v1/runs/{run_id}/items", timeout=60).content)
    assert response > 10_000_000
    assert int(done.stdout) * 1024 <= response + ALLOWED_OVER_RESPONSE


def test_events_are_not_remembered_for_ever() -> None:
    # Each connection ends after 100 events, of which only those of the last number may come again.
    streams, per_stream = 20, 100
    sizes: list[int] = []

    def events(request: MockRequest) -> list[dict[str, Any]]:
        start = int(request.query["since"])
        found: list[dict[str, Any]] = [
            {"sequenceNumber": number, "timestamp": TIME, "kind": "Slept", "data": {"x": "y" * 200}}
            for number in range(start, start + per_stream)
        ]
        if start + per_stream >= streams * per_stream:
            found.append({**found[-1], "kind": "RunCompleted", "data": {"runId": RUN, "status": 2}})
        return found

    routes: dict[str, Callable[[MockRequest], Any] | dict[str, Any]] = {
        "GET /runs/{run_id}/events": events,
        "GET /runs": {"runs": [SUMMARY]},
    }
    server = MockServer(routes, version="0.13.0")
    with SyncStepflowClient("http://server", transport=server) as client:
        tracemalloc.start()
        for event in client.handle(RUN).events():
            if event.sequence_number % per_stream == 50:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert len(sizes) >= streams
    assert sizes[-1] - sizes[1] < 300_000
