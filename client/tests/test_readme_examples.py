"""The Python in the README runs as it stands against the real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.spec.server import StepflowServer

URL = "http://localhost:7840"
EXAMPLES = re.findall(
    r"```python\n(.*?)```", Path("client/README.md").read_text(encoding="utf-8"), re.DOTALL
)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("code", EXAMPLES)
def test_example_runs(code: str, server: StepflowServer, tmp_path: Path) -> None:
    assert URL in code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace(URL, server.url)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        # Some write files.
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
