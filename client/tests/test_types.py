"""Both type checkers pass on the package and its examples, and refuse wrong calls."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stepflow_client

PACKAGE = Path(stepflow_client.__file__).parent
CALLS = Path(__file__).with_name("typed_calls.py")
README = Path("client/README.md").read_text(encoding="utf-8")
#: Each line that says so must be refused, and nothing else.
WRONG = """\
from stepflow_api.models import Flow
from stepflow_client import StepflowClient, StepflowExecutor
from stepflow_client import SyncStepflowClient, SyncStepflowExecutor


async def wrong(client: StepflowClient, sync: SyncStepflowClient, flow: Flow) -> None:
    client.run(flow)  # refused
    sync.run(7, 1)  # refused
    sync.run(flow, 1, 30)  # refused
    sync.run(flow, 1, timeout="30")  # refused
    sync.run_batch(flow, 5)  # refused
    sync.handle(5)  # refused
    print(sync.run(flow, 1).no_such_attribute)  # refused
    for _ in client.list_runs():  # refused
        pass
    executor: StepflowExecutor = sync  # refused
    other: SyncStepflowExecutor = client  # refused
    del executor, other
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The package and the README's examples."""
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert examples
    paths = [PACKAGE]
    for number, code in enumerate(examples):
        paths.append(tmp_path / f"example_{number}.py")
        paths[-1].write_text(code, encoding="utf-8")
    return paths


def mypy(tmp_path: Path, *paths: Path) -> list[tuple[str, int, str]]:
    """Gives what mypy refuses: file, line, message."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context"]
        + ["--namespace-packages", "--explicit-package-bases", f"--cache-dir={tmp_path}/cache"]
        + [str(path) for path in paths],
        env={
            **os.environ,
            "MYPYPATH": os.pathsep.join(
                [path for path in sys.path if (Path(path) / "stepflow_api").is_dir()]
                + [str(PACKAGE.parent)]
            ),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    found = re.findall(r"^(.*?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert bool(found) == (done.returncode == 1), done.stdout
    return [(name, int(line), message) for name, line, message in found]


def pyright(tmp_path: Path, *paths: Path) -> list[tuple[str, int, str]]:
    """Gives what basedpyright refuses in its strict mode."""
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": [str(path) for path in paths],
                "typeCheckingMode": "strict",
                "pythonVersion": "3.11",
                "extraPaths": [path for path in sys.path if path],
            }
        ),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(settings)],
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.lstrip().startswith("{"), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    return [
        (one["file"], one["range"]["start"]["line"] + 1, one["message"])
        for one in report["generalDiagnostics"]
        if one["severity"] == "error"
    ]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_package_and_examples_pass(checker: object, tmp_path: Path, files: list[Path]) -> None:
    assert callable(checker)
    refused = checker(tmp_path, *files)
    assert not refused, "\n".join(map(str, refused))


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_wrong_calls_are_refused_and_right_ones_are_not(checker: object, tmp_path: Path) -> None:
    assert callable(checker)
    path = tmp_path / "wrong.py"
    path.write_text(WRONG, encoding="utf-8")
    marked = {n for n, line in enumerate(WRONG.splitlines(), start=1) if "# refused" in line}
    assert len(marked) == 10
    found = checker(tmp_path, CALLS, path)
    assert {name for name, _, _ in found} == {str(path)}, found
    assert {line for _, line, _ in found} == marked, found
