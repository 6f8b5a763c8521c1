"""Each model has a module of its own, and models that refer to each other share one."""

import importlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepflow_api import base
from tools.codegen.compile import compile_package

NUMBERS = itertools.count()
PART = {"type": "object", "properties": {"name": {"type": "string"}}}

Made = Callable[..., str]


def part_of(*others: str) -> dict[str, Any]:
    fields = {other.lower(): {"$ref": f"#/components/schemas/{other}"} for other in others}
    return {"type": "object", "properties": fields}


# Root and Branch refer to each other, and Tree to itself; the rest are no circle.
SCHEMAS = {
    "Branch": part_of("Leaf", "Root"),
    "Leaf": PART,
    "Root": part_of("Branch"),
    "Seed": part_of("Tree"),
    "Stone": PART,
    "Tree": part_of("Tree", "Leaf"),
    "Choice": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Leaf", "Root")]},
}
BY_HAND = [(), ("Root",), ("Branch",), ("Tree", "Leaf"), tuple(SCHEMAS)[:-1]]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Make a package of schemas, some of them written by hand; return its name."""
    packages: list[str] = []

    def make(*by_hand: str, schemas: dict[str, Any] = SCHEMAS) -> str:
        package = f"wood{next(NUMBERS)}"
        packages.append(package)
        folder = tmp_path / package / "models"
        folder.mkdir(parents=True)
        spec = tmp_path / "openapi.json"
        spec.write_text(
            json.dumps({"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas}})
        )
        for name in by_hand:
            (folder / f"{name.lower()}.py").write_text(
                f"from {package}.models._generated.{name.lower()} import Generated{name}\n"
                f"class {name}(Generated{name}):\n    def by_hand(self) -> bool:\n"
                "        return True\n"
            )
        files = compile_package(
            spec,
            package=package,
            support="stepflow_api",
            command="update",
            hand_written={f"models/{file.name}": file for file in sorted(folder.glob("*.py"))},
            ruff=Path(os.environ["RUFF"]),
        )
        for path, text in files.items():
            file = tmp_path / package / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return package

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for package in packages:
        forget(package)


def forget(package: str) -> set[str]:
    """Make Python import a package anew, and return the modules of models that it had."""
    prefix = f"{package}.models."
    names = [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]
    for name in names:
        del sys.modules[name]
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def subclasses(model: type[base.Model]) -> Iterator[type[base.Model]]:
    for subclass in model.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("Stone", {"stone"}),
        ("Seed", {"seed", "tree", "leaf"}),
        ("Branch", {"_generated", "_generated.branch", "leaf"}),
        ("Choice", {"choice", "leaf", "_generated", "_generated.branch"}),
    ],
)
def test_a_model_imports_what_it_refers_to_alone(made: Made, name: str, modules: set[str]) -> None:
    package = made()
    assert hasattr(importlib.import_module(f"{package}.models"), name)
    assert forget(package) == modules


@pytest.mark.parametrize("by_hand", BY_HAND)
def test_each_module_can_be_the_first(made: Made, by_hand: tuple[str, ...]) -> None:
    package = made(*by_hand)
    for first in (name.lower() for name in SCHEMAS):
        module = importlib.import_module(f"{package}.models.{first}")
        models: Any = importlib.import_module(f"{package}.models")
        assert getattr(module, first.title()) is getattr(models, first.title())
        document = {"branch": {"leaf": {"name": "it"}, "root": {"branch": {}}}}
        root = models.Root.from_dict(document)
        assert type(root) is type(root.branch.root) is models.Root
        assert type(root.branch.leaf) is models.Leaf
        assert type(models.Seed.from_dict({"tree": {"tree": {}}}).tree.tree) is models.Tree
        for name in by_hand:
            assert getattr(models, name)().by_hand()
        assert root.to_dict() == document
        forget(package)


@pytest.mark.parametrize("by_hand", BY_HAND)
def test_circles_are_complete_where_models_are_not_built_on_first_use(
    made: Made, monkeypatch: pytest.MonkeyPatch, by_hand: tuple[str, ...]
) -> None:
    monkeypatch.setattr(base, "_CAN_DEFER", False)
    monkeypatch.setitem(base.Model.model_config, "defer_build", False)
    package = made(*by_hand)
    for first in (name.lower() for name in SCHEMAS):
        importlib.import_module(f"{package}.models.{first}")
        models = [model for model in subclasses(base.Model) if model.__module__.startswith(package)]
        assert models
        assert [model for model in models if not model.__pydantic_complete__] == []
        forget(package)


def test_names_are_listed_before_they_are_imported(made: Made) -> None:
    package = made("Root")
    models = importlib.import_module(f"{package}.models")
    assert models.__all__ == sorted(SCHEMAS)
    assert {*SCHEMAS} <= {*dir(models)}
    with pytest.raises(AttributeError, match=f"module '{package}.models' has no attribute 'Bush'"):
        models.Bush  # noqa: B018


def test_a_model_with_a_constant_may_build_on_two_others(made: Made) -> None:
    def model(field: str, value: dict[str, Any], *bases: str) -> dict[str, Any]:
        part = {"type": "object", "properties": {field: value}, "required": [field]}
        refs = [{"$ref": f"#/components/schemas/{base}"} for base in bases]
        return {"allOf": [*refs, part]} if refs else part

    schemas = {
        "Plant": model("kind", {"const": "plant"}),
        "Bush": model("height", {"type": "integer"}, "Plant"),
        "Rose": model("bloom", {"const": "red"}, "Bush"),
    }
    models: Any = importlib.import_module(f"{made(schemas=schemas)}.models")
    assert models.Rose.__base__ is models.Bush
    assert models.Rose(height=1).to_dict() == {"kind": "plant", "height": 1, "bloom": "red"}
