"""The package as pip installs it: quickstart and pytest plugin, without Bazel."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import stepflow_runtime

README = Path("runtime/README.md").read_text(encoding="utf-8")


def run(*arguments: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_package_is_the_installed_one() -> None:
    assert str(stepflow_runtime.__file__).startswith(sys.prefix)
    assert importlib.metadata.version("stepflow-runtime") == stepflow_runtime.__version__


def test_the_quickstart_runs() -> None:
    assert run("-m", "runtime.examples.quickstart")


def test_pytest_finds_the_plugin(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python pytest\n(.*?)\n\n\n@", README, re.DOTALL)
    (tmp_path / "test_echo.py").write_text(code, encoding="utf-8")
    assert "1 passed" in run("-I", "-m", "pytest", "-p", "no:cacheprovider", cwd=tmp_path)
