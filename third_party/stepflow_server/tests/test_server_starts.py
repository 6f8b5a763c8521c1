"""The server's binary starts from the target that tests and the runtime use, in that version."""

import json
import os
import urllib.request
from pathlib import Path

from tools.spec.server import StepflowServer


def test_server_runs() -> None:
    requirements = Path(os.environ["REQUIREMENTS"]).read_text(encoding="utf-8")
    asked = requirements.partition("stepflow-orchestrator==")[2].strip()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    with (
        StepflowServer(os.environ["STEPFLOW_SERVER"]) as server,
        opener.open(f"{server.url}/api/v1/health") as answer,
    ):
        health = json.load(answer)

    assert health["status"] == "healthy"
    # Servers from 0.12 on name the commit that they were built from, and no version.
    assert health.get("version") == asked or health["build"]["profile"] == "release"
