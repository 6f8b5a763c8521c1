"""The table of what the SDK can do with which server, and its place in a README."""

from __future__ import annotations

from collections.abc import Mapping

from tools.spec.compat.probe import Support

#: The lines between which the table stands.
BEGIN = "<!-- Made by `tools/bazel run //tools/spec:compat`; edits are lost. -->"
END = "<!-- End of what is made. -->"

#: By version, oldest first, and then by call.
Supports = Mapping[str, Mapping[str, Support]]


class TableError(Exception):
    """A README has no place for the table; the message is one line that says so."""


def render(supports: Supports) -> str:
    """Return the table as Markdown."""
    calls = list(next(iter(supports.values())))
    lines = [
        ["operation", *supports],
        ["---"] * (len(supports) + 1),
        *([_heading(call), *(str(found[call]) for found in supports.values())] for call in calls),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


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


def table_in(text: str) -> str:
    """Return the table that stands in a README.

    Raises:
        TableError: It has no place for one.
    """
    _, table, _ = _parts(text)
    return table


def with_table(text: str, table: str) -> str:
    """Return a README with another table.

    Raises:
        TableError: It has no place for one.
    """
    before, _, after = _parts(text)
    return f"{before}{table}{after}"


def _parts(text: str) -> tuple[str, str, str]:
    before, begin, rest = text.partition(f"{BEGIN}\n\n")
    table, end, after = rest.partition(f"\n{END}\n")
    if not begin or not end:
        raise TableError(
            f"it has no place for the table: put the lines {BEGIN!r} and {END!r} there"
        )
    return before + begin, table, end + after


def _heading(call: str) -> str:
    operation, comma, what = call.partition(",")
    return f"`{operation}`{comma}{what}"
