"""Makes the virtual environment for editors: what `tools/bazel run //:venv` does.

It has what is locked, and the packages of this repository as links to where their modules are made:
an edit is there at once, and a generated module after the next build.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tools.python.lock.lock_file import FileError, read_lock
from tools.python.lock.pip_settings import uv_environment

_TARGET = "tools/bazel run //:venv"


class VenvError(Exception):
    """The environment could not be made; the message is one line that says why."""


def make(folder: Path, uv: Path, locks: Sequence[Path], wheels: Sequence[Path]) -> None:
    """Make an environment, or bring it up to date; what else is installed in it stays.

    Args:
        folder: Where it is, or will be.
        uv: The program that installs.
        locks: What to install, with hashes.
        wheels: Wheels of this repository, each beside the folder `src` of its package.

    Raises:
        VenvError: It is no environment, or something could not be installed.
    """
    if folder.exists() and not (folder / "pyvenv.cfg").exists():
        raise VenvError(f"{folder} is there and is no virtual environment: move it away")
    for lock in locks:
        try:
            # An option in it, --no-binary as well, would win over the command line.
            read_lock(lock.read_text(encoding="utf-8"))
        except FileError as error:
            raise VenvError(f"{lock}: {error}: lock it again") from None
    # The interpreter may be gone since; what is installed is not.
    _run(uv, "venv", "--quiet", "--allow-existing", "--python", _interpreter(), str(folder))
    # Whatever the user's settings say, nothing is built: that would run code of the package.
    settings = ("--quiet", "--only-binary=:all:", "--python", str(folder / "bin" / "python"))
    files = [part for lock in locks for part in ("-r", str(lock))]
    _run(uv, "pip", "install", *settings, "--require-hashes", *files)
    own = [str(wheel.absolute()) for wheel in wheels]
    _run(uv, "pip", "install", *settings, "--no-deps", "--no-index", "--reinstall", *own)
    (site,) = folder.glob("lib/python3*/site-packages")
    for wheel in wheels:
        _link(wheel, site)


def _interpreter() -> str:
    # A virtual environment's interpreter would bring that environment's packages.
    return str(getattr(sys, "_base_executable", sys.executable))


def _run(uv: Path, *arguments: str) -> None:
    environment = uv_environment()
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run([str(uv.absolute()), *arguments], env=environment, check=False)
    if done.returncode:
        raise VenvError(
            f"uv {arguments[0]} failed, for the reason above:"
            " see that the package index is reachable"
        )


def _link(wheel: Path, site: Path) -> None:
    source = wheel.parent / "src"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    for name in names:
        link = site / name
        beside = link.with_name(link.name + ".new")
        beside.unlink(missing_ok=True)
        beside.symlink_to((source / name).resolve(strict=True))
        beside.replace(link)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="venv", description=__doc__)
    parser.add_argument("--uv", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--lock", action="append", required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--wheel", type=Path, action="append", required=True, help=argparse.SUPPRESS
    )
    options = parser.parse_args(arguments)
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        print(f"venv: not told where the repository is: run it as {_TARGET}", file=sys.stderr)
        return 1
    folder = Path(workspace, ".venv")
    try:
        make(folder, options.uv, [Path(workspace, lock) for lock in options.lock], options.wheel)
    except VenvError as error:
        print(f"venv: {error}, then run again: {_TARGET}", file=sys.stderr)
        return 1
    print(
        f"{folder} is up to date: choose {folder}/bin/python in the editor."
        f" After a module is added or removed: {_TARGET}"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
