"""Compiles the schemas of a spec into modules of pydantic models.

datamodel-code-generator does the work. Before it, the schemas are brought into the form that it
compiles best; after it, its module is put together anew.
"""

import json
import tempfile
import warnings
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType, NamingStrategy
from datamodel_code_generator.format import PythonVersion

from tools.codegen.document import Document, pointer
from tools.codegen.errors import SpecError
from tools.codegen.expressions import names_in, parse_type
from tools.codegen.groups import GENERATED, Groups
from tools.codegen.module import Module
from tools.codegen.names import snake_case
from tools.codegen.operations import Operations
from tools.codegen.schemas import PROBE, Schemas, prepare_schemas


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
        imports: For each name in these types that is no model its module, and its name there.
    """

    sources: list[Source]
    models: list[Model]
    stubs: dict[str, tuple[str, str]]
    types: dict[str, str]
    imports: dict[str, tuple[str, str]]


def compile_models(
    document: Document,
    operations: Operations,
    *,
    package: str,
    support: str,
    overrides: Mapping[str, str],
) -> Models:
    """Compiles all schemas of a document.

    Args:
        document: The spec.
        operations: What `read_operations` found in it.
        package: Import name of the package that is made.
        support: Import name of the package with the base classes and `types`.
        overrides: Path of each hand-written module under `models/` by its name.

    Raises:
        SpecError: The schemas cannot be compiled.
    """
    schemas = prepare_schemas(document, operations, support)
    text, metadata = _generate(schemas, support)
    module = Module(text)
    names = _class_names(schemas, module, metadata)
    modules = {name: snake_case(name) for name in names.values()}
    replaced = {name: path for name, path in modules.items() if path in overrides}
    for name, path in replaced.items():
        if not module.is_model(name):
            raise SpecError(
                overrides[path],
                f"takes the place of {name}, which is no class with fields; only such can be"
                " overridden, so give the module another name",
            )
        if GENERATED + name in names.values():
            raise SpecError(
                overrides[path], f"needs the name {GENERATED}{name}, which a schema has; rename it"
            )
    kinds = {made: _kind(name, schemas) for name, made in names.items()}
    types = {}
    if operations.uses:
        probe = next(entry for entry in metadata if entry["class_name"] == PROBE)
        types = {field["original_name"]: field["type"] for field in probe["fields"]}
    for key, use in operations.uses.items():
        found = names_in(parse_type(types[key]))
        if use.is_parameter and ("dict" in found or any(map(module.is_model, found))):
            place = use.schema.place if use.schema else ""
            raise SpecError(place, "an object as a parameter is not supported")
    groups = Groups(
        {name: module.uses[name] & kinds.keys() for name in module.uses if name in kinds},
        modules,
        replaced.keys(),
    )
    return Models(
        [
            Source(
                group.module,
                tuple(groups.generated(name)[1] for name in group.names),
                module.text(group, groups, package=package, support=support, kinds=kinds),
                group.is_cyclic and not replaced.keys().isdisjoint(group.names),
            )
            for group in groups
        ],
        [Model(name, modules[name], groups.home(name)) for name in sorted(modules)],
        _stubs(groups, modules, replaced.keys()),
        types,
        module.imports,
    )


def _stubs(
    groups: Groups, modules: Mapping[str, str], overrides: Set[str]
) -> dict[str, tuple[str, str]]:
    """Gives each model that shares a module the one that it would have alone, as well."""
    homes = {
        f"generated.{module}" if name in overrides else module: groups.generated(name)
        for name, module in modules.items()
    }
    return {module: home for module, home in homes.items() if home[0] != module}


def _class_names(schemas: Schemas, module: Module, metadata: list[Any]) -> dict[str, str]:
    """Gives the name that each schema got, which differs where it hides an import."""
    made = {
        entry["source_path"][-1]: entry["class_name"]
        for entry in metadata
        if len(entry["source_path"]) == 3
    }
    names: dict[str, str] = {}
    for name, node in schemas.nodes.items():
        found = made.get(name, name)
        if found not in (name, f"{name}Model") or found not in module.names():
            raise node.error(f"would be called {found!r} rather than {name!r}; rename the schema")
        names[name] = found
    others = module.names() - {*names.values(), PROBE}
    if others or len({*names.values()}) < len(names):
        raise SpecError(
            pointer("components", "schemas"),
            f"an inline schema would be called {min(others, default='')!r}; give it a name here",
        )
    return names


def _kind(name: str, schemas: Schemas) -> str:
    """Chooses a base: requests refuse unknown fields, answers ignore them, others keep them."""
    if (name in schemas.sent) is (name in schemas.received):
        return "Model"
    return "RequestModel" if name in schemas.sent else "AnswerModel"


def _generate(schemas: Schemas, support: str) -> tuple[str, list[Any]]:
    components = dict(schemas.made)
    if schemas.probe:
        components[PROBE] = {
            "type": "object",
            "properties": schemas.probe,
            "required": list(schemas.probe),
        }
    if not components:
        return "", []
    document = {
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "paths": {},
        "components": {"schemas": components},
    }
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata = Path(folder, "metadata.json")
        try:
            text = generate(
                json.dumps(document),
                input_filename="openapi.json",
                input_file_type=InputFileType.OpenAPI,
                output_model_type=DataModelType.PydanticV2BaseModel,
                target_python_version=PythonVersion.PY_311,
                # Any would follow a pyproject.toml in the working folder or above it.
                formatters=[],
                disable_timestamp=True,
                emit_model_metadata=metadata,
                base_class=f"{support}._base.Model",
                import_overrides={"StrEnum": f"{support}._base", "IntEnum": f"{support}._base"},
                aliases=schemas.attributes,
                strict_refs=True,
                allow_remote_refs=False,
                snake_case_field=True,
                use_annotated=True,
                field_constraints=True,
                use_type_alias=True,
                use_specialized_enum=True,
                capitalise_enum_members=True,
                set_default_enum_member=True,
                strict_nullable=True,
                use_one_literal_as_default=True,
                use_tuple_for_fixed_items=True,
                use_schema_description=True,
                use_field_description=True,
                use_double_quotes=True,
                naming_strategy=NamingStrategy.FullPath,
            )
        except Exception as error:
            problem = " ".join(str(error).split()) or type(error).__name__
            raise SpecError(
                pointer("components", "schemas"), f"cannot be compiled: {problem}"
            ) from error
        return str(text or ""), json.loads(metadata.read_text(encoding="utf-8"))["models"]
