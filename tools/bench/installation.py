"""Lays out the packages of a Bazel program as an installation has them.

Bazel puts each package into its own folder, without byte code. Imports from there take longer, and
the longer the more packages there are; the import that httpcore tries in vain on every asynchronous
request takes ten times as long. Nobody who installs packages meets that, so no contestant does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: What contestants import of this repository as `tools`: all of it that their program imports.
_TOOLS = Path(__file__).absolute().parents[1]

_LAY_OUT = "--lay-out"


class Installations:
    """The contestants' packages, each program's in a folder of its own.

    Args:
        folder: Takes them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def environment(self, program: str) -> Mapping[str, str]:
        """Return the environment in which a Python has the packages of a program, and no others.

        Args:
            program: The program of a contestant, which calls `lay_out_if_asked`.
        """
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
        folder = self._folder / Path(program).name
        if not folder.exists():
            subprocess.run([program, _LAY_OUT, folder], env=kept, check=True)
        return {**kept, "PYTHONPATH": str(folder)}


def lay_out_if_asked() -> None:
    """Links the packages that this process can import into one folder, and ends the process.

    Does nothing where the command line does not ask for it.
    """
    if sys.argv[1:2] != [_LAY_OUT]:
        return
    folder = Path(sys.argv[2])
    # The first is the folder of the program itself; one that holds others has no packages.
    own = _pythons_own()
    paths = [Path(path).absolute() for path in sys.path[1:] if path not in own]
    for path in paths:
        if path.is_dir() and not any(path in other.parents for other in paths):
            _link(path, folder)
    _link(_TOOLS, folder / _TOOLS.name)
    sys.exit()


def _pythons_own() -> list[str]:
    code = "import sys; print(*sys.path, sep='\\n')"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()


def _link(source: Path, target: Path) -> None:
    def link(file: str, place: str) -> None:
        # Parts of one namespace package lie in several folders, some with the same empty module.
        with contextlib.suppress(FileExistsError):
            os.symlink(file, place)

    shutil.copytree(
        source,
        target,
        copy_function=link,
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
