"""Finds the server's binary."""

from __future__ import annotations

import errno
import importlib.util
import os
import platform
from pathlib import Path

from stepflow_runtime._constants import BINARY_VARIABLE
from stepflow_runtime.errors import BinaryUnusable

_PACKAGE = "stepflow_orchestrator"
_INSTALL = "pip install stepflow-orchestrator==0.11.1"


def find_binary(given: str | os.PathLike[str] | None) -> Path:
    """Finds the server's binary: the one given, the environment's, or the installed wheel's.

    Args:
        given: What the caller asks for.

    Raises:
        BinaryUnusable: It is not there, or cannot be executed.
    """
    if given is not None:
        return _checked(Path(given), "binary")
    if named := os.environ.get(BINARY_VARIABLE):
        return _checked(Path(named), f"${BINARY_VARIABLE}")
    return _checked(_installed(), f"package {_PACKAGE}")


def cannot_run(binary: Path, error: OSError) -> BinaryUnusable:
    """Makes the error for a binary that the system does not start."""
    cause = error.strerror or str(error)
    # A script without its interpreter, or a program without its loader, gives ENOENT.
    if error.errno in (errno.ENOEXEC, errno.ENOENT):
        machine = f"{platform.system()} {platform.machine()}"
        return BinaryUnusable(
            f"cannot start the Stepflow server {binary}: {cause}; it is not built for this machine"
            f" ({machine}): {_INSTALL}"
        )
    return BinaryUnusable(
        f"cannot start the Stepflow server {binary}: {cause}; see that this user may start it, and"
        " one more process"
    )


def _installed() -> Path:
    # The package is found, not imported: it would cost time and bring in what it depends on.
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        return Path(folder, "bin", "stepflow-server")
    raise BinaryUnusable(
        f"there is no Stepflow server: the package {_PACKAGE} is not installed; {_INSTALL}, or name"
        f" a binary with binary= or ${BINARY_VARIABLE}"
    )


def _checked(path: Path, origin: str) -> Path:
    if path.is_dir():
        problem, remedy = "it is a folder", "name the file stepflow-server in it"
    elif not path.exists():
        problem = "there is no such file"
        remedy = f"correct {origin}, or leave it out after: {_INSTALL}"
        if origin.startswith("package"):
            remedy = f"its wheel for this machine has one: {_INSTALL}"
    elif not os.access(path, os.X_OK):
        problem, remedy = "it is not executable", f"run: chmod +x {path}"
    else:
        return path.absolute()
    raise BinaryUnusable(
        f"cannot start the Stepflow server {path} (from {origin}): {problem}; {remedy}"
    )
