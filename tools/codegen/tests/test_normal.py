"""Normalised schemas, and defaults that are no values of their types."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.codegen.defaults import drop_wrong_defaults
from tools.codegen.document import Document, Node
from tools.codegen.normal import normalised


def node(folder: Path, schema: dict[str, Any], version: str = "3.0.3") -> Node:
    spec = folder / "spec.json"
    spec.write_text(json.dumps({"openapi": version, "components": {"schemas": {"It": schema}}}))
    return Document(spec).resolve("#/components/schemas/It", "#")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ({"exclusiveMinimum": True}, {}),
        ({"exclusiveMinimum": False}, {}),
        ({"exclusiveMinimum": 1}, {"exclusiveMinimum": 1}),
        ({"exclusiveMinimum": 0}, {"exclusiveMinimum": 0}),
        ({"maximum": 1, "exclusiveMaximum": True}, {"exclusiveMaximum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        ({"exclusiveMaximum": False}, {}),
    ],
    ids=str,
)
def test_bounds(tmp_path: Path, schema: dict[str, Any], expected: dict[str, Any]) -> None:
    made = normalised(node(tmp_path, {"type": "integer", **schema}))

    assert made.value == {"type": ["integer"], **expected}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": ["string"], "nullable": True}),
        ({"type": "null"}, {"const": None, "nullable": True}),
        (
            {"oneOf": [{"const": "a"}, {"enum": ["b"]}, {"type": "null"}]},
            {"enum": ["a", "b"], "nullable": True, "x-enum-descriptions": ["", ""]},
        ),
        ({"type": "string", "not": {"const": "a"}, "x-note": 1}, {"type": ["string"]}),
        ({"$ref": "#/components/schemas/It", "maxLength": 1}, None),
    ],
    ids=str,
)
def test_null_and_constants(
    tmp_path: Path, schema: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    made = normalised(node(tmp_path, schema, "3.1.0")).value
    assert made == (schema if expected is None else expected)


PAIR = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}
CLOSED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "fitting", "others"),
    [
        (PAIR, [["a", 1]], [[], ["a"], ["a", 1, 2], [1, "a"], "a"]),
        ({"type": "array", "items": {"type": "integer"}}, [[], [1]], [["a"], [1, None]]),
        ({"type": "integer"}, [0, 1], [True, 1.5, "1"]),
        ({"type": "number"}, [0, 1.5], [True, "1"]),
        ({"type": "boolean"}, [True, False], [0, 1]),
        ({"type": "string", "format": "date"}, ["2024-02-29"], ["2023-02-29", 1]),
        ({"const": 1}, [1], [True, 2]),
        (CLOSED, [{"a": 1}, {"a": 1, "b": 2}], [{}, {"a": None}, {"a": "x"}]),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            [{}, {"a": 1}],
            [{"a": "x"}],
        ),
        (
            {"allOf": [{"type": "string"}, {"const": "a"}]},
            ["a"],
            ["b", 1],
        ),
    ],
    ids=str,
)
def test_defaults(schema: dict[str, Any], fitting: list[Any], others: list[Any]) -> None:
    for value, fits in [(one, True) for one in fitting] + [(one, False) for one in others]:
        prepared: dict[str, Any] = {**schema, "default": value, "description": "What it is."}
        drop_wrong_defaults({"properties": {"x": prepared}}, {})
        assert ("default" in prepared) is fits
        said = f"The spec's default, `{json.dumps(value)}`, is no value of this type."
        assert (said in prepared["description"]) is not fits
