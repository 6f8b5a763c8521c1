"""Checks the style of the whole repository, or fixes what a tool can fix."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.lint.docstrings import missing_docstrings
from tools.surface.public_names import SurfaceError

FIX = "tools/bazel run //tools/lint:fix"


def main(arguments: Sequence[str]) -> int:
    """Run one check, or correct the style.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0 when there is nothing to fix.
    """
    parser = argparse.ArgumentParser(prog="style", description=__doc__)
    parser.add_argument("mode", choices=["docstrings", "fix", "format", "lint", "shell"])
    parser.add_argument("--ruff", type=Path, help="the executable")
    parser.add_argument("--shellcheck", type=Path, help="the executable")
    parser.add_argument("--root", type=Path, help="a file at the top of the repository")
    options = parser.parse_args(arguments)
    workspace = _workspace(options.root)
    if options.mode == "shell":
        return _shell(options.shellcheck.resolve(), workspace)
    ruff = options.ruff.resolve()
    try:
        match options.mode:
            case "fix":
                return _fix(ruff, workspace)
            case "format":
                return _format(ruff, workspace)
            case "lint":
                return _lint(ruff, workspace)
            case _:
                return _docstrings(ruff, workspace)
    except StyleError as error:
        print(error, file=sys.stderr)
        return 1


class StyleError(Exception):
    """A tool that cannot be run; the message says why, on one line."""


def _workspace(root: Path | None) -> Path:
    """Return the top of the repository: `bazel run` names it, and a test's data links to it."""
    if "BUILD_WORKSPACE_DIRECTORY" in os.environ:
        return Path(os.environ["BUILD_WORKSPACE_DIRECTORY"])
    return root.resolve().parent if root is not None else Path.cwd()


def _run(program: Path, workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        cwd=workspace,
        env={**os.environ, "NO_COLOR": "1", "RUFF_NO_CACHE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


def _problems(ruff: Path, workspace: Path, *command: str) -> list[dict[str, Any]]:
    done = _run(ruff, workspace, *command, "--output-format=json", ".")
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        reason = " ".join(done.stderr.split())
        raise StyleError(f"ruff cannot check {workspace}: {reason}; correct that") from None
    return found


def _line(problem: dict[str, Any], workspace: Path) -> str:
    place = Path(problem["filename"]).relative_to(workspace)
    location = f"{place}:{problem['location']['row']}:{problem['location']['column']}"
    return f"  {location}: {problem['code']}: {problem['message']}"


def _is_docstring(problem: dict[str, Any]) -> bool:
    return str(problem["code"]).removeprefix("D").isdigit()


def _lint(ruff: Path, workspace: Path) -> int:
    found = [one for one in _problems(ruff, workspace, "check") if not _is_docstring(one)]
    if not found:
        return 0
    print("The style of Python code (pyproject.toml, [tool.ruff.lint]) is not kept:")
    print(*(_line(problem, workspace) for problem in found), sep="\n")
    fixes = [problem["fix"] for problem in found if problem["fix"]]
    fixable = sum(fix.get("applicability") == "safe" for fix in fixes)
    if fixable:
        print(f"To fix {fixable} of {len(found)}: {FIX}")
    if fixable < len(found):
        print("The others have to be fixed by hand." if fixable else "To fix it: by hand.")
    return 1


def _format(ruff: Path, workspace: Path) -> int:
    problems = _problems(ruff, workspace, "format", "--check")
    # The check of the code reports a file that is not Python.
    found = sorted({one["filename"] for one in problems if one["code"] == "unformatted"})
    if not found:
        return 0
    print("Python files that are not formatted:")
    print(*(f"  {Path(name).relative_to(workspace)}" for name in found), sep="\n")
    print(f"To fix it: {FIX}")
    return 1


def _docstrings(ruff: Path, workspace: Path) -> int:
    lines = [
        _line(one, workspace) for one in _problems(ruff, workspace, "check") if _is_docstring(one)
    ]
    try:
        lines += [f"  {line}" for line in missing_docstrings(workspace)]
    except SurfaceError as error:
        raise StyleError(str(error)) from None
    if not lines:
        return 0
    print("Docstrings (Google style) are missing or broken:", *lines, sep="\n")
    print("To fix it: say what each is for, its arguments with units, what it returns and raises.")
    return 1


def _fix(ruff: Path, workspace: Path) -> int:
    fixed = _run(ruff, workspace, "check", "--fix", "--output-format=concise", ".")
    formatted = _run(ruff, workspace, "format", ".")
    for done in (fixed, formatted):
        print(f"{done.stdout}{done.stderr}", end="")
    return fixed.returncode or formatted.returncode


def _shell(shellcheck: Path, workspace: Path) -> int:
    scripts = sorted(_scripts(workspace))
    done = _run(shellcheck, workspace, "--format=gcc", *map(str, scripts))
    if done.returncode == 0:
        return 0
    print("Shell scripts that shellcheck objects to:", f"{done.stdout}{done.stderr}", sep="\n")
    print("To fix it: by hand; https://www.shellcheck.net/wiki/ explains each number.")
    return 1


def _scripts(workspace: Path) -> list[Path]:
    folders = [workspace / "tools", workspace / ".ci"]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return [
        file.relative_to(workspace)
        for file in files
        if file.suffix in ("", ".sh")
        and file.read_bytes()[:64].startswith((b"#!/bin/bash", b"#!/bin/sh"))
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
