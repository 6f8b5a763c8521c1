"""Makes the synchronous modules of a package from its asynchronous ones.

A synchronous module is the text of the asynchronous one with `RULES` applied, imports sorted, and
formatted. The result is checked in.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Patterns in asynchronous code, and their replacements, in order.
RULES = (
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bfor (\w+) in (\w+):\n\s+yield \1\n", r"yield from \2\n"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\.run_async\b", ".run"),
    (r"\bAsyncGenerator\[(\w+), None\]", r"Generator[\1, None, None]"),
    (r"\b(Httpx)?Async([A-Z])", r"\1\2"),
    (r"\b(StepflowClient|RunHandle|ServerMethods)\b", r"Sync\1"),
    (r"\bstepflow_client\.handle\b", "stepflow_client.sync_handle"),
    (r"\b_server_methods\b", "_sync_server_methods"),
    (r"\btasks of one event loop\b", "threads"),
    (r"\bAsynchronous\b", "Synchronous"),
    (r"\basynchronous\b", "synchronous"),
)

_STYLE = ("--isolated", "--line-length=100", "--target-version=py311")
_PACKAGES = 'lint.isort.known-first-party=["stepflow_api", "stepflow_client"]'


def synchronous(text: str, first_line: str, ruff: Path) -> str:
    """Return the synchronous module of an asynchronous one.

    Args:
        text: The asynchronous module.
        first_line: Comment that says where the module comes from.
        ruff: The executable.
    """
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    text = f"# {first_line}\n{text}"
    sort = ("check", "--select=I", "--fix", "--quiet", f"--config={_PACKAGES}")
    for command in (sort, ("format",)):
        text = subprocess.run(
            [str(ruff), *command, *_STYLE, "-"],
            input=text,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            check=True,
        ).stdout
    return text


def main(arguments: Sequence[str]) -> int:
    """Check the synchronous modules, or write them.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0 if they are what the asynchronous ones compile to.
    """
    parser = argparse.ArgumentParser(prog="sync", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the modules")
    parser.add_argument("--command", required=True, help="what writes the modules")
    parser.add_argument("--ruff", type=Path, required=True, help="the executable")
    parser.add_argument("modules", nargs="+", help="ASYNCHRONOUS=SYNCHRONOUS, two files")
    options = parser.parse_args(arguments)
    ruff = options.ruff.resolve()
    workspace = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".") if options.update else ".")
    differs = False
    for pair in options.modules:
        source, _, target = (workspace / one for one in pair.partition("="))
        first_line = f"Made from {source.name} by `{options.command}`; edit that file instead."
        new = synchronous(source.read_text(encoding="utf-8"), first_line, ruff)
        # As bytes, since reading text would hide the line endings of another system.
        old = target.read_bytes().decode() if target.exists() else ""
        if new == old:
            continue
        differs = True
        if options.update:
            target.write_text(new, encoding="utf-8")
            print(f"changed {target}")
        else:
            print(f"{target} is not generated from {source}:")
            print(*difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm=""), sep="\n")
    if differs and not options.update:
        print(f"To update them: {options.command}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
