"""A contestant's environment has all that its program imports, and nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tools.bench.installation import Installations


def test_what_tools_bring_along_can_be_imported(tmp_path: Path) -> None:
    # As Bazel has it: the program's start alone knows where its packages are.
    packages = os.pathsep.join(os.path.abspath(path) for path in sys.path[1:] if path)
    program = tmp_path / "program"
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(packages)} exec {shlex.quote(sys.executable)}"
        ' -m tools.bench.tests.fake "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    environment = Installations(tmp_path / "installations").environment(str(program))
    assert Path(environment["PYTHONPATH"]).is_relative_to(tmp_path)
    # Beside its own package, this one needs another module of tools.
    code = "import tools.bench.openapi_python_client_spec as one; print(one.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=dict(environment),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.startswith(environment["PYTHONPATH"])
