"""The table of what is supported, and its place in a README."""

from __future__ import annotations

import pytest

from tools.spec.compat.probe import Support
from tools.spec.compat.table import BEGIN, END, TableError, read, render, table_in, with_table

FOUND = {
    "0.9.0": {"getRun": Support.EMULATED, "getRun, of a batch": Support.UNSUPPORTED},
    "0.11.1": {"getRun": Support.WORKS, "getRun, of a batch": Support.WORKS},
}
TABLE = """\
| operation | 0.9.0 | 0.11.1 |
| --- | --- | --- |
| `getRun` | emulated | works |
| `getRun`, of a batch | unsupported | works |
"""


def test_is_markdown_and_is_read_again() -> None:
    assert render(FOUND) == TABLE
    assert read(TABLE) == FOUND


def test_what_stands_around_it_stays() -> None:
    text = f"# A\n\n{BEGIN}\n\nold\n\n{END}\n\n## B\n"
    assert table_in(with_table(text, TABLE)) == TABLE
    assert with_table(with_table(text, TABLE), "old\n") == text


@pytest.mark.parametrize("text", ["", f"{BEGIN}\n\nold\n", f"old\n\n{END}\n"])
def test_says_that_there_is_no_place_for_it(text: str) -> None:
    with pytest.raises(TableError, match="it has no place for the table: put the lines"):
        with_table(text, TABLE)


@pytest.mark.parametrize(
    "table", [TABLE.replace("works", "perhaps"), TABLE.replace(" | works", "")]
)
def test_says_that_it_is_no_table(table: str) -> None:
    with pytest.raises(TableError, match="it is no table"):
        read(table)
