"""The table of what the SDK can do with which server."""

from __future__ import annotations

from collections.abc import Mapping

from tools.spec.compat.probe import Support

#: The lines between which the table stands.
BEGIN = "<!-- Made by `tools/bazel run //tools/spec:compat`; edits are lost. -->"
END = "<!-- End of what is made. -->"

#: By version, oldest first, and then by call.
Supports = Mapping[str, Mapping[str, Support]]


class TableError(Exception):
    """What a README has between its marks is no table; the message is one line that says so."""


def render(supports: Supports) -> str:
    """Return the table as Markdown."""
    calls = list(next(iter(supports.values())))
    lines = [
        ["operation", *supports],
        ["---"] * (len(supports) + 1),
        *([_heading(call), *(str(found[call]) for found in supports.values())] for call in calls),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def read(table: str) -> dict[str, dict[str, Support]]:
    """Return what was rendered.

    Raises:
        TableError: It is no such table.
    """
    heading, *rows = (
        [cell.strip() for cell in r.strip("| ").split("|")] for r in table.splitlines()
    )
    try:
        return {
            version: {row[0].replace("`", ""): Support(row[column]) for row in rows[1:]}
            for column, version in enumerate(heading[1:], start=1)
        }
    except (IndexError, ValueError) as error:
        raise TableError(f"it is no table of what is supported: {error}") from error


def _heading(call: str) -> str:
    operation, comma, what = call.partition(",")
    return f"`{operation}`{comma}{what}"
