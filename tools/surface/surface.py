"""Keeps a package's listing of public names: the body of what the macro public_surface declares."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.files import replace_file
from tools.surface.changes import Change, changes
from tools.surface.listing import listing
from tools.surface.public_names import SurfaceError, public_names


def main(arguments: Sequence[str]) -> int:
    """Check the listing, or write it.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0 when the listing is what the package offers.
    """
    parser = argparse.ArgumentParser(prog="surface", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the listing")
    parser.add_argument("--package", required=True, help="the package's import name")
    parser.add_argument("--listing", type=Path, required=True, help="the listing's file")
    parser.add_argument("--command", required=True, help="what writes the listing")
    parser.add_argument("folders", type=Path, nargs="+", help="import roots with the sources")
    options = parser.parse_args(arguments)
    # It logs what it also raises, with a traceback.
    logging.getLogger("griffe").setLevel(logging.CRITICAL)
    workspace = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".") if options.update else ".")
    file = workspace / options.listing
    try:
        names = public_names(options.package, [workspace / path for path in options.folders])
        made = listing(options.package, options.command, names)
        stored = file.read_bytes().decode() if file.exists() else ""
        found = changes(stored, made)
        if options.update and made != stored:
            replace_file(file, made)
    except SurfaceError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"{file}: {error}; correct that and run {options.command}", file=sys.stderr)
        return 1
    if options.update:
        _report(found, f"{options.listing}:")
        print(f"{options.listing} is up to date")
        return 0
    if stored == made:
        return 0
    _report(found, f"{options.listing} is not what {options.package} offers:")
    if not found:
        print(f"{options.listing} was edited by hand")
    breaking = sum(change.breaks for change in found)
    if breaking:
        ways = "undo them, or tell callers in CHANGELOG.md what to do instead"
        print(f"{breaking} of {len(found)} changes break callers: {ways}")
    print(f"To fix it, where the changes are meant: {options.command}")
    return 1


def _report(found: list[Change], heading: str) -> None:
    if found:
        print(heading, *(f"  {change}" for change in found), sep="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
