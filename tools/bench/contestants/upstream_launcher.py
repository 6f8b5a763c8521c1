"""stepflow_orchestrator: the launcher that comes with the server."""

from __future__ import annotations

from tools.bench.contestants.common import starts
from tools.bench.worker import serve

if __name__ == "__main__":
    serve({"start": starts("upstream")}, packages=["stepflow-orchestrator"])
