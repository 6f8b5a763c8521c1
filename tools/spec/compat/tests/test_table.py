"""The table of what is supported."""

from __future__ import annotations

import pytest

from tools.spec.compat.probe import Support
from tools.spec.compat.table import TableError, read, render

FOUND = {
    "0.9.0": {"getRun": Support.EMULATED, "getRun, of a batch": Support.UNSUPPORTED},
    "0.11.1": {"getRun": Support.WORKS, "getRun, of a batch": Support.WORKS},
}
TABLE = """\
| operation | 0.9.0 | 0.11.1 |
| --- | --- | --- |
| `getRun` | emulated | works |
| `getRun`, of a batch | unsupported | works |"""


def test_is_markdown_and_is_read_again() -> None:
    assert render(FOUND) == TABLE
    assert read(TABLE) == FOUND


@pytest.mark.parametrize(
    "table", [TABLE.replace("works", "perhaps"), TABLE.replace(" | works", "")]
)
def test_says_that_it_is_no_table(table: str) -> None:
    with pytest.raises(TableError, match="it is no table"):
        read(table)
