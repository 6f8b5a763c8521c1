"""A pretended machine: a clone with tools/bazel, and a PATH on which programs can be replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_TOOLS = Path("tools").absolute()
_NOT_LINKED = ("apt", "bazel", "dpkg")


class Machine:
    """A clone, a home, and programs of which the tests make their own versions."""

    def __init__(self, root: Path) -> None:
        """Copies the wrapper, and links this machine's programs, none of Bazel's or apt's."""
        self.root = root
        self.clone = root / "clone"
        self.home = root / "home"
        self.cache = self.home / ".cache/bazel-debian"
        self.calls_file = root / "calls"
        self._own = root / "own"
        self._host = root / "host"
        for folder in (self.home, self._own, self._host):
            folder.mkdir()
        self.calls_file.touch()
        shutil.copytree(_TOOLS, self.clone / "tools", symlinks=False)
        for program in Path("/usr/bin").iterdir():
            if not program.name.startswith(_NOT_LINKED):
                (self._host / program.name).symlink_to(program)
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{self._own}:{self._host}",
            "ROOT": str(root),
        }

    @property
    def debian(self) -> Path:
        """The folder tools/debian of the clone."""
        return self.clone / "tools/debian"

    def program(self, name: str, script: str, folder: Path | None = None) -> Path:
        """Puts a program first on PATH, or into `folder`; it notes its name and arguments.

        Args:
            name: the program's name.
            script: its body, for bash; $ROOT is the machine's folder.
            folder: where it lies.
        """
        return self.script((folder or self._own) / name, script)

    def script(self, path: Path, script: str) -> Path:
        """Writes a program that notes its name and arguments, and then does what `script` says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        note = f"(IFS='|'; echo \"{path.name}|$*\") >> {self.calls_file}"
        path.write_text(f"#!/bin/bash\n{note}\n{script}\n")
        path.chmod(0o755)
        return path

    def without(self, name: str) -> None:
        """Remove a program from PATH."""
        (self._own / name).unlink(missing_ok=True)
        (self._host / name).unlink(missing_ok=True)

    def calls(self, name: str) -> list[list[str]]:
        """Returns the arguments of every call of the program so far."""
        notes = [line.split("|") for line in self.calls_file.read_text().splitlines()]
        return [arguments for program, *arguments in notes if program == name]

    def run(
        self, program: Path, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program of the clone to its end."""
        return subprocess.run(
            [program, *arguments],
            cwd=cwd or self.clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def fifo(self, name: str) -> Path:
        """Makes a named pipe in the machine's folder, for programs to wait on."""
        path = self.root / name
        os.mkfifo(path)
        return path
