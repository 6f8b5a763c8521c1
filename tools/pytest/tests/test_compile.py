"""Modules are compiled so that Python reads them, and their sources no more."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.pytest.compile import main


def compile_(folder: Path, source: str, name: str = "") -> int:
    """Compile a module `m`, to the given file name or to the one that Python looks for."""
    module = folder / "m.py"
    module.write_text(source)
    compiled = Path(importlib.util.cache_from_source(str(module)))
    compiled.parent.mkdir()
    listing = folder / "listing"
    listing.write_text(f"{module}\n{compiled.with_name(name or compiled.name)}\n")
    return main([f"@{listing}"])


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import m"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_reads_what_is_compiled(tmp_path: Path) -> None:
    assert compile_(tmp_path, "print('compiled')") == 0
    (tmp_path / "m.py").write_text("print('the source')")
    assert run(tmp_path).stdout == "compiled\n"


def test_a_module_that_cannot_be_compiled_fails_where_it_is_imported(tmp_path: Path) -> None:
    assert compile_(tmp_path, "{{ template }}: no Python") == 0
    assert "SyntaxError" in run(tmp_path).stderr


def test_another_python_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_(tmp_path, "", "m.cpython-27.pyc") == 1
    assert capsys.readouterr().err == (
        f"Python looks for m.{sys.implementation.cache_tag}.pyc: correct _TAG in bytecode.bzl\n"
    )
