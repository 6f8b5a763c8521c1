"""Tables for notebooks, and what results show there."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from stepflow_api import models
from stepflow_api.support import html_table


def cells(table: str) -> list[list[tuple[str, str]]]:
    """Return the kind and the text of each cell of each row."""
    assert re.fullmatch("<table>.*</table>", table, flags=re.DOTALL)
    rows = re.findall("<tr>(.*?)</tr>", table, flags=re.DOTALL)
    return [
        [
            (kind, html.unescape(re.sub("<[^>]*>", "", text)))
            for kind, text in re.findall("<(t[dh])[^>]*>(.*?)</t[dh]>", row, flags=re.DOTALL)
        ]
        for row in rows
    ]


def test_a_table_with_names_of_rows() -> None:
    assert html_table([("<a>", 1), ("b", "<&\x1b\n\t\u202e")]) == (
        "<table><tbody>"
        "<tr><th style='text-align:left'>&lt;a&gt;</th><td style='text-align:left'>1</td></tr>"
        "<tr><th style='text-align:left'>b</th>"
        "<td style='text-align:left'>&lt;&amp;\\x1b\n\t\\u202e</td></tr>"
        "</tbody></table>"
    )


def test_a_table_with_names_of_columns() -> None:
    table = html_table([("a", None, True)], header=["<x>", "y", "z"])
    assert cells(table) == [
        [("th", "<x>"), ("th", "y"), ("th", "z")],
        [("td", "a"), ("td", "null"), ("td", "true")],
    ]
    assert "<thead><tr><th style='text-align:left'>&lt;x&gt;</th>" in table
    assert html_table([], header=["x"]).endswith("</thead><tbody></tbody></table>")


@pytest.mark.parametrize("value", [{"é": 1, "<b>": [2]}, ["é", "<b>"], {}, []], ids=str)
def test_json_in_a_cell_has_a_font_of_its_own(value: Any) -> None:
    table = html_table([("a", value)])
    assert "<pre style='margin:0;white-space:pre-wrap;font-family:monospace;background:none'>" in (
        table
    )
    assert cells(table)[0][1][1] == str(value).replace("'", '"')
    assert "<b>" not in table
    assert "<pre" not in html_table([("a", "text"), ("b", 1), ("c", None)])


def test_long_json_is_on_several_lines() -> None:
    assert cells(html_table([("a", ["x" * 76])]))[0][1][1] == f'["{"x" * 76}"]'
    (row,) = cells(html_table([("a", ["é" * 77])]))
    assert row[1][1] == f'[\n  "{"é" * 77}"\n]'
    # A number stays on its line.
    assert cells(html_table([("a", 10**100)]))[0][1][1] == str(10**100)


def test_a_long_cell_is_cut() -> None:
    assert cells(html_table([("a", "x" * 2000)]))[0][1][1] == "x" * 2000
    shown = cells(html_table([("a", "x" * 2001), ("b", ["y" * 3000])]))
    assert shown[0][1][1] == "x" * 2000 + "… (2,001 characters)"
    assert shown[1][1][1] == '[\n  "' + "y" * 1995 + "… (3,008 characters)"


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        (
            {"outcome": "success", "result": {"a": 1}},
            [("outcome", "success"), ("output", '{"a": 1}')],
        ),
        ({"outcome": "success", "result": None}, [("outcome", "success"), ("output", "null")]),
        ({"outcome": "skipped"}, [("outcome", "skipped")]),
        ({"outcome": "postponed", "error": 1, "result": 2}, [("outcome", "postponed")]),
        (
            {
                "outcome": "failed",
                "error": {
                    "code": 7,
                    "message": 'step "s" failed',
                    "data": {"stack": [{"error": 'step "s" failed'}, {"error": "why"}]},
                },
            },
            [
                ("outcome", "failed"),
                ("code", "7"),
                ("message", 'step "s" failed: why'),
                ("step", "s"),
            ],
        ),
        (
            {"outcome": "failed", "error": {"code": 7, "message": "no"}},
            [("outcome", "failed"), ("code", "7"), ("message", "no")],
        ),
    ],
    ids=str,
)
def test_a_result_as_a_table(document: dict[str, Any], rows: list[tuple[str, str]]) -> None:
    item = models.ItemResult.from_dict({"itemIndex": 0, "status": "completed", "result": document})
    shown: Any = item.result
    found = cells(shown._repr_html_())
    assert [(name, value) for (_, name), (_, value) in found] == rows
    is_other = shown.outcome == "postponed"
    flags = (shown.is_success, shown.is_failed, shown.is_skipped)
    assert flags == tuple(shown.outcome == one for one in ("success", "failed", "skipped"))
    assert not is_other or (shown.output, shown.error) == (None, None)
