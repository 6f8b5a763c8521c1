"""Descriptions of a spec as text of docstrings."""

import functools
import re
import textwrap
from collections.abc import Iterator

from tools.codegen.errors import printable

WIDTH = 100

_ITEM = re.compile(r"\s*([-*+]|\d+[.)])\s+")


# Each form of an operation has the same texts.
@functools.lru_cache(maxsize=1024)
def docstring(text: str, indent: int = 0, taken: int = 0) -> str:
    """Return text that can stand inside triple quotes.

    Args:
        text: Markdown.
        indent: Columns before each line but the first.
        taken: Columns that the first line has used beyond `indent`.
    """
    text = printable(text, keep="\n\t")
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    lines = wrapped(text, WIDTH - indent, taken).split("\n")
    return "\n".join(
        " " * indent + line if number and line else line for number, line in enumerate(lines)
    )


def wrapped(text: str, width: int, taken: int = 0) -> str:
    """Break long lines of Markdown, except in code and tables.

    Args:
        text: Markdown.
        width: Most columns of a line, unless it has no place to break.
        taken: Columns of the first line that are in use.
    """
    return "\n".join(_lines(printable(text, keep="\n\t"), width, taken))


def _lines(text: str, width: int, taken: int) -> Iterator[str]:
    fence = ""
    for line in text.split("\n"):
        mark = line.lstrip()[:3]
        if mark in ("```", "~~~") and fence in ("", mark):
            fence = "" if fence else mark
        item = _ITEM.match(line)
        is_code = fence or mark in ("```", "~~~") or (line.startswith(("    ", "\t")) and not item)
        if is_code or len(line) + taken <= width or line.startswith(("|", "#")):
            yield line
        else:
            hang = " " * (item.end() if item else len(line) - len(line.lstrip()))
            # Stand-ins for what the first line has before it.
            parts = textwrap.wrap(
                "\0" * taken + line,
                width,
                subsequent_indent=hang,
                break_long_words=False,
                break_on_hyphens=False,
            )
            yield from (part.lstrip("\0") for part in parts)
        taken = 0
