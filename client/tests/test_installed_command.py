"""The command as pip installs it: on PATH, and it runs a flow."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import stepflow_client
from tools.spec.server import StepflowServer


def test_the_package_is_the_installed_one() -> None:
    assert str(stepflow_client.__file__).startswith(sys.prefix)
    for name in ("stepflow-api", "stepflow-client"):
        assert importlib.metadata.version(name) == stepflow_client.__version__


def test_the_command_runs_a_flow(server: StepflowServer, tmp_path: Path) -> None:
    flow = tmp_path / "echo.yaml"
    flow.write_text("name: echo\nsteps: []\noutput: {$input: $}\n", encoding="utf-8")
    command = shutil.which("stepflow-client")
    assert command is not None
    assert command.startswith(sys.prefix)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [command, "--url", server.url, "run", str(flow), "--input", '{"n": 1}'],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"n": 1}
