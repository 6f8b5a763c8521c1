"""Installs wheels into an empty environment and runs pytest there: what installed_test runs.

Without a network: pip finds the wheels that are there as data of the test, and no others.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Bazel's libraries are on the path of this process, which alone is a test of Bazel's.
_BAZELS = ("PYTHON", "RUNFILES", "TEST_TOTAL_SHARDS", "TEST_SHARD")

#: pytest's exit code where it found no test.
_NO_TESTS = 5

_STARTED = time.monotonic()


def install(
    environment: Path,
    pip: Path,
    wheels: Path,
    requirements: Sequence[str],
    python: str = sys.executable,
) -> None:
    """Make a virtual environment with `requirements` in it.

    Args:
        environment: The folder to make.
        pip: The wheel of pip, which runs without being installed.
        wheels: A folder with wheels to install from.
        requirements: What to install.
        python: The Python of the environment, as one types it.

    Raises:
        SystemExit: The Python is not there, or pip could not install them; it has said why.
    """
    if not shutil.which(python):
        raise SystemExit(
            f"cannot find {python} on PATH: install it, or leave its tests out with"
            f" --test_tag_filters=-{python}"
        )
    subprocess.run([python, "-I", "-m", "venv", "--without-pip", str(environment)], check=True)
    command = [str(environment / "bin" / "python"), "-I", str(pip / "pip"), "--isolated"]
    command += ["--disable-pip-version-check", "install", "--quiet", "--no-cache-dir"]
    command += ["--no-compile", "--only-binary=:all:", "--no-index", "--find-links", str(wheels)]
    command += requirements
    if subprocess.run(command, env=_environment(), check=False).returncode:
        raise SystemExit(
            f"cannot install {', '.join(requirements)}: for the reason above; what is missing"
            " belongs into `wheels` of the installed_test"
        )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_BAZELS)}


def _link_wheels(runfiles: Path, folder: Path) -> Path:
    folder.mkdir()
    # A wheel of a hub may be there twice: in a repository, and below `external` of the main one.
    wheels = {wheel.name: wheel for wheel in runfiles.glob("**/*.whl")}
    for name, wheel in wheels.items():
        (folder / name).symlink_to(wheel.resolve())
    return folder


def main(arguments: Sequence[str]) -> int:
    """Run the command line of installed_test; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pip", type=Path, required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--install", action="append", required=True)
    parser.add_argument("--main", required=True)
    parser.add_argument("tests", nargs="+")
    options = parser.parse_args(arguments)
    root = Path.cwd()
    temporary = Path(os.environ["TEST_TMPDIR"])
    environment = temporary / "environment"
    wheels = _link_wheels(root.parent, temporary / "wheels")
    install(environment, options.pip.absolute(), wheels, options.install, options.python)
    python = str(environment / "bin" / "python")
    variables = _environment() | {
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "VIRTUAL_ENV": str(environment),
    }
    # One process, since to start pytest costs more than most files.
    code = subprocess.run(
        [python, options.main, *_this_shard(options.tests)],
        env=variables | _time_left(),
        check=False,
    ).returncode
    # A filter has to match a test in one shard, not in each.
    is_elsewhere = "TESTBRIDGE_TEST_ONLY" in os.environ and "TEST_TOTAL_SHARDS" in os.environ
    return 0 if code == _NO_TESTS and is_elsewhere else code


def _time_left() -> dict[str, str]:
    if not (seconds := os.environ.get("TEST_TIMEOUT")):
        return {}
    return {"TEST_TIMEOUT": str(max(1.0, float(seconds) - (time.monotonic() - _STARTED)))}


def _this_shard(tests: Sequence[str]) -> Sequence[str]:
    total = int(os.environ.get("TEST_TOTAL_SHARDS", "1"))
    if total == 1:
        return tests
    Path(os.environ["TEST_SHARD_STATUS_FILE"]).touch()
    return tests[int(os.environ["TEST_SHARD_INDEX"]) :: total]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
