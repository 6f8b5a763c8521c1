"""Small tables for notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from stepflow_api.errors import printable

#: Maximum number of characters of a cell: a notebook keeps what it shows.
CELL = 2000


def html_table(rows: Iterable[Iterable[Any]], *, header: Iterable[str] = ()) -> str:
    """Return a table as HTML, without a style of its own.

    Args:
        rows: The cells: text, or JSON values.
        header: Names of the columns, if any; without them, the first cell of a row is its name.
    """
    names = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in header)
    lines = [f"<tr>{names}</tr>"] if names else []
    for row in rows:
        first, *others = row
        tag = "td" if names else "th"
        cells = [f"<{tag} style='text-align:left'>{_cell(first)}</{tag}>"]
        cells += [f"<td style='text-align:left'>{_cell(one)}</td>" for one in others]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) > CELL:
        text = f"{text[:CELL]}… ({len(text):,} characters)"
    shown = escape(printable(text, keep="\n\t"))
    if isinstance(value, dict | list):
        return f"<pre style='margin:0;white-space:pre-wrap'>{shown}</pre>"
    return shown
