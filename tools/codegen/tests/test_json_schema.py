"""A JSON Schema document: models without endpoints."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tools.codegen.compile import compile_package
from tools.codegen.errors import SpecError

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$comment": "Not of the document itself.",
    "title": "Aviary",
    "description": "Where birds live.",
    "type": "object",
    "properties": {
        "maxBirds": {"type": "integer", "minimum": 1, "x-added": "2"},
        "birds": {"type": "array", "items": {"$ref": "#/$defs/Bird"}},
        "next": {"$ref": "#"},
    },
    "required": ["birds"],
    "$defs": {
        "Bird": {"anyOf": [{"$ref": "#/$defs/Owl"}, {"type": "object"}]},
        "Owl": {
            "type": "object",
            "properties": {
                "type": {"const": "owl", "type": "string"},
                "rings": {"type": "integer"},
            },
            "required": ["type"],
        },
    },
}


def compiled(folder: Path, schema: dict[str, Any]) -> dict[str, str]:
    file = folder / "aviary.json"
    file.write_text(json.dumps(schema), encoding="utf-8")
    return compile_package(
        file,
        package="aviary",
        support="stepflow_api",
        command="make",
        hand_written={},
        ruff=None,
    )


@pytest.fixture
def aviary(tmp_path: Path) -> Iterator[Any]:
    files = compiled(tmp_path, SCHEMA)
    assert {path.split("/")[0] for path in files} == {"models"}
    for path, text in files.items():
        file = tmp_path / "aviary" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    yield importlib.import_module("aviary.models")
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "aviary"]:
        del sys.modules[name]


def test_the_document_and_its_definitions_are_models(aviary: Any) -> None:
    assert aviary.__all__ == ["Aviary", "Bird", "Owl"]
    assert aviary.__doc__.startswith("Models of `Aviary` and its parts.")
    document = {"maxBirds": 2, "birds": [{"type": "owl", "rings": 1}, {"type": "rook"}]}
    made = aviary.Aviary(max_birds=2, birds=[aviary.Owl(rings=1), {"type": "rook"}])
    assert made.to_dict() == document
    assert aviary.Aviary.from_dict({**document, "next": document}).next == made


@pytest.mark.parametrize(
    "document", [{"birds": [], "maxBird": 2}, {"birds": [], "maxBirds": 0}, {"maxBirds": 1}]
)
def test_what_the_schema_does_not_allow_is_refused(aviary: Any, document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        aviary.Aviary.from_dict(document)


def test_a_document_without_a_title_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="it is the name of the document's model") as caught:
        compiled(tmp_path, {**SCHEMA, "title": ""})
    assert caught.value.place == "#/title"
