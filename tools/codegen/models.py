"""Compiles the schemas of a spec into modules of pydantic models."""

import functools
from collections.abc import Mapping, Set
from dataclasses import dataclass

from tools.codegen.document import Document
from tools.codegen.errors import SpecError
from tools.codegen.groups import GENERATED, Groups
from tools.codegen.library import generated
from tools.codegen.modules import Modules
from tools.codegen.names import module_of
from tools.codegen.operations import Operations
from tools.codegen.schemas import Schemas, prepare_schemas


@dataclass(frozen=True)
class Model:
    """One public name of the package of models.

    Attributes:
        name: The Python name.
        module: Its public module, below `models`.
        home: The module that defines it, which differs where models refer to each other.
    """

    name: str
    module: str
    home: str


@dataclass(frozen=True)
class Source:
    """One generated module of models.

    Attributes:
        module: Its name, below `models`.
        names: The classes and aliases in it.
        text: Its text, without its first lines.
        is_first: Whether it has to be imported before any model, since it imports hand-written
            ones that build on it.
    """

    module: str
    names: tuple[str, ...]
    text: str
    is_first: bool


@dataclass(frozen=True)
class Models:
    """The compiled models.

    Attributes:
        sources: The modules that hold them.
        models: Their public names, sorted.
        stubs: Modules that re-export a model: for each the module that defines it, and its name.
        types: Python types that endpoints need, by the operations' keys.
        objects: Names of those whose documents are, or may be, objects.
        imports: Module and name there of each name in these types that is not a model.
    """

    sources: list[Source]
    models: list[Model]
    stubs: dict[str, tuple[str, str]]
    types: dict[str, str]
    objects: set[str]
    imports: dict[str, tuple[str, str]]

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """The names of the models."""
        return frozenset(model.name for model in self.models)


def compile_models(
    document: Document,
    operations: Operations,
    *,
    package: str,
    support: str,
    overrides: Mapping[str, str],
    strict_requests: bool,
) -> Models:
    """Compile all schemas of a document.

    Args:
        document: The spec.
        operations: What `read_operations` found in it.
        package: Import name of the package that is made.
        support: Import name of the package with the base classes and `types`.
        overrides: Path of each hand-written module under `models/` by its name.
        strict_requests: Whether all requests refuse unknown fields.

    Raises:
        SpecError: The schemas cannot be compiled.
    """
    schemas = prepare_schemas(document, operations)
    modules = Modules(schemas.made)
    homes = {name: module_of(name) for name in schemas.made}
    replaced = {name: path for name, path in homes.items() if path in overrides}
    for name, path in replaced.items():
        if not modules.is_model(name):
            raise SpecError(
                overrides[path],
                f"takes the place of {name}, which is no class with fields; only such can be"
                " overridden, so rename the module",
            )
        if GENERATED + name in homes:
            raise SpecError(
                overrides[path], f"needs the name {GENERATED}{name}, which a schema has; rename it"
            )
    # Programs write what a JSON Schema describes: an unknown field is a mistake.
    strict = strict_requests or document.is_json_schema
    kinds = {name: _kind(name, schemas, strict) for name in homes}
    groups = Groups(modules.uses, homes, replaced.keys())
    written = generated(schemas.made, schemas.types, modules.heads(groups, kinds), support)
    return Models(
        [
            Source(
                group.module,
                tuple(groups.generated(name)[1] for name in group.names),
                modules.text(group, groups, written, package=package, support=support),
                group.is_cyclic and not replaced.keys().isdisjoint(group.names),
            )
            for group in groups
        ],
        [Model(name, homes[name], groups.home(name)) for name in sorted(homes)],
        _stubs(groups, homes, replaced.keys()),
        written.types,
        modules.objects(),
        written.imports,
    )


def _stubs(
    groups: Groups, modules: Mapping[str, str], overrides: Set[str]
) -> dict[str, tuple[str, str]]:
    """Return each model that shares a module the one that it would have alone, as well."""
    homes = {
        f"_generated.{module}" if name in overrides else module: groups.generated(name)
        for name, module in modules.items()
    }
    return {module: home for module, home in homes.items() if home[0] != module}


def _kind(name: str, schemas: Schemas, strict: bool) -> str:
    """Choose a base: strict ones refuse unknown fields, answers ignore them, others keep them."""
    if name in schemas.received:
        return "Model" if name in schemas.sent else "AnswerModel"
    parts = [schemas.made[name], *schemas.made[name].get("allOf", ())]
    is_closed = name in schemas.sent and (strict or any("closed" in part for part in parts))
    return "RequestModel" if is_closed else "Model"
