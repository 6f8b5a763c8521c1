"""The Python in the READMEs runs as it stands against the real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.spec.server import StepflowServer

DOCUMENTED_URL = "http://localhost:7840"
READMES = ("README.md", "api/README.md")
EXAMPLES = [
    pytest.param(code, id=f"{readme}-{number}")
    for readme in READMES
    for number, code in enumerate(
        re.findall(r"```python\n(.*?)```", Path(readme).read_text(encoding="utf-8"), re.DOTALL)
    )
    # The tests of the runtime run those that start a server.
    if "stepflow_runtime" not in code
]


@pytest.fixture(scope="module")
def server() -> Iterator[StepflowServer]:
    with StepflowServer(os.environ["STEPFLOW_SERVER"]) as server:
        yield server


def run(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_every_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 1 + 5


@pytest.mark.parametrize("code", EXAMPLES)
def test_readme_example_runs(code: str, server: StepflowServer) -> None:
    assert DOCUMENTED_URL in code
    assert run("-c", code.replace(DOCUMENTED_URL, server.url))


def test_example_program_prints_a_typed_result(server: StepflowServer) -> None:
    printed = run("api/examples/run_flow.py", "--url", server.url, "--prompt", "Good day")
    assert printed.startswith("200 run_id=UUID(")
    assert "result='Good day'" in printed


def test_example_program_says_in_one_line_that_there_is_no_server() -> None:
    done = subprocess.run(
        [sys.executable, "api/examples/run_flow.py", "--url", "http://127.0.0.1:9"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is the server running there?" in done.stderr
