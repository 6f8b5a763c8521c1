"""Prints the peak memory of a process that waits for a large batch and iterates its results."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools.spec.server import StepflowServer

ITEMS = 100_000
ALLOWED_OVER_RESPONSE = 60_000_000

_SUBMIT = """
import sys
from stepflow_client import SyncStepflowClient

with SyncStepflowClient(sys.argv[1]) as client:
    flow = {"name": "echo", "steps": [], "output": {"$input": "$"}}
    print(client.submit_batch(flow, ({"n": n} for n in range(int(sys.argv[2])))).id)
"""

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

_RESPONSE_SIZE = """
import sys, httpx
print(len(httpx.get(f"{sys.argv[1]}/api/v1/runs/{sys.argv[2]}/items", timeout=60).content))
"""


def _run(code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip()


def measure(binary: Path, items: int = ITEMS) -> dict[str, int]:
    """Run one batch.

    Args:
        binary: The server's executable.
        items: How many items it has.

    Returns:
        Bytes of the answer with all items, peak memory of the whole process that asked for it,
        Python included, and what that may be at most.
    """
    with StepflowServer(binary) as server:
        run_id = _run(_SUBMIT, server.url, str(items))
        peak = int(_run(_ITERATE, server.url, run_id)) * 1024
        response = int(_run(_RESPONSE_SIZE, server.url, run_id))
    return {"response": response, "peak": peak, "allowed": response + ALLOWED_OVER_RESPONSE}


def main() -> int:
    """Print one JSON object; exit with 1 where the peak is more than allowed."""
    measured = measure(Path(os.environ["STEPFLOW_SERVER"]))
    print(json.dumps({"case": f"iterate {ITEMS} item results", "unit": "bytes", **measured}))
    return int(measured["peak"] > measured["allowed"])


if __name__ == "__main__":
    sys.exit(main())
