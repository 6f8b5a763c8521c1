"""Takes one program out of a wheel: the action of the rule wheel_file.

Usage: extract_wheel_file.py WHEEL PATTERN DESTINATION
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path


class WheelError(Exception):
    """The wheel does not have the one file that was asked for."""


def extract(wheel: Path, pattern: str, destination: Path) -> None:
    """Write the only file of `wheel` whose path matches `pattern` to `destination`, executable.

    Raises:
        WheelError: no file matches, or several do.
    """
    with zipfile.ZipFile(wheel) as archive:
        found = [name for name in archive.namelist() if fnmatchcase(name, pattern)]
        if len(found) != 1:
            matches = ", ".join(found) or "nothing"
            raise WheelError(
                f"cannot take {pattern} out of {wheel.name}: it matches {matches}, not one file:"
                " correct `path` in the wheel_file target"
            )
        with archive.open(found[0]) as source, destination.open("wb") as target:
            shutil.copyfileobj(source, target)
    # A wheel need not record the mode.
    destination.chmod(0o755)


def main(arguments: Sequence[str]) -> None:
    """Run the command line above."""
    wheel, pattern, destination = arguments
    try:
        extract(Path(wheel), pattern, Path(destination))
    except WheelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
