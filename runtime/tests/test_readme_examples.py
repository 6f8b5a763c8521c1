"""The Python in the README runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = re.findall(
    r"```python\n(.*?)```", Path("runtime/README.md").read_text(encoding="utf-8"), re.DOTALL
)

PRINTED = [
    "Hello!",
    "\n100 100\n",
    "HELLO\n",
    "HELLO\n",
    "['/create_messages', ",
    " components\n",
    "crashed with -9",
    "[]",
    "http://127.0.0.1:",
]


def test_each_example_is_here() -> None:
    assert len(EXAMPLES) == len(PRINTED)


def test_two_examples_of_the_repository_are_among_them() -> None:
    first, second, *_ = re.findall(
        r"```python\n(.*?)```", Path("README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert first in EXAMPLES
    assert second in EXAMPLES


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_example_runs(number: int, tmp_path: Path) -> None:
    binary = os.environ.get("STEPFLOW_SERVER_BINARY")
    if "StepflowCluster" in EXAMPLES[number] and binary is None:
        pytest.skip("a cluster needs a newer server than the installed one")
    path = os.pathsep.join(os.path.abspath(one) for one in sys.path if one)
    variables = {} if binary is None else {"STEPFLOW_SERVER_BINARY": os.path.abspath(binary)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        env={**os.environ, "PYTHONPATH": path, **variables},
        # Some have a data_dir.
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # On a machine with a network the runtime says who can reach the server, or what has crashed.
    told = ("the Stepflow server", "WARNING stepflow_runtime")
    said = [line for line in done.stderr.splitlines() if not line.startswith(told)]
    assert (done.returncode, said) == (0, [])
    assert PRINTED[number] in done.stdout
