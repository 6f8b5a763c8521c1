"""Locks the requirements of a pip hub again: what `locked_requirements` declares as `update`."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.files import replace_file
from tools.python.lock.lock_file import FileError, Pin, read_lock, read_requirements
from tools.python.lock.pip_settings import uv_environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `uv pip compile` and replace the lock once it is complete.

    The lock has the hashes of wheels alone, and uv builds nothing to make it: whatever settings pip
    is called with later, it cannot take a source distribution and run its code.

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
    try:
        # An option among them, --no-binary as well, would win over the command line.
        read_requirements(Path(workspace, options.requirements).read_text(encoding="utf-8"))
    except FileError as error:
        print(
            f"update: {options.requirements}: {error}: correct it, then run again:"
            f" tools/bazel run {options.target}",
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
        list_file = Path(folder, "pylock.toml")
        lock_command = _uv_command(options.uv, options.requirements, new_file)
        lock_command += ["--generate-hashes", "--no-strip-extras", *further]
        # The lock does not say which hashes are of wheels; this list of the same versions does.
        list_command = _uv_command(options.uv, str(new_file), list_file)
        list_command += ["--no-deps", "--universal", *further]
        environment = uv_environment()
        environment["UV_CUSTOM_COMPILE_COMMAND"] = f"tools/bazel run {options.target}"
        for command in (lock_command, list_command):
            code = subprocess.run(command, cwd=workspace, env=environment, check=False).returncode
            if code:
                break
        if code:
            print(
                f"update: uv could not lock {options.requirements}, for the reason above, and"
                f" {options.lock} is as it was: correct the requirement, or see that the package"
                f" index is reachable, then run again: tools/bazel run {options.target}",
                file=sys.stderr,
            )
            return code
        new = _wheels_only(
            new_file.read_text(encoding="utf-8"), list_file.read_text(encoding="utf-8")
        )
    replace_file(lock, new)
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
        "--only-binary=:all:",
        "--python",
        sys.executable,
        "--python-version",
        "3.11",
    ]


def _wheels_only(lock: str, listed: str) -> str:
    """Drop the hashes of source distributions, and of wheels that no Python here can install."""
    wheels = {
        f"--hash={algorithm}:{digest}"
        for package in tomllib.loads(listed)["packages"]
        for wheel in package["wheels"]
        for algorithm, digest in wheel["hashes"].items()
    }
    kept = [
        line
        for line in lock.splitlines()
        if not (option := line.strip().removesuffix(" \\")).startswith("--hash=")
        or option in wheels
    ]
    # The last hash of a package does not continue in the next line.
    return re.sub(r" \\\n(?! +--hash=)", "\n", "\n".join(kept) + "\n")


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
