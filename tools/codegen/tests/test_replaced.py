"""A generated model can be replaced by a hand-written one, and the mirror follows."""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.codegen import compile, mirror

SPEC: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {},
    "components": {
        "schemas": {
            "Leaf": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Twig": {
                "type": "object",
                "properties": {"leaf": {"$ref": "#/components/schemas/Leaf"}},
            },
            "Part": {
                "oneOf": [
                    {"$ref": "#/components/schemas/Twig"},
                    {"$ref": "#/components/schemas/Leaf"},
                ]
            },
            "Tree": {
                "type": "object",
                "properties": {
                    "leaf": {"$ref": "#/components/schemas/Leaf"},
                    "leaves": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}},
                    "byName": {
                        "type": "object",
                        "additionalProperties": {"$ref": "#/components/schemas/Leaf"},
                    },
                    "part": {"$ref": "#/components/schemas/Part"},
                    "crown": {
                        "oneOf": [{"$ref": "#/components/schemas/Leaf"}, {"type": "null"}],
                    },
                },
            },
        }
    },
}
LEAF = """
from orchard.models._generated.leaf import GeneratedLeaf
__all__ = ["Leaf"]
class Leaf(GeneratedLeaf):
    '''A leaf that falls.'''
    def fall(self) -> str:
        return f"{self.name} falls"
"""


def build(root: Path, *hand_written: str) -> None:
    """Compile the spec as the genrule does, and update the mirror as its target does."""
    archive, source = root / "made.zip", root / "src" / "orchard"
    (root / "openapi.json").write_text(json.dumps(SPEC))
    code = compile.main(
        [
            *(f"--spec={root / 'openapi.json'}", "--package=orchard", "--support=stepflow_api"),
            *("--command=update", f"--ruff={os.environ['RUFF']}", f"--archive={archive}"),
            *("--hand-written", *(f"{path}={source / path}" for path in hand_written)),
        ]
    )
    assert code == 0
    arguments = [f"--archive={archive}", f"--mirror={root / 'generated'}", "--package=orchard"]
    assert mirror.main([*arguments, "--command=update", "--update"]) == 0
    assert mirror.main([*arguments, "--command=update"]) == 0


def test_a_model_is_replaced_and_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "generated" / "orchard" / "models"
    build(tmp_path)
    assert "class Leaf(" in (models / "leaf.py").read_text()

    written = tmp_path / "src" / "orchard" / "models" / "leaf.py"
    written.parent.mkdir(parents=True)
    written.write_text(LEAF)
    capsys.readouterr()
    build(tmp_path, "models/leaf.py")
    assert capsys.readouterr().out.splitlines() == [
        "added models/_generated/leaf.py",
        "removed models/leaf.py",
    ]
    build(tmp_path, "models/leaf.py")
    assert not (models / "leaf.py").exists()
    assert written.read_text() == LEAF

    whole = tmp_path / "whole"
    for root in ("generated", "src"):
        for file in (tmp_path / root).rglob("*.py"):
            target = whole / file.relative_to(tmp_path / root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    monkeypatch.syspath_prepend(whole)
    try:
        orchard = importlib.import_module("orchard.models")
        leaf = {"name": "it"}
        tree = orchard.Tree.from_dict(
            {
                "leaf": leaf,
                "leaves": [leaf],
                "byName": {"a": leaf},
                "part": leaf,
                "crown": leaf,
            }
        )
        for found in (tree.leaf, tree.leaves[0], tree.by_name["a"], tree.part, tree.crown):
            assert found.fall() == "it falls"
        assert orchard.Twig(leaf=leaf).leaf.fall() == "it falls"
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "orchard"]:
            del sys.modules[name]
