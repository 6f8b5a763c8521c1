"""Files that are written for people."""

from __future__ import annotations

import os
from pathlib import Path

from stepflow_client.errors import InvalidInput


def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file.

    Raises:
        InvalidInput: It cannot be written.
    """
    try:
        Path(path).write_bytes(content)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"cannot write {str(path)!r}: {problem}; check the path") from error
