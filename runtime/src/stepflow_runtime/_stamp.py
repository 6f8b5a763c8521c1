"""Record of the server that last opened a data_dir."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from stepflow_runtime._private import open_private, unusable

_log = logging.getLogger("stepflow_runtime")
_FILE = "server.json"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Identity of an executable file, cheap to compare at every start.

    Attributes:
        path: Real path.
        size: Size in bytes.
        mtime_ns: Time of the last modification.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, binary: Path) -> Self | None:
        """Return the fingerprint of a file; None if it does not exist."""
        path = os.path.realpath(binary)
        try:
            found = os.stat(path)
        except OSError:
            return None
        return cls(path, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The server that last opened a data_dir: its version and its executable."""

    version: str
    binary: Fingerprint | None


def read_stamp(folder: Path) -> Stamp | None:
    """Read the stamp of a data_dir; None if there is none, or it is damaged.

    Raises:
        DataDirUnusable: The file cannot be read.
    """
    path = folder / _FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(str(path), error) from None
    try:
        return _parse(json.loads(content.decode("utf-8", "surrogateescape")))
    except (ValueError, TypeError, KeyError, RecursionError):
        _log.warning("%s is damaged and will be replaced; the version is read from the data", path)
        return None


def write_stamp(folder: Path, stamp: Stamp) -> None:
    """Write the stamp of a data_dir atomically.

    Raises:
        OSError: The file cannot be written.
    """
    document = {"version": stamp.version, "binary": stamp.binary and asdict(stamp.binary)}
    temporary = folder / f".{_FILE}.new"
    # Left behind by a crash, or a link.
    temporary.unlink(missing_ok=True)
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
            json.dump(document, stream, ensure_ascii=False)
        os.replace(temporary, folder / _FILE)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _parse(document: Any) -> Stamp:
    version, binary = document["version"], document["binary"]
    if not isinstance(version, str) or not version:
        raise ValueError
    return Stamp(version, None if binary is None else Fingerprint(**binary))
