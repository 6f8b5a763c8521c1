"""Names and docstrings made of what a spec says."""

import pytest

from tools.codegen.docs import docstring, wrapped
from tools.codegen.names import (
    Names,
    attribute_names,
    class_name,
    field_name,
    member_names,
    module_name,
    module_of,
    pascal_case,
    snake_case,
)


@pytest.mark.parametrize(
    ("name", "snake", "pascal"),
    [
        ("listRuns", "list_runs", "ListRuns"),
        ("list-runs", "list_runs", "ListRuns"),
        ("HTTPServer", "http_server", "HTTPServer"),
        ("listHTTPRuns2", "list_http_runs2", "ListHTTPRuns2"),
        ("a.b/c d", "a_b_c_d", "ABCD"),
        ("Größe", "grose", "Grose"),
        ("café", "cafe", "Cafe"),
        ("__x__", "x", "X"),
        ("名前", "u540du524d", "U540du524d"),
        ("カメラ", "kamera", "Kamera"),
        ("한국", "hangug", "Hangug"),
        ("Άλφα", "alphalamdaphialpha", "Alphalamdaphialpha"),
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
        ("名前", "u540du524d"),
        ("--", "field"),
        ("+1", "plus_1"),
        ("-1", "minus_1"),
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
        (["1st", "名"], ["VALUE_1ST", "U540D"]),
    ],
)
def test_names_of_members(values: list[str | int], names: list[str]) -> None:
    assert member_names(values) == names


@pytest.mark.parametrize(
    ("name", "cls", "module"),
    [
        ("Run", "Run", "run"),
        ("None", "None_", "none"),
        ("In", "In", "in_"),
        ("400", "Schema400", "schema400"),
        ("-", "HyphenMinus", "hyphen_minus"),
        ("Pet.v1", "PetV1", "pet_v1"),
    ],
)
def test_names_of_classes(name: str, cls: str, module: str) -> None:
    assert (class_name(name), module_of(class_name(name))) == (cls, module)


@pytest.mark.parametrize(
    ("name", "module"), [("getPet", "get_pet"), ("1st", "tag_1st"), ("import", "import_")]
)
def test_names_of_modules(name: str, module: str) -> None:
    assert module_name(name, "tag") == module


def test_a_name_that_is_taken_gets_a_suffix_that_stays() -> None:
    first = Names("own")
    assert first.take("run", "#/a") == first.take("run", "#/a") == "run"
    second = first.take("run", "#/b")
    assert second.startswith("run_")
    assert first.take("own", "#/c").startswith("own_")
    # Whatever else there is, and wherever it comes.
    other = Names()
    assert [other.take("run", place) for place in ("#/a", "#/x", "#/b")][2] == second


def test_attributes_are_no_names_of_types_or_of_methods() -> None:
    names = attribute_names(["list", "copy", "to_dict", "foo-bar", "fooBar", "date"])
    assert [*names.values()][:4] == ["list_", "copy_", "to_dict_", "foo_bar"]
    assert names["fooBar"].startswith("foo_bar_")
    assert names["date"] == "date"


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
