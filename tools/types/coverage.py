"""Checks that every Python file of the repository is in some target that checks its types."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Compare the files that there are with those that are checked.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0 when each file is checked or excepted, and each exception is needed.
    """
    parser = argparse.ArgumentParser(prog="coverage", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="a file at the repository's top")
    parser.add_argument("--checked", nargs="*", default=[], help="files of the type targets")
    parser.add_argument("--except", nargs="*", default=[], dest="excepted", help="files, folders/")
    options = parser.parse_args(arguments)
    files = sorted(_python_files(options.root.resolve().parent))
    checked = set(options.checked)
    excepted = tuple(options.excepted)
    missing = [one for one in files if one not in checked and not one.startswith(excepted)]
    needless = [
        one
        for one in excepted
        if not any(file.startswith(one) and file not in checked for file in files)
    ]
    if missing:
        print("No type checker looks at these Python files:", *missing, sep="\n  ")
        print(
            "To fix it: name them in `srcs` (`tests`, for mypy alone) of a `type_checks` target,"
            " //tools:types for tools; or except them in tools/types/BUILD.bazel, and say why."
        )
    if needless:
        print("Nothing is left to except here:", *needless, sep="\n  ")
        print("To fix it: take them out of tools/types/BUILD.bazel.")
    return int(bool(missing or needless))


def _python_files(root: Path) -> Iterator[str]:
    # Bazel's links are not followed; hidden folders are other programs' own.
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for name in names:
            if name.endswith(".py"):
                yield Path(folder, name).relative_to(root).as_posix()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
