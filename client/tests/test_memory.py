"""What many results cost in memory."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx

from stepflow_client import SyncStepflowClient
from tools.spec.server import StepflowServer

ITEMS = 100_000
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
