"""Files of this repository that its tools write."""

from __future__ import annotations

import os
from pathlib import Path


class PlaceError(ValueError):
    """A page without the marks that a tool writes between; the message is one line."""


def replace_file(path: Path, text: str) -> None:
    """Write a file so that at every moment it is either the old one or the whole new one.

    Its mode stays, and so does a link to it.

    Args:
        path: The file, which need not exist.
        text: Its new contents.

    Raises:
        OSError: It cannot be written; the old one is still there.
    """
    path = path.resolve()
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("xb") as file:
            file.write(text.encode())
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode)
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def marked_part(page: str, begin: str, end: str) -> tuple[str, str, str]:
    """Find the part of a page that a tool writes, between two marks.

    Args:
        page: The page's text.
        begin: The mark before the part.
        end: The mark after it.

    Returns:
        What is before the part, up to its first mark; the part without blank lines around it; and
        the rest from its second mark on.

    Raises:
        PlaceError: The marks are not there, each once and in order.
    """
    before, _, rest = page.partition(begin)
    part, found, after = rest.partition(end)
    if not found or (page.count(begin), page.count(end)) != (1, 1):
        raise PlaceError(
            f"the page lacks the marks to write between: add the lines {begin!r} and {end!r}"
        )
    return before + begin, part.strip("\n"), end + after


def with_marked_part(page: str, begin: str, end: str, part: str) -> str:
    """Return a page with another part between its marks.

    Raises:
        PlaceError: The marks are not there, each once and in order.
    """
    before, _, after = marked_part(page, begin, end)
    return f"{before}\n\n{part}\n\n{after}"
