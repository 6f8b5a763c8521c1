import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tools.codegen.compile import compile_package, main
from tools.codegen.errors import SpecError
from tools.codegen.overlay import apply_overlay

SPEC: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Zoo", "version": "1"},
    "paths": {
        "/animals": {
            "get": {
                "operationId": "listAnimals",
                "tags": ["animals"],
                "responses": {
                    "200": {
                        "description": "All of them",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Animal"}}
                        },
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Animal": {
                "type": "object",
                "required": ["name", "kind"],
                "properties": {
                    "name": {"type": "string"},
                    "kind": {"type": "string"},
                    "legs": {"type": "integer", "minimum": 0, "maximum": 4},
                },
            }
        }
    },
}

HEAD = "overlay: {}\ninfo: {{title: Changes, version: '1'}}\n"
ANIMAL = "$.components.schemas.Animal"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    return tmp_path / "overlay.yaml"


def animal(overlay: Path, actions: str, version: str = "1.0.0") -> dict[str, Any]:
    made: dict[str, Any] = changed(overlay, actions, version)["components"]["schemas"]["Animal"]
    return made


def changed(overlay: Path, actions: str, version: str = "1.0.0") -> dict[str, Any]:
    overlay.write_text(f"{HEAD.format(version)}actions:\n{actions}\n")
    return apply_overlay(SPEC, overlay)


def problem(overlay: Path, text: str) -> str:
    overlay.write_text(text)
    with pytest.raises(SpecError) as caught:
        apply_overlay(SPEC, overlay)
    assert caught.value.file == overlay
    return str(caught.value)


def test_an_update_is_merged_into_an_object_and_leaves_the_spec_as_it_is(overlay: Path) -> None:
    before = copy.deepcopy(SPEC)
    made = animal(
        overlay,
        f"- target: {ANIMAL}\n"
        "  description: Why it is there\n"
        "  x-owner: keeper\n"
        "  update: {properties: {legs: {maximum: 100}, wings: {type: integer}}, required: [legs]}",
    )
    assert made["properties"]["legs"] == {"type": "integer", "minimum": 0, "maximum": 100}
    assert list(made["properties"]) == ["name", "kind", "legs", "wings"]
    assert made["required"] == ["name", "kind", "legs"]
    assert before == SPEC


def test_every_match_is_changed_and_none_shares_what_it_gets_with_another(overlay: Path) -> None:
    made = animal(
        overlay,
        f"- {{target: '{ANIMAL}.properties.*', update: {{x-note: {{by: [a]}}}}}}\n"
        f"- {{target: '{ANIMAL}.properties.name.x-note.by', update: b}}",
    )
    notes = {name: field["x-note"]["by"] for name, field in made["properties"].items()}
    assert notes == {"name": ["a", "b"], "kind": ["a"], "legs": ["a"]}


@pytest.mark.parametrize(("value", "end"), [("legs", ["legs"]), ("[legs, x]", ["legs", "x"])])
def test_an_array_gets_one_entry_or_several(overlay: Path, value: str, end: list[str]) -> None:
    made = animal(overlay, f"- {{target: $..required, update: {value}}}")
    assert made["required"] == ["name", "kind", *end]


def test_1_1_changes_and_removes_what_is_neither_object_nor_array(overlay: Path) -> None:
    made = animal(
        overlay,
        f"- {{target: '{ANIMAL}.properties.legs.maximum', update: 8}}\n"
        f"- target: {ANIMAL}.required[*]\n  remove: true",
        version="1.1.0",
    )
    assert made["properties"]["legs"]["maximum"] == 8
    assert made["required"] == []


def test_1_1_copies_one_place_to_others(overlay: Path) -> None:
    paths = changed(
        overlay,
        "- {target: $.paths, update: {/birds: {}}}\n"
        "- {target: \"$.paths['/birds']\", copy: \"$.paths['/animals']\"}\n"
        "- {target: \"$.paths['/birds'].get\", update: {operationId: listBirds}}",
        version="1.1.0",
    )["paths"]
    assert paths["/birds"]["get"]["operationId"] == "listBirds"
    assert paths["/animals"] == SPEC["paths"]["/animals"]


def test_what_was_removed_can_be_made_anew(overlay: Path) -> None:
    made = animal(
        overlay,
        f"- {{target: '{ANIMAL}.properties.legs', remove: true}}\n"
        f"- {{target: '{ANIMAL}.properties', update: {{legs: [4]}}}}",
    )
    assert made["properties"]["legs"] == [4]


def test_the_whole_spec_can_be_the_target(overlay: Path) -> None:
    assert changed(overlay, "- {target: $, update: {info: {version: '2'}}}")["info"] == {
        "title": "Zoo",
        "version": "2",
    }


def test_values_of_yaml_are_those_of_json(overlay: Path) -> None:
    made = animal(
        overlay,
        f"- target: {ANIMAL}\n"
        "  update:\n"
        "    x-values: {200: on, date: 2026-01-31, time: 12:30, hex: 0x1f, none: ~, number: 1e3}",
    )
    assert made["x-values"] == {
        "200": "on",
        "date": "2026-01-31",
        "time": "12:30",
        "hex": 31,
        "none": None,
        "number": 1000,
    }


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("{target: $.nowhere, remove: true}", "$.nowhere is not in the spec; correct it"),
        (
            f"{{target: {ANIMAL}.properties.legs, update: {{minimum: 0}}}}",
            f"{ANIMAL}.properties.legs changes nothing: the spec says the same; remove the action",
        ),
        ("{target: info, remove: true}", "info is no JSONPath of RFC 9535: expected 'TOKEN_ROOT'"),
        ("{target: '$.info[', remove: true}", "$.info[ is no JSONPath of RFC 9535"),
        ("{target: $, remove: true}", "$ selects the whole spec, which cannot be removed"),
        ("{target: $.info, update: [1]}", "$.info cannot be updated: an object, an array or"),
        ("{target: $.info, update: {title: {}}}", "$.info cannot be updated: an object"),
        ("{target: $.info, copy: $.*}", "$.info copies $.*, which 4 places match; 1 has to"),
        ("{target: $.info, updat: {}}", "has the key 'updat'; it can have target, description"),
        ("{target: $.info}", "needs one of update, copy and remove: true"),
        ("{target: $.info, remove: false}", "needs one of update, copy and remove: true"),
        ("{target: $.info, remove: true, update: {}}", "needs one of update, copy and remove"),
    ],
)
def test_an_action_that_cannot_be_applied_is_named(
    overlay: Path, action: str, message: str
) -> None:
    text = f"{HEAD.format('1.1.0')}actions:\n- {{target: $.info, update: {{x-first: 1}}}}\n- "
    assert problem(overlay, text + action).startswith(f"#/actions/1: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not YAML: "),
        ("a: 1\na: 2", "is not YAML: the key 'a' occurs twice in one object; remove one at line 2"),
        ("1.5: 2", "is not YAML: the key '1.5' is no string; put it in quotes at line 1"),
        ("\x00", "is not YAML: "),
        ("[" * 3000, "is not YAML: it is nested too deeply"),
        ("just text", "#: "),
        (f"{HEAD.format('1.0.0')}actions: []", "#/actions: List should have at least 1 item"),
        (
            f"{HEAD.format('2.0.0')}actions: [{{target: $}}]",
            "#/overlay: is '2.0.0'; versions 1.0 and",
        ),
        ("overlay: 1.0.0\nactions: [{target: $}]", "#/info: Field required"),
        (f"{HEAD.format('1.0.0')}actions: [{{}}]", "#/actions/0/target: Field required"),
        (f"{HEAD.format('1.0.0')}action: []", "#/actions: Field required"),
    ],
)
def test_a_file_that_is_no_overlay_is_refused(overlay: Path, text: str, message: str) -> None:
    assert problem(overlay, text).startswith(message)


def test_a_missing_file_is_named(overlay: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file") as caught:
        apply_overlay(SPEC, overlay)
    assert caught.value.file == overlay


def test_the_compiler_compiles_the_changed_spec(overlay: Path, tmp_path: Path) -> None:
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(SPEC))
    overlay.write_text(
        f"{HEAD.format('1.0.0')}actions:\n"
        f"- {{target: '{ANIMAL}.properties', update: {{wings: {{type: integer}}}}}}"
    )
    made = compile_package(
        spec,
        overlay=overlay,
        package="zoo",
        support="stepflow_api",
        command="update",
        hand_written={},
        ruff=None,
    )["models/animal.py"]
    assert "    wings: int | None = None" in made
    assert made.startswith("# Made by `update` from openapi.json and overlay.yaml; edits are lost.")


def test_the_compiler_names_the_file_that_has_the_mistake(
    overlay: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(SPEC))
    arguments = [
        *(f"--spec={spec}", f"--overlay={overlay}", "--package=zoo", "--command=update"),
        *("--ruff=/bin/false", f"--archive={tmp_path / 'zoo.zip'}"),
    ]
    head = f"{HEAD.format('1.0.0')}actions:\n- "
    overlay.write_text(head + "{target: $.nowhere, remove: true}")
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        f"{overlay}: #/actions/0: $.nowhere is not in the spec; correct it, or remove the action\n"
    )
    overlay.write_text(head + f"{{target: '{ANIMAL}.properties.name', update: {{type: strin}}}}")
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(
        f"{spec} with {overlay}: #/components/schemas/Animal/properties/name"
    )
    assert not (tmp_path / "zoo.zip").exists()
