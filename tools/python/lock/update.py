"""Locks the requirements of a pip hub again: what `locked_requirements` declares as `update`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.python.lock.lock_file import FileError, Pin, read_lock
from tools.python.lock.pip_settings import config_files, uv_variables


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `uv pip compile` and replaces the lock once it is complete.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        prog="update", description=__doc__, epilog="Further arguments go to `uv pip compile`."
    )
    parser.add_argument("--uv", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--requirements", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--lock", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--target", required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="take the newest versions; without it every pin that still fits stays",
    )
    options, further = parser.parse_known_args(arguments)
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        print(
            f"update: not told where the repository is: run it as tools/bazel run {options.target}",
            file=sys.stderr,
        )
        return 1
    if options.upgrade:
        further.append("--upgrade")
    # Like Ctrl-C, a signal to end must not leave files behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    lock = Path(workspace, options.lock)
    old = lock.read_text(encoding="utf-8") if lock.exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        new_file = Path(folder, lock.name)
        # uv keeps the pins that it finds in its output.
        new_file.write_text(old, encoding="utf-8")
        command = _uv_command(options.uv, options.requirements, new_file) + further
        environment = _uv_environment(options.target)
        code = subprocess.run(command, cwd=workspace, env=environment, check=False).returncode
        if code:
            print(
                f"update: uv could not lock {options.requirements}, for the reason above, and"
                f" {options.lock} is as it was: correct the requirement, or see that the package"
                f" index is reachable, then run again: tools/bazel run {options.target}",
                file=sys.stderr,
            )
            return code
        new = new_file.read_text(encoding="utf-8")
    _replace(lock, new)
    print(*_changes(options.lock, old, new), sep="\n")
    return 0


def _uv_command(uv: str, requirements: str, output: Path) -> list[str]:
    return [
        str(Path(uv).absolute()),
        "pip",
        "compile",
        requirements,
        "--output-file",
        str(output),
        "--quiet",
        "--generate-hashes",
        "--no-strip-extras",
        "--python",
        sys.executable,
        "--python-version",
        "3.11",
    ]


def _uv_environment(target: str) -> dict[str, str]:
    environment = dict(os.environ)
    environment |= uv_variables(environment, config_files(environment, Path.home()))
    environment["UV_CUSTOM_COMPILE_COMMAND"] = f"tools/bazel run {target}"
    return environment


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _changes(lock: str, old: str, new: str) -> list[str]:
    before, after = _pins(old), _pins(new)
    lines = [f"added {name} {after[name].version}" for name in sorted(after.keys() - before.keys())]
    lines += [
        f"removed {name} {before[name].version}" for name in sorted(before.keys() - after.keys())
    ]
    lines += [
        f"changed {name} {before[name].version} -> {after[name].version}"
        for name in sorted(before.keys() & after.keys())
        if before[name].version != after[name].version
    ]
    if lines:
        return [*lines, f"{lock} is written"]
    return [f"{lock}: no version changed" if old != new else f"{lock} was up to date"]


def _pins(lock: str) -> Mapping[str, Pin]:
    try:
        return read_lock(lock)
    except FileError:
        return {}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
