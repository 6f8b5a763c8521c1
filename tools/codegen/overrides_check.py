"""Fails when a hand-written model has lost touch with the generated one whose place it takes."""

import argparse
import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from tools.codegen.fields import names_of
from tools.codegen.groups import GENERATED
from tools.codegen.names import snake_case

# What makes up a field, by what a message calls it.
_ASPECTS = {
    "type": ("annotation",),
    "name on the wire": ("alias", "validation_alias", "serialization_alias"),
    "default": ("default", "default_factory"),
    "constraints": ("metadata", "discriminator", "validate_default", "exclude", "frozen", "init"),
}


@dataclass(frozen=True)
class _Check:
    """The check of one package; the attributes are for its messages."""

    package: str
    source: str
    command: str

    def problems(self) -> Iterator[str]:
        """Yield a line for each thing that is wrong, the model and the field first."""
        has_package = importlib.util.find_spec(self.package) is not None
        spec = importlib.util.find_spec(f"{self.package}.models") if has_package else None
        if spec is None or not spec.submodule_search_locations:
            yield f"{self.source}/models: no package is there; run {self.command}"
            return
        folder = Path(spec.submodule_search_locations[0])
        found = list(self._orphans(folder))
        yield from found
        if found:
            return
        try:
            models = importlib.import_module(f"{self.package}.models")
            public = {name: getattr(models, name) for name in models.__all__}
        except Exception as error:
            yield f"{self.source}/models: cannot be imported: {_one_line(error)}"
            return
        for file in sorted(folder.glob("_generated/*.py")):
            module = importlib.import_module(f"{self.package}.models._generated.{file.stem}")
            for name in sorted(_defined(file) - public.keys()):
                model = name.removeprefix(GENERATED)
                yield from self._override(model, public[model], vars(module)[name])

    def _orphans(self, folder: Path) -> Iterator[str]:
        files = [*folder.glob("*.py"), *folder.glob("_generated/*.py")]
        defined = {file: _defined(file) for file in files}
        for file in sorted(folder.glob("*.py")):
            path = f"{self.source}/models/{file.name}"
            made = {name for other, names in defined.items() if other != file for name in names}
            for imported in sorted(_imported(file, f"{self.package}.models.") - made):
                model = imported.removeprefix(GENERATED)
                if model == imported:
                    yield (
                        f"model {model}: the spec no longer has it, and {path} still uses it;"
                        f" correct that file and run {self.command}"
                    )
                elif model in made:
                    yield (
                        f"model {model}: {path} builds on {imported}, which is made for"
                        f" {snake_case(model)}.py alone; rename the file and run {self.command}"
                    )
                else:
                    yield (
                        f"model {model}: the spec no longer has it, and {path} still builds on it;"
                        f" remove that file and run {self.command}"
                    )

    def _override(self, name: str, override: Any, base: type[BaseModel]) -> Iterator[str]:
        path = f"{self.source}/models/{snake_case(name)}.py"
        if not isinstance(override, type) or not issubclass(override, base):
            yield (
                f"model {name}: does not subclass {GENERATED}{name}, so it follows the spec no"
                f" more; make it a subclass in {path}"
            )
            return
        if not (vars(override).get("__doc__") or "").strip():
            yield f"model {name}: has no docstring; say in {path} why it is there"
        try:
            override.model_rebuild()
            base.model_rebuild()
        except Exception as error:
            yield f"model {name}: cannot be built: {_one_line(error)}; correct {path}"
            return
        changed = dict(_changed_fields(override, base))
        yield from _field_problems(name, path, override, base, changed)
        if not changed and not _differs(override, base):
            yield (
                f"model {name}: no longer differs from what the spec compiles to; remove {path} and"
                f" run {self.command}"
            )


def _changed_fields(
    override: type[BaseModel], base: type[BaseModel]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each generated field that the override has in another way, with what is different."""
    for name, field in base.model_fields.items():
        own = override.model_fields.get(name)
        if own is not None:
            aspects = [aspect for aspect in _ASPECTS if _part(own, aspect) != _part(field, aspect)]
            if aspects:
                yield name, aspects


def _part(field: FieldInfo, aspect: str) -> list[Any]:
    return [getattr(field, attribute) for attribute in _ASPECTS[aspect]]


def _field_problems(
    model: str,
    path: str,
    override: type[BaseModel],
    base: type[BaseModel],
    changed: Mapping[str, list[str]],
) -> Iterator[str]:
    said = vars(override).get("__retyped__", {})
    for name in base.model_fields:
        if _is_dropped(name, override, base):
            yield (
                f"model {model}, field {name}: the spec has it, the override has dropped it; keep"
                f" the field in {path}"
            )
        elif name in changed and name not in said:
            yield (
                f"model {model}, field {name}: differs from the spec in {', '.join(changed[name])};"
                f" take the field out of {path}, or state the reason in __retyped__ there"
            )
    for name, reason in said.items():
        if name not in changed:
            what = (
                "is as the spec has it" if name in base.model_fields else "is no field of the spec"
            )
            yield f"model {model}, field {name}: {what}; take it out of __retyped__ in {path}"
        elif not isinstance(reason, str) or not reason.strip():
            yield f"model {model}, field {name}: __retyped__ has no reason; write it in {path}"
    on_the_wire: dict[str, str] = {}
    for name, field in override.model_fields.items():
        other = on_the_wire.setdefault(field.alias or name, name)
        if other != name:
            yield (
                f"model {model}, field {name}: has the name {field.alias or name!r} on the wire, as"
                f" {other} has; take one of them out of {path}"
            )


def _own_classes(override: type[BaseModel], base: type[BaseModel]) -> list[type]:
    return [cls for cls in override.__mro__ if cls not in base.__mro__]


def _is_dropped(name: str, override: type[BaseModel], base: type[BaseModel]) -> bool:
    """Whether a field is gone, or something else has its name."""
    field = override.model_fields.get(name)
    # pydantic takes a property for the field's default.
    return (
        field is None
        or hasattr(field.default, "__get__")
        or any(name in vars(cls) for cls in _own_classes(override, base))
    )


def _differs(override: type[BaseModel], base: type[BaseModel]) -> bool:
    """Whether an override has anything that the generated class has not."""
    plain = create_model("Plain", __base__=base)
    ignored = {*vars(plain), "__annotations__", "__doc__", "__retyped__", "__signature__"}
    return (
        override.model_fields.keys() != base.model_fields.keys()
        or override.model_config != base.model_config
        or any(
            name not in ignored and not name.startswith("__pydantic_")
            for cls in _own_classes(override, base)
            for name in vars(cls)
        )
    )


def _defined(file: Path) -> set[str]:
    """Return the names of the classes and aliases that a module defines."""
    return {name for name in names_of(_body(file)) if name[0].isupper()}


def _imported(file: Path, models: str) -> set[str]:
    """Return the names that a module imports from the models."""
    return {
        name.name
        for node in _body(file)
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(models)
        for name in node.names
        if name.name[0].isupper()
    }


def _body(file: Path) -> list[ast.stmt]:
    try:
        return ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError):
        # Its import says where.
        return []


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def main(argv: list[str]) -> int:
    """Check all overrides of a package that can be imported."""
    parser = argparse.ArgumentParser(prog="overrides_check", description=__doc__)
    parser.add_argument("--package", required=True, help="the package's import name")
    parser.add_argument("--source", required=True, help="the package's folder in the workspace")
    parser.add_argument("--command", required=True, help="what makes the generated models anew")
    arguments = parser.parse_args(argv)
    found = list(_Check(arguments.package, arguments.source, arguments.command).problems())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
