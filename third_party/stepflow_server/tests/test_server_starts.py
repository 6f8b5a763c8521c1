"""The server's binary starts from the target that tests and the runtime use."""

import os
import subprocess


def test_server_runs() -> None:
    server = os.environ["STEPFLOW_SERVER"]

    answer = subprocess.run([server, "--help"], capture_output=True, text=True, check=True)

    assert "--port" in answer.stdout
