"""Flow files and other input by people: what is wrong with it is said on one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stepflow_api.models import Flow
from stepflow_client import errors
from stepflow_client._core.flow_source import FlowContent, FlowIds, FlowSource, resolve
from stepflow_client.documents import parse, parse_json


def yaml(text: str) -> Any:
    return parse(text.encode(), name="it", is_json=False)


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


def deep(levels: int) -> list[Any]:
    """Lists in lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def doubled(text: str) -> str:
    """A few lines that stand for 2^40 values: each holds the one before twice."""
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {text.format(f'a{n - 1}')}" for n in range(1, 41)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes", "yes"),
        ("a: on", "on"),
        ("a: No", "No"),
        ("a: true", True),
        ("a: False", False),
        ("a: 12:30", "12:30"),
        ("a: 2024-01-31", "2024-01-31"),
        ("a: 1_000", "1_000"),
        ("a: 010", 10),
        ("a: 0o10", 8),
        ("a: 0x1f", 31),
        ("a: 0x1F", 31),
        ("a: -7", -7),
        ("a: 1e3", 1000.0),
        ("a: 1E3", 1000.0),
        ("a: 1.5", 1.5),
        ("a: .5", 0.5),
        ("a: ~", None),
        ("a:", None),
        ("a: null", None),
        ("a: Null", None),
        ("a: NULL", None),
        ("a: TRUE", True),
        ("a: FALSE", False),
        ("a: +7", 7),
        ("a: True", True),
        ("a: false", False),
        ("a: 1.", 1.0),
        ("a: 2.0", 2.0),
        ("a: -.5", -0.5),
        ("a: +.5", 0.5),
        ("a: +1.5e-3", 0.0015),
        ("a: 1e+2", 100.0),
        ("a: -0", 0),
        # Only a whole value counts.
        ("a: 1e", "1e"),
        ("a: .", "."),
        ("a: 1.2.3", "1.2.3"),
        ("a: 12a", "12a"),
        ("a: 0x", "0x"),
        ("a: 0X1F", "0X1F"),
        ("a: 0o8", "0o8"),
        ("a: trueish", "trueish"),
        ("a: tRUE", "tRUE"),
        ("a: nullable", "nullable"),
        ("a: .inf", ".inf"),
        ("a: '1'", "1"),
        ("a: ''", ""),
        ('a: "~"', "~"),
        ("a: |\n  true", "true"),
        ("'<<': 1\na: 2", 2),
        ("x: &x {b: 1}\ny: &y {c: 2}\na: {<<: [*x, *y]}", {"b": 1, "c": 2}),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
        ("a: &x {b: 1}\nc: *x", {"b": 1}),
        ("x: &x {b: 1, c: 2}\na:\n  <<: *x\n  c: 3", {"b": 1, "c": 3}),
    ],
)
def test_yaml_is_read_as_version_1_2(text: str, value: Any) -> None:
    read = yaml(text)["a"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2", "line 2, column 1: duplicate key 'a'"),
        ("s:\n  - id: x\n    id: y", "line 3, column 5: duplicate key 'id'"),
        ("1: a", "line 1, column 1: the key '1' is not text; put it in quotes"),
        ("~: a", "line 1, column 1: the key '~' is not text; put it in quotes"),
        ("a: {true: 1}", "line 1, column 5: the key 'true' is not text; put it in quotes"),
        ("? [a]\n: 1", "is not text; put it in quotes"),
        ("a: [1", "line 1, column 6: "),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: b: c", "mapping values are not allowed here"),
        ("\t- a", "cannot start any token"),
        ("a: 1\n---\nb: 2", "but found another document"),
        ("[" * 5000, "nested too deeply"),
        ("a: \x00", "special characters are not allowed"),
        ("a: &a [*a]", "line 1, column 4: this anchor's value contains itself"),
        ("a: 1" + "0" * 5000, "Exceeds the limit"),
        (doubled("[*{0}, *{0}]"), "has more than 1000000 values with its aliases expanded"),
        (doubled("{{<<: [*{0}, *{0}]}}"), "has more than 1000000 values with its aliases"),
    ],
)
def test_broken_yaml_is_told_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        yaml(text)
    message = str(caught.value)
    assert message.startswith("it is not valid YAML: ")
    assert problem in message
    assert "\n" not in message


def test_the_message_of_broken_yaml_to_the_letter() -> None:
    for text, problem in (
        ("b: 1\na: 1\na: 2", "line 3, column 1: duplicate key 'a'"),
        ("- a\n- {b: [1}", "line 2, column 9: expected ',' or ']', but got '}'"),
    ):
        with pytest.raises(errors.InvalidInput) as caught:
            yaml(text)
        assert str(caught.value) == f"it is not valid YAML: {problem}; correct it there"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'{"a": 1, "a": 2}', "duplicate key 'a'"),
        (b'{"a": [{"b": 1, "b": 1}]}', "duplicate key 'b'"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": 1', "delimiter"),
        (b"", "Expecting value"),
        (b"\xff\xfe", "not UTF-8 (byte 0)"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_broken_json_is_told(text: bytes, problem: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        parse(text, name="it", is_json=True)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_million_values_are_too_many() -> None:
    def aliases(count: int) -> str:
        return f"a: &a [{'0,' * 999}]\nb: [{'*a,' * count}]"

    assert len(yaml(aliases(990))["b"]) == 990
    with pytest.raises(errors.InvalidInput, match="this has more than 1000000 values"):
        yaml(aliases(1001))


def test_a_long_key_is_cut() -> None:
    key = "k" * 10_000
    with pytest.raises(errors.InvalidInput, match=r"duplicate key 'k{480,}… \(\d+ characters\); "):
        parse(f'{{"{key}": 1, "{key}": 2}}'.encode(), name="it", is_json=True)


def test_a_mark_of_the_byte_order_is_no_content() -> None:
    # Editors on Windows write it.
    for text, is_json in ((b'{"a": 1}', True), (b"a: 1", False)):
        assert parse(b"\xef\xbb\xbf" + text, name="it", is_json=is_json) == {"a": 1}


def test_json_of_an_argument_is_refused_by_a_value_error() -> None:
    assert parse_json('[1, "a"]') == [1, "a"]
    for text, problem in (
        ("[" * 100_000, "it is nested too deeply"),
        ('{"a": 1, "b": 1, "b": 2}', "duplicate key 'b'"),
        ("-Infinity", "-Infinity is not a JSON number"),
    ):
        with pytest.raises(ValueError, match=problem):
            parse_json(text)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("f.yaml", "", "holds nothing, not a flow"),
        ("f.yaml", "- 1", "holds a value of type list, not a flow"),
        ("f.yaml", "steps: 5", "is not a flow: steps: Input should be a valid list; correct it"),
        ("f.json", '{"steps": [{"id": "a"}]}', "is not a flow: steps.0.component: Field required"),
        ("f.json", "steps: []", "is not valid JSON"),
        ("F.JSON", "steps: []", "is not valid JSON"),
        ("f.json", '{"steps": 5, "schemas": 5}', " (and 1 more); correct it there"),
    ],
)
def test_a_file_that_is_no_flow_is_told(
    tmp_path: Path, name: str, content: str, problem: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    given = resolve(path)
    assert isinstance(given, FlowContent)
    with pytest.raises(errors.InvalidInput) as caught:
        given.load()
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        ("nowhere.yaml", "cannot read the flow file 'nowhere.yaml': there is no such file"),
        ("/", "it is a folder; pass a file"),
        (
            "/dev/null/f.yaml",
            "cannot read the flow file '/dev/null/f.yaml': Not a directory; check",
        ),
        ("a\0b", "null byte"),
        # No ids of flows.
        *[
            (name, "there is no such file")
            for name in ("A" * 64, "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n")
        ],
        (7, "the flow is of type int; pass a path, a dict, a Flow, or a flow id"),
        ({"steps": [object()]}, "cannot be written as JSON"),
        ({"steps": [], "output": CIRCLE}, "cannot be written as JSON (Error serializing to JSON"),
        (Flow(steps=[], output=CIRCLE), "cannot be written as JSON (Error serializing to JSON"),
        (Flow(steps=[], output=deep(1000)), "cannot be written as JSON (Error serializing to JSON"),
    ],
)
def test_what_is_no_flow_is_told(flow: FlowSource, problem: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        resolve(flow)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_oldest_flow_ids_are_dropped() -> None:
    ids = FlowIds(size=2)
    for name in (b"a", b"b", b"c"):
        ids.put(name, name.decode())
    assert [ids.get(name) for name in (b"a", b"b", b"c")] == [None, "b", "c"]
    # Of two calls that a server answers at the same moment, the second finds it gone.
    for _ in range(2):
        ids.forget(b"b")
    assert ids.get(b"b") is None
