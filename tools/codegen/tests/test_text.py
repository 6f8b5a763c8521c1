"""Names and docstrings made of what a spec says."""

import pytest

from tools.codegen.docs import docstring, wrapped
from tools.codegen.names import field_name, member_names, pascal_case, snake_case


@pytest.mark.parametrize(
    ("name", "snake", "pascal"),
    [
        ("listRuns", "list_runs", "ListRuns"),
        ("list-runs", "list_runs", "ListRuns"),
        ("HTTPServer", "http_server", "HTTPServer"),
        ("listHTTPRuns2", "list_http_runs2", "ListHTTPRuns2"),
        ("a.b/c d", "a_b_c_d", "ABCD"),
        ("Größe", "gro_e", "GroE"),
        ("café", "cafe", "Cafe"),
        ("__x__", "x", "X"),
        ("名前", "", ""),
    ],
)
def test_names(name: str, snake: str, pascal: str) -> None:
    assert (snake_case(name), pascal_case(name)) == (snake, pascal)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("$type", "type"),
        ("from", "from_"),
        ("None", "none"),
        ("2nd", "field_2nd"),
        ("名前", "field"),
        ("X-Trace-Id", "x_trace_id"),
    ],
)
def test_names_of_fields(name: str, field: str) -> None:
    assert field_name(name) == field


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["inProgress", "done"], ["IN_PROGRESS", "DONE"]),
        (["Red", "RED", "red"], ["RED_", "RED", "RED__"]),
        (["RED", "red"], ["RED", "RED_"]),
        (["", " ", "-"], ["EMPTY", "SPACE", "HYPHEN_MINUS"]),
        (["name", "-name", "+name"], ["NAME", "MINUS_NAME", "NAME_"]),
        ([0, -1, 10], ["VALUE_0", "MINUS_1", "VALUE_10"]),
        (["1st", "名"], ["VALUE_1ST", "CJK_UNIFIED_IDEOGRAPH_540D"]),
    ],
)
def test_names_of_members(values: list[str | int], names: list[str]) -> None:
    assert member_names(values) == names


def test_short_text_stays() -> None:
    text = "A line.\n\nAnother,\nbroken by hand.\n\n    code"
    assert wrapped(text, 40) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three four", ["one two", "three four"]),
        ("- one two three", ["- one two", "  three"]),
        ("10. one two three", ["10. one two", "    three"]),
        ("  one two three", ["  one two", "  three"]),
        ("unbreakable-long-word", ["unbreakable-long-word"]),
        ("see https://example.com/long now", ["see", "https://example.com/long", "now"]),
        ("    one two three", ["    one two three"]),
        ("| one | two | three |", ["| one | two | three |"]),
        ("# one two three", ["# one two three"]),
        (
            "```\none two three\n```\none two three",
            ["```", "one two three", "```", "one two", "three"],
        ),
        ("~~~\n```\none two three\n~~~", ["~~~", "```", "one two three", "~~~"]),
    ],
)
def test_long_lines_are_broken_outside_of_code(text: str, lines: list[str]) -> None:
    assert wrapped(text, 11).split("\n") == lines


def test_the_first_line_leaves_room_for_what_stands_before_it() -> None:
    assert wrapped("one two three", 11, 4).split("\n") == ["one two", "three"]
    assert wrapped("one two three", 11, 5).split("\n") == ["one", "two three"]
    assert wrapped("one\none two thr", 11, 5).split("\n") == ["one", "one two thr"]


def test_docstrings_are_indented_and_escaped() -> None:
    assert docstring('a\n\nb """c""" \\d', 4) == "a\n\n    b '''c''' \\\\d"
