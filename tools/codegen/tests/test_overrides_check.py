"""Overrides that keep touch with the spec pass; each way of losing it is told."""

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.codegen import overrides_check
from tools.codegen.compile import compile_package

SPEC: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {},
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "itemCount": {"type": "integer", "minimum": 0},
                    "size": {"type": "integer", "default": 1},
                    "part": {"$ref": "#/components/schemas/Part"},
                    "things": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            },
            "Part": {
                "type": "object",
                "properties": {"thing": {"$ref": "#/components/schemas/Thing"}},
            },
        }
    },
}
COMMAND = "bazel run //x:update"
NUMBERS = itertools.count()

HEAD = """
from __future__ import annotations
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from pydantic import ConfigDict, Field, field_validator
from {package}.models._generated.thing import GeneratedThing
__all__ = ["Thing"]

class Thing(GeneratedThing):
"""


class Package:
    """A package with hand-written models, made by the compiler."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = f"made{next(NUMBERS)}"
        self.path = f"x/src/{self.name}/models/thing.py"

    def check(self, modules: dict[str, str], spec: dict[str, Any] | None = None) -> int:
        folder = self.root / self.name / "models"
        folder.mkdir(parents=True)
        for name, text in modules.items():
            (folder / name).write_text(text.replace("{package}", self.name))
        file = self.root / "openapi.json"
        file.write_text(json.dumps(spec or SPEC))
        made = compile_package(
            file,
            package=self.name,
            support="stepflow_api",
            command=COMMAND,
            hand_written={f"models/{name}": folder / name for name in modules},
            ruff=Path(os.environ["RUFF"]),
        )
        for path, text in made.items():
            target = self.root / self.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return overrides_check.main(
            [f"--package={self.name}", f"--source=x/src/{self.name}", f"--command={COMMAND}"]
        )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    monkeypatch.syspath_prepend(tmp_path)
    package = Package(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


@pytest.fixture
def said(package: Package, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Return what is said of an override with this body."""

    def check(body: str) -> list[str]:
        failed = package.check({"thing.py": HEAD + body})
        lines = capsys.readouterr().out.replace(package.path, "thing.py").splitlines()
        assert bool(lines) is bool(failed)
        return lines

    return check


@pytest.mark.parametrize(
    "body",
    [
        "    '''Doc.'''\n    def shout(self) -> str:\n        return self.name.upper()",
        "    '''Doc.'''\n    @property\n    def shout(self) -> str:\n        return self.name",
        "    '''Doc.'''\n    @classmethod\n    def of(cls) -> Any:\n        return cls(name='x')",
        "    '''Doc.'''\n    extra: str | None = None",
        "    '''Doc.'''\n    LIMIT: ClassVar[int] = 3",
        "    '''Doc.'''\n    model_config = ConfigDict(str_strip_whitespace=True)",
        "    '''Doc.'''\n    @field_validator('name')\n    @classmethod\n"
        "    def check(cls, value: str) -> str:\n        return value",
        "    '''Doc.'''\n    __retyped__: ClassVar[Mapping[str, str]] = {'name': 'why'}\n"
        "    name: str | None = None",
        "    '''Doc.'''\n    name: str\n    def shout(self) -> str:\n        return ''",
    ],
    ids=[
        "method",
        "property",
        "classmethod",
        "field",
        "class variable",
        "settings",
        "validator",
        "retyped",
        "field as it was",
    ],
)
def test_overrides_that_keep_touch(said: Callable[..., list[str]], body: str) -> None:
    assert said(body) == []


def test_a_package_without_overrides(package: Package) -> None:
    assert package.check({}) == 0


def test_a_helper_between_override_and_generated_class(package: Package) -> None:
    helper = "class Loud:\n    @property\n    def loud(self) -> str:\n        return 'x'\n"
    thing = HEAD.replace("(GeneratedThing)", "(Loud, GeneratedThing)") + "    '''Doc.'''\n"
    thing = thing.replace("__all__", "from {package}.models._loud import Loud\n__all__")
    assert package.check({"_loud.py": helper, "thing.py": thing}) == 0


RETYPE = "take the field out of thing.py, or state the reason in __retyped__ there"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            "    def f(self) -> None: ...",
            "model Thing: has no docstring; say in thing.py why it is there",
        ),
        (
            "    '''Doc.'''",
            "model Thing: no longer differs from what the spec compiles to; remove thing.py and run"
            f" {COMMAND}",
        ),
        (
            "    '''Doc.'''\n    name: str\n    size: int = 1",
            "model Thing: no longer differs from what the spec compiles to; remove thing.py and run"
            f" {COMMAND}",
        ),
        (
            "    '''Doc.'''\n    name: ClassVar[str] = 'x'",
            "model Thing, field name: the spec has it, the override has dropped it; keep the field"
            " in thing.py",
        ),
        (
            "    '''Doc.'''\n    @property\n    def name(self) -> str:\n        return 'x'",
            "model Thing, field name: the spec has it, the override has dropped it; keep the field"
            " in thing.py",
        ),
        (
            "    '''Doc.'''\n    name: int",
            f"model Thing, field name: differs from the spec in type; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    name: str = 'x'",
            f"model Thing, field name: differs from the spec in default; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    size: int",
            f"model Thing, field size: differs from the spec in default; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    size: int = 2",
            f"model Thing, field size: differs from the spec in default; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    name: Annotated[str, Field(alias='title')]",
            f"model Thing, field name: differs from the spec in name on the wire; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    item_count: Annotated[int | None, Field(ge=0)] = None",
            f"model Thing, field item_count: differs from the spec in name on the wire; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    item_count: Annotated[int | None, Field(alias='itemCount')] = "
            "None",
            f"model Thing, field item_count: differs from the spec in constraints; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    name: Annotated[int | None, Field(alias='n', ge=1)] = None",
            "model Thing, field name: differs from the spec in type, name on the wire, default,"
            f" constraints; {RETYPE}",
        ),
        (
            "    '''Doc.'''\n    __retyped__: ClassVar[Mapping[str, str]] = {'size': 'why'}\n"
            "    extra: int = 1",
            "model Thing, field size: is as the spec has it; take it out of __retyped__",
        ),
        (
            "    '''Doc.'''\n    __retyped__: ClassVar[Mapping[str, str]] = {'nope': 'why'}\n"
            "    extra: int = 1",
            "model Thing, field nope: is no field of the spec; take it out of __retyped__",
        ),
        (
            "    '''Doc.'''\n    __retyped__: ClassVar[Mapping[str, str]] = {'name': ' '}\n"
            "    name: int",
            "model Thing, field name: __retyped__ has no reason; write it in thing.py",
        ),
        (
            "    '''Doc.'''\n    total: Annotated[int, Field(alias='itemCount')] = 1",
            "model Thing, field total: has the name 'itemCount' on the wire, as item_count has;"
            " take one of them out of thing.py",
        ),
        (
            "    '''Doc.'''\n    extra: Missing = None",
            "model Thing: cannot be built: PydanticUndefinedAnnotation: name 'Missing' is not"
            " defined",
        ),
    ],
)
def test_overrides_that_lose_touch(said: Callable[..., list[str]], body: str, line: str) -> None:
    (found,) = said(body)
    assert found.startswith(line)


def test_a_class_that_is_no_subclass(package: Package, capsys: pytest.CaptureFixture[str]) -> None:
    module = "from pydantic import BaseModel\nclass Thing(BaseModel):\n    '''Doc.'''\n"
    assert package.check({"thing.py": module}) == 1
    assert capsys.readouterr().out == (
        "model Thing: does not subclass GeneratedThing, so it follows the spec no more; make it a"
        f" subclass in {package.path}\n"
    )


def test_an_override_whose_model_is_gone(
    package: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = HEAD.replace("Thing", "Gone") + "    '''Doc.'''\n"
    assert package.check({"gone.py": gone}) == 1
    path = package.path.replace("thing.py", "gone.py")
    assert capsys.readouterr().out == (
        f"model Gone: the spec no longer has it, and {path} still builds on it; remove that file"
        f" and run {COMMAND}\n"
    )


def test_a_hand_written_module_that_uses_a_model_that_is_gone(
    package: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    thing = HEAD.replace("GeneratedThing\n", "GeneratedThing, Gone, Part\n") + "    x: Gone"
    assert package.check({"thing.py": thing}) == 1
    assert capsys.readouterr().out == (
        f"model Gone: the spec no longer has it, and {package.path} still uses it; correct that"
        f" file and run {COMMAND}\n"
    )


def test_an_override_in_a_module_of_another_name(
    package: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    module = HEAD.replace("class Thing(", "class BigThing(").replace('"Thing"', '"BigThing"')
    assert package.check({"big_thing.py": module + "    '''Doc.'''\n"}) == 1
    path = package.path.replace("thing.py", "big_thing.py")
    assert capsys.readouterr().out == (
        f"model Thing: {path} builds on GeneratedThing, which is made for thing.py alone; rename"
        f" the file and run {COMMAND}\n"
    )


def test_a_module_that_cannot_be_imported(
    package: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.check({"thing.py": HEAD + "    '''Doc.'''\n    size = 1\n"}) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"x/src/{package.name}/models: cannot be imported: PydanticUserError: ")


def test_a_package_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--package=no_package", "--source=x", f"--command={COMMAND}"]
    assert overrides_check.main(arguments) == 1
    assert capsys.readouterr().out == f"x/models: no package is there; run {COMMAND}\n"


def test_a_schema_whose_name_begins_as_generated_ones_do(package: Package) -> None:
    spec = json.loads(json.dumps(SPEC))
    spec["components"]["schemas"]["GeneratedPart"] = spec["components"]["schemas"]["Part"]
    assert package.check({}, spec) == 0
