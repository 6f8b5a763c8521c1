"""Where the packages of this repository have their modules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

#: The import roots in a package's folder; a file in a later one replaces one in an earlier one.
ROOTS = ("generated", "src")


def modules(roots: Iterable[Path], package: str) -> dict[Path, Path]:
    """Return the files of a package's modules by their paths below an import root.

    Args:
        roots: Import roots that hold parts of the package; later ones win.
        package: The package's import name.
    """
    return {
        file.relative_to(root): file
        for root in roots
        for file in sorted((root / package).rglob("*.py"))
    }
