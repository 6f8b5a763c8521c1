"""Small tables for notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from stepflow_api.errors import printable

#: Maximum number of characters of a cell: a notebook keeps what it shows.
CELL = 2000

#: Maximum number of characters of JSON that is written on one line.
LINE = 80


def html_table(rows: Iterable[Iterable[Any]], *, header: Iterable[str] = ()) -> str:
    """Return a table as HTML, without a style of its own.

    Args:
        rows: The cells: text, or JSON values.
        header: Names of the columns, if any; without them, the first cell of a row is its name.
    """
    from html import escape  # Few programs draw tables.

    names = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in header)
    lines: list[str] = []
    for row in rows:
        first, *others = row
        tag = "td" if names else "th"
        cells = [f"<{tag} style='text-align:left'>{_cell(first)}</{tag}>"]
        cells += [f"<td style='text-align:left'>{_cell(one)}</td>" for one in others]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head = f"<thead><tr>{names}</tr></thead>" if names else ""
    return f"<table>{head}<tbody>{''.join(lines)}</tbody></table>"


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict | list) and len(text) > LINE:
        text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) > CELL:
        text = f"{text[:CELL]}… ({len(text):,} characters)"
    from html import escape

    shown = escape(printable(text, keep="\n\t"))
    if isinstance(value, dict | list):
        # Notebook applications have a font and a background of their own for it.
        style = "margin:0;white-space:pre-wrap;font-family:monospace;background:none"
        return f"<pre style='{style}'>{shown}</pre>"
    return shown
