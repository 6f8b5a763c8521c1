"""Compile modules: what the aspect of bytecode.bzl runs."""

import importlib.util
import py_compile
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Compile modules so that Python reads them without a look at their sources.

    Args:
        arguments: A file after "@" that lists each source and what to write, one per line.

    Returns:
        The exit code.
    """
    lines = iter(Path(arguments[0].removeprefix("@")).read_text(encoding="utf-8").splitlines())
    for source, compiled in zip(lines, lines, strict=True):
        expected = Path(importlib.util.cache_from_source(source)).name
        if Path(compiled).name != expected:
            print(f"Python looks for {expected}: correct _TAG in bytecode.bzl", file=sys.stderr)
            return 1
        try:
            py_compile.compile(
                source,
                compiled,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError:
            # Who imports it hears of it; some packages bring templates with such names.
            Path(compiled).touch()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
