"""The verdicts agree with a JSON Schema validator: what a schema takes decides what breaks."""

from __future__ import annotations

import itertools
from typing import Any

import jsonschema_rs
import pytest

from tools.spec.compatibility import Broken, judge

VALUES: list[Any] = [
    None, True, False, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 0.5, 2.5, 9.5,
    "", "a", "ab", "abc", "b",
    [], [1], [1, 1], [1, 2], ["a"], ["a", 1], [1, 2, 3], [[1]], [0.5], [{}], [{"a": 1}],
    {}, {"a": 1}, {"a": "x"}, {"b": None}, {"a": 1, "b": 2}, {"a": 1.5}, {"ab": 1}, {"a": {"a": 1}},
    {"a": {}},
]  # fmt: skip

INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
STRING = {"type": "string"}
OBJECT = {"type": "object"}
ARRAY = {"type": "array"}

#: Schemas of which every two are compared; each family differs in one thing.
FAMILIES: dict[str, list[Any]] = {
    "types": [
        {}, True, False, STRING, INTEGER, NUMBER, {"type": "null"},
        {"type": ["string", "null"]}, {"type": ["integer", "null"]}, {"type": ["number", "null"]},
        {"type": ["string", "integer"]}, {"type": ["null", "string"]}, {"description": "any"},
        {"type": "array"}, OBJECT,
    ],
    "alternatives": [
        {"oneOf": [STRING, {"type": "null"}]}, {"type": ["string", "null"]},
        {"anyOf": [STRING, {"type": "null"}]}, STRING, {"type": "null"},
        {"oneOf": [STRING, {"type": "null"}, {"type": "boolean"}]},
        {"allOf": [STRING]}, {"type": "boolean"}, {"oneOf": [{"type": "boolean"}]},
    ],
    "minimum": [INTEGER, *({**INTEGER, "minimum": n} for n in (-1, 0, 1, 1.0, 5))],
    "exclusive minimum": [INTEGER, *({**INTEGER, "exclusiveMinimum": n} for n in (-1, 0, 5))],
    "maximum": [NUMBER, *({"type": "number", "maximum": n} for n in (0, 2, 9, 9.5))],
    "exclusive maximum": [INTEGER, *({**INTEGER, "exclusiveMaximum": n} for n in (0, 1, 10))],
    "multiple of": [INTEGER, *({**INTEGER, "multipleOf": n} for n in (2, 3, 4, 6))],
    "minimum length": [STRING, *({**STRING, "minLength": n} for n in (0, 1, 3))],
    "maximum length": [STRING, *({**STRING, "maxLength": n} for n in (0, 1, 2))],
    "values": [
        STRING, *({"type": "string", "enum": list(e)} for e in ("a", "ab", "ba", "b")),
    ],
    "constants": [{}, {"const": "a"}, {"const": 1}, {"const": None}],
    "patterns": [STRING, *({"type": "string", "pattern": p} for p in ("^a", "b"))],
    "items": [
        ARRAY, {**ARRAY, "items": {}}, {**ARRAY, "items": INTEGER},
        {**ARRAY, "items": NUMBER},
        {**ARRAY, "items": {"type": ["integer", "string"]}}, {**ARRAY, "items": False},
    ],
    "number of items": [ARRAY, *({**ARRAY, "minItems": n} for n in (0, 1, 2))],
    "greatest number of items": [ARRAY, *({**ARRAY, "maxItems": n} for n in (0, 1, 2))],
    "unique items": [ARRAY, {**ARRAY, "uniqueItems": False}, {**ARRAY, "uniqueItems": True}],
    "required": [
        {**OBJECT, "properties": {"a": {}, "b": {}}, "required": list(r)}
        for r in ("", "a", "ab", "ba", "b")
    ],
    "fields": [
        {**OBJECT, "properties": {"a": a}}
        for a in (INTEGER, NUMBER, STRING, {"type": ["integer", "string"]}, {},
                  {**OBJECT, "properties": {"a": INTEGER}, "required": ["a"]}, OBJECT)
    ],
    "other fields": [
        OBJECT,
        *({**OBJECT, "additionalProperties": a} for a in (True, False, {}, INTEGER, NUMBER)),
    ],
    "names": [
        OBJECT, *({**OBJECT, "propertyNames": n} for n in (STRING, {"maxLength": 1})),
    ],
    "number of fields": [OBJECT, *({**OBJECT, "minProperties": n} for n in (0, 1, 2))],
    "greatest number of fields": [OBJECT, *({**OBJECT, "maxProperties": n} for n in (0, 1))],
    "unevaluated fields": [
        OBJECT, *({**OBJECT, "unevaluatedProperties": u} for u in (True, False, INTEGER)),
    ],
    "unevaluated items": [
        ARRAY, *({**ARRAY, "unevaluatedItems": u} for u in (True, False, INTEGER)),
    ],
}  # fmt: skip

#: Families in which a keyword gives way to others: then what breaks may be more than has to.
CAREFUL = {"alternatives", "fields", "names"}


def broken(old: Any, new: Any) -> set[Broken]:
    """Returns what breaks when a model that goes both ways changes."""
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    documents = (
        {
            "openapi": "3.1.0",
            "paths": {
                "/a": {
                    "put": {
                        "operationId": "a",
                        "requestBody": body,
                        "responses": {"200": body},
                    }
                }
            },
            "components": {"schemas": {"A": schema}},
        }
        for schema in (old, new)
    )
    return {what for judgement in judge(*documents) for what in judgement.broken}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_schema_takes_decides_what_breaks(family: str) -> None:
    schemas = FAMILIES[family]
    taken = [
        [jsonschema_rs.Draft202012Validator(schema).is_valid(value) for value in VALUES]
        for schema in schemas
    ]
    for (old, before), (new, after) in itertools.permutations(zip(schemas, taken, strict=True), 2):
        pairs = list(zip(before, after, strict=True))
        expected = set()
        if (True, False) in pairs:
            expected.add(Broken.REQUESTS)
        if (False, True) in pairs:
            expected.add(Broken.ANSWERS)
        found = broken(old, new)
        assert expected <= found, f"{old} -> {new}"
        assert expected == found or family in CAREFUL, f"{old} -> {new}"


#: The least and the greatest value of each format of integers.
RANGES = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}


@pytest.mark.parametrize("old", RANGES)
def test_the_range_of_a_format_decides_what_breaks(old: str) -> None:
    for new in RANGES.keys() - {old}:
        (old_least, old_greatest), (new_least, new_greatest) = RANGES[old], RANGES[new]
        expected = set()
        if new_least > old_least or new_greatest < old_greatest:
            expected.add(Broken.REQUESTS)
        if old_least > new_least or old_greatest < new_greatest:
            expected.add(Broken.ANSWERS)
        found = broken({**INTEGER, "format": old}, {**INTEGER, "format": new})
        assert found == expected, f"{old} -> {new}"
