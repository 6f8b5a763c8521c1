"""Compiles the schemas of a spec into one module of pydantic models.

datamodel-code-generator does the work. Before it, the document is brought into the form that it
compiles best; after it, its module is put together anew, so that hand-written models take the place
of the generated ones.
"""

import ast
import json
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType, NamingStrategy
from datamodel_code_generator.format import Formatter, PythonVersion

from tools.codegen.document import JSON, Document, pointer
from tools.codegen.errors import SpecError
from tools.codegen.names import Taken, field_name, module_name, pascal_case, snake_case
from tools.codegen.operations import Operations, reachable

_PROBE = "CompilerProbe"
_GENERATED = "Generated"

# They say nothing that a type, a constraint or a docstring could keep, and cost import time.
_DROPPED = ("examples", "example", "externalDocs", "xml")
_VALUES = ("default", "enum", "const", "mapping")
_SCALARS = ("string", "integer", "number", "boolean")


@dataclass(frozen=True)
class Model:
    """One public name of the models module.

    Attributes:
        name: The Python name.
        schema: The name in the spec.
        module: The module that re-exports it, or that holds its hand-written replacement.
        is_class: Whether it is a class; otherwise it is an alias of a type.
        overridden: Whether a hand-written model takes its place.
    """

    name: str
    schema: str
    module: str
    is_class: bool
    overridden: bool


@dataclass(frozen=True)
class Models:
    """The compiled models.

    Attributes:
        source: Text of the module that holds them, without a header.
        models: Its public names, sorted.
        types: Python type of each property of the probe.
        imports: Module of each name that these types use and the models do not define.
    """

    source: str
    models: list[Model]
    types: dict[str, str]
    imports: dict[str, str]


def compile_models(
    document: Document, operations: Operations, *, package: str, support: str, overrides: set[str]
) -> Models:
    """Compiles all schemas of a document.

    Args:
        document: The spec.
        operations: What `read_operations` found in it.
        package: Import name of the package that is made.
        support: Import name of the package with the base classes and `types`.
        overrides: Names of the modules under `models/` that are hand-written.

    Raises:
        SpecError: The schemas cannot be compiled.
    """
    schemas = {**document.schemas, **operations.lifted}
    names = _public_names(schemas)
    inlined = {name for name, schema in schemas.items() if _is_newtype(schema)}
    prepared = _Preparation(schemas, inlined, support)
    compiled = {
        name: prepared.schema(name, schemas[name]) for name in schemas if name not in inlined
    }
    if operations.probe:
        properties = {key: prepared.inline(value) for key, value in operations.probe.items()}
        compiled[_PROBE] = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }
    bases = _bases(document, schemas, operations, names, support)
    text, metadata = _generate(document, compiled, prepared.aliases, bases, support)
    module = _Module(text, {names[name] for name in compiled if name != _PROBE} | {_PROBE})
    found = {entry["source_path"][-1]: entry for entry in metadata if entry["source_path"]}
    models = []
    for name in compiled:
        if name == _PROBE:
            continue
        made = found.get(name, {}).get("class_name")
        if made != names[name]:
            raise SpecError(
                pointer("components", "schemas", name),
                f"would be called {made!r} rather than {names[name]!r}; rename the schema",
            )
        module_of = snake_case(names[name])
        models.append(
            Model(names[name], name, module_of, made in module.classes, module_of in overrides)
        )
    models.sort(key=lambda model: model.name)
    types: dict[str, str] = {}
    if operations.probe:
        types = {entry["original_name"]: entry["type"] for entry in found[_PROBE]["fields"]}
    return Models(module.text(package, models), models, types, module.imports)


def _public_names(schemas: Mapping[str, Any]) -> dict[str, str]:
    """Gives the Python name of each schema."""
    names: dict[str, str] = {}
    classes, modules = Taken("schema"), Taken("schema")
    for name in schemas:
        here = pointer("components", "schemas", name)
        python_name = pascal_case(name)
        module = module_name(here, "schema", name)
        if python_name in (_PROBE, "True", "False", "None") or python_name.startswith(_GENERATED):
            raise SpecError(
                here, f"schema {name!r} gives the reserved name {python_name!r}; rename it"
            )
        classes.take(python_name, name, here)
        modules.take(module, name, here)
        names[name] = python_name
    return names


def _is_newtype(schema: Any) -> bool:
    """Whether a schema is but another name for a scalar, for any value, or for a bare map."""
    if not isinstance(schema, dict):
        return True
    if {"enum", "const", "oneOf", "anyOf", "allOf", "$ref", "items", "prefixItems"} & schema.keys():
        return False
    kind = schema.get("type")
    if kind == "object":
        return "properties" not in schema and schema.get("additionalProperties", True) is True
    return kind in _SCALARS if kind is not None else "properties" not in schema


class _Preparation:
    """Brings schemas into the form that datamodel-code-generator compiles best."""

    def __init__(self, schemas: Mapping[str, Any], inlined: set[str], support: str) -> None:
        self.aliases: dict[str, str] = {}
        self._newtypes = {pointer("components", "schemas", n): schemas[n] for n in inlined}
        self._timestamp = f"{support}.types.Timestamp"

    def schema(self, name: str, schema: Any) -> Any:
        """Gives the component schema `name` prepared, and records aliases that its properties need."""
        properties = schema.get("properties")
        if isinstance(properties, dict):
            here = (pointer("components", "schemas", name), "properties")
            taken = Taken("property")
            for key in properties:
                taken.take(field_name(key), key, "/".join((*here, pointer(key)[2:])))
                # The generator writes `$type` as `field_type`; nobody would guess that.
                if key and not key[0].isalnum() and key[0] != "_":
                    self.aliases[f"{pascal_case(name)}.{key}"] = field_name(key)
        return self.inline(schema)

    def inline(self, schema: Any) -> Any:
        """Gives any schema prepared."""
        if isinstance(schema, list):
            return [self.inline(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        schema = {key: value for key, value in schema.items() if key not in _DROPPED}
        whole = schema.get("allOf")
        if isinstance(whole, list) and len(whole) == 1 and isinstance(whole[0], dict):
            only = whole[0]
            if only.keys() == {"$ref"}:
                # In 3.0 a reference takes no siblings, so it is wrapped; the wrapper hides the model.
                schema = {**{k: v for k, v in schema.items() if k != "allOf"}, **only}
        reference = schema.get("$ref")
        if reference in self._newtypes:
            newtype = self._newtypes[reference]
            siblings = {key: value for key, value in schema.items() if key != "$ref"}
            return (
                self.inline({**newtype, **siblings}) if isinstance(newtype, dict) else {**siblings}
            )
        if schema.get("format") == "date-time" and "enum" not in schema:
            return self._timestamp_schema(schema)
        result: JSON = {}
        for key, value in schema.items():
            if key in _VALUES:
                result[key] = value
            elif key in ("properties", "patternProperties", "$defs", "definitions"):
                result[key] = {name: self._property(part) for name, part in value.items()}
            else:
                result[key] = self.inline(value)
        return result

    def _property(self, schema: Any) -> Any:
        return {} if schema is True else self.inline(schema)

    def _timestamp_schema(self, schema: JSON) -> JSON:
        kind = schema.get("type")
        nullable = schema.get("nullable") is True or (isinstance(kind, list) and "null" in kind)
        timestamp = {"customTypePath": self._timestamp}
        rest: JSON = {k: schema[k] for k in ("description", "default", "title") if k in schema}
        return (
            {**rest, "anyOf": [timestamp, {"type": "null"}]} if nullable else {**rest, **timestamp}
        )


def _bases(
    document: Document,
    schemas: Mapping[str, Any],
    operations: Operations,
    names: Mapping[str, str],
    support: str,
) -> dict[str, str | list[str]]:
    """Chooses base classes: requests refuse unknown fields, answers ignore them, others keep them."""
    sent = reachable(document, schemas, operations.sent)
    received = reachable(document, schemas, operations.received)
    bases: dict[str, str | list[str]] = {}
    for name, schema in schemas.items():
        if name in sent and name not in received:
            base = "RequestModel"
        elif name in received and name not in sent:
            base = "AnswerModel"
        else:
            base = "Model"
        mixins = ["SendsConstants"] if _has_constant(schema) else []
        bases[names[name]] = [f"{support}._base.{cls}" for cls in (*mixins, base)]
    return bases


def _has_constant(schema: Any) -> bool:
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return any(isinstance(part, dict) and "const" in part for part in properties.values())


def _generate(
    document: Document,
    schemas: JSON,
    aliases: dict[str, str],
    bases: dict[str, str | list[str]],
    support: str,
) -> tuple[str, list[Any]]:
    components = {**document.root.get("components", {}), "schemas": schemas}
    root = {**document.root, "components": components}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata = Path(folder, "metadata.json")
        try:
            text = generate(
                json.dumps(root),
                input_filename="openapi.json",
                input_file_type=InputFileType.OpenAPI,
                output_model_type=DataModelType.PydanticV2BaseModel,
                target_python_version=PythonVersion.PY_311,
                formatters=[Formatter.BUILTIN],
                disable_timestamp=True,
                emit_model_metadata=metadata,
                base_class=f"{support}._base.Model",
                base_class_map=bases,
                import_overrides={"StrEnum": f"{support}._base", "IntEnum": f"{support}._base"},
                aliases=aliases,
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
        return str(text), json.loads(metadata.read_text(encoding="utf-8"))["models"]


class _Module:
    """The generator's module, taken apart."""

    def __init__(self, text: str, expected: set[str]) -> None:
        self._lines = text.splitlines(keepends=True)
        self.imports: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self._import_lines: list[str] = []
        alias = ""
        for node in ast.parse(text).body:
            segment = "".join(self._lines[_first_line(node) - 1 : node.end_lineno])
            match node:
                case ast.ImportFrom():
                    self._import_lines.append(segment)
                    for found in node.names:
                        self.imports[found.asname or found.name] = str(node.module)
                case ast.ClassDef():
                    self.classes[node.name] = self._with_wrapped_defaults(node, segment)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[_, type_])):
                    alias = name
                    # As text, since its members may be hand-written models that are imported later.
                    self.aliases[alias] = (
                        f"{name} = TypeAliasType({name!r}, {ast.unparse(type_)!r})\n"
                    )
                case ast.Expr(value=ast.Constant(value=str())) if alias:
                    self.aliases[alias] += segment
        made = self.classes.keys() | self.aliases.keys()
        for name in sorted(made - expected):
            plain = re.sub(r"_?\d+$", "", name)
            if plain in made and plain != name:
                raise SpecError(
                    pointer("components", "schemas", plain),
                    f"an inline schema would be called {name!r}; give it a name under components",
                )

    def _with_wrapped_defaults(self, node: ast.ClassDef, segment: str) -> str:
        """Wraps defaults that are dicts or lists in Field, for a type checker takes them as they stand."""
        lines = segment.splitlines(keepends=True)
        first = _first_line(node)
        for statement in reversed(node.body):
            if isinstance(statement, ast.AnnAssign) and isinstance(
                statement.value, ast.Dict | ast.List
            ):
                value = statement.value
                start, end = value.lineno - first, (value.end_lineno or 0) - first
                last = lines[end]
                cut = len(last.encode()[: value.end_col_offset].decode())
                lines[end] = f"{last[:cut]}, validate_default=True){last[cut:]}"
                cut = len(lines[start].encode()[: value.col_offset].decode())
                lines[start] = f"{lines[start][:cut]}Field({lines[start][cut:]}"
        return "".join(lines)

    def text(self, package: str, models: list[Model]) -> str:
        """Gives the module with the hand-written models in the place of the generated ones.

        An overridden class keeps its body under the name `Generated...`, for the override to subclass.
        Overrides are imported once all that they build on is there.
        """
        overridden = {model.name: model for model in models if model.overridden}
        parts = [*self._import_lines]
        for name, segment in self.classes.items():
            if name == _PROBE:
                continue
            if name in overridden:
                segment = segment.replace(f"class {name}(", f"class {_GENERATED}{name}(", 1)
            parts.append("\n\n" + _with_generated_bases(segment, overridden))
        for name, segment in self.aliases.items():
            if name in overridden:
                segment = segment.replace(f"{name} =", f"{_GENERATED}{name} =", 1)
            parts.append("\n" + segment)
        for name, model in sorted(overridden.items()):
            parts.append(
                f"from {package}.models.{model.module} import {name} as {name}  # noqa: E402\n"
            )
        return "".join(parts)


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, ast.ClassDef) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _with_generated_bases(segment: str, overridden: Mapping[str, Model]) -> str:
    head, colon, body = segment.partition(":\n")
    opening, parenthesis, bases = head.partition("(")
    renamed = re.sub(r"\w+", lambda m: _GENERATED + m[0] if m[0] in overridden else m[0], bases)
    return opening + parenthesis + renamed + colon + body
