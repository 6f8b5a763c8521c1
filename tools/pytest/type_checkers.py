"""Runs both type checkers in their strict modes, for tests of what they accept and refuse."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

#: File, line and message of what a checker refuses.
Refused = list[tuple[str, int, str]]


def mypy(folder: Path, *paths: Path) -> Refused:
    """Gives what mypy refuses.

    Args:
        folder: Takes its cache.
        paths: Files and packages.
    """
    packages = [entry for entry in sys.path if any(Path(entry).glob("stepflow_*"))]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context"]
        + ["--namespace-packages", "--explicit-package-bases", f"--cache-dir={folder}/cache"]
        + [str(path) for path in paths],
        env={**_environment(), "MYPYPATH": os.pathsep.join(packages)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    found = re.findall(r"^(.*?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert bool(found) == (done.returncode == 1), done.stdout
    return [(name, int(line), message) for name, line, message in found]


def pyright(folder: Path, *paths: Path) -> Refused:
    """Gives what basedpyright refuses.

    Args:
        folder: Takes its settings.
        paths: Files and packages.
    """
    settings = folder / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": [str(path) for path in paths],
                "typeCheckingMode": "strict",
                "pythonVersion": "3.11",
                "extraPaths": [entry for entry in sys.path if entry],
            }
        ),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(settings)],
        env={**_environment(), "HOME": str(folder)},
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


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


CHECKERS: list[Callable[..., Refused]] = [mypy, pyright]
