"""Finds the server's binary."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path

from stepflow_runtime._constants import BINARY_VARIABLE
from stepflow_runtime.errors import BinaryUnusable

_PACKAGE = "stepflow_orchestrator"
_INSTALL = "pip install stepflow-orchestrator==0.11.1"


def find_binary(given: str | os.PathLike[str] | None) -> Path:
    """Find the server's binary: the argument, the environment's, or the installed wheel's.

    Raises:
        BinaryUnusable: It does not exist, or cannot be executed.
    """
    # All modules can be imported on Windows, which has neither fcntl nor fork: programs that start
    # no server, and tests with --stepflow-url, work there.
    if not hasattr(os, "fork"):
        raise BinaryUnusable(
            f"the runtime cannot start a Stepflow server on {platform.system()}, only on Linux and"
            " macOS; start one yourself, here or on another machine, and use stepflow-client with"
            " its URL (in tests: --stepflow-url)"
        )
    if given is not None:
        return _checked(Path(given), "binary")
    if named := os.environ.get(BINARY_VARIABLE):
        return _checked(Path(named), f"${BINARY_VARIABLE}")
    return _checked(_installed(), f"package {_PACKAGE}")


def cannot_run(binary: Path, cause: str) -> BinaryUnusable:
    """Return the error for a binary that the system does not execute."""
    return BinaryUnusable(
        f"cannot start the Stepflow server {binary}: {cause}; check that this user can execute it"
        f" (file mode, mount option noexec), and that it is built for this machine ({_machine()}),"
        f" or: {_INSTALL}"
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
    elif not _is_for_this_machine(path):
        problem = f"it is not built for this machine ({_machine()})"
        remedy = f"the wheel for it has one: {_INSTALL}"
    else:
        return path.absolute()
    raise BinaryUnusable(
        f"cannot start the Stepflow server {path} (from {origin}): {problem}; {remedy}"
    )


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}"


def _is_for_this_machine(path: Path) -> bool:
    # A shell would run a file that the system cannot execute as a script.
    try:
        head = _head(path)
    except PermissionError:
        # It may be executable without being readable; the system decides.
        return True
    # In a program that embeds Python, the interpreter may have no path.
    if head.startswith(b"#!") or not sys.executable:
        return True
    # The interpreter that runs here is of the right kind.
    return _kind(head) == _kind(_head(Path(os.path.realpath(sys.executable))))


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(20)


def _kind(head: bytes) -> bytes:
    if head.startswith(b"\x7fELF"):
        # Word size and byte order, then the instruction set.
        return head[:6] + head[18:20]
    # Mach-O: programs for one instruction set and for several are found side by side.
    mach = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    return b"Mach-O" if head[:4] in mach else head[:4]


def wheel_version(binary: Path) -> str | None:
    """Return the version of a server that lies in an installed wheel, from the wheel's metadata."""
    folder = binary.resolve().parent.parent
    found = list(folder.parent.glob(f"{folder.name}-*.dist-info"))
    return found[0].stem.rpartition("-")[2] if len(found) == 1 else None
