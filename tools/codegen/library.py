"""Has datamodel-code-generator write the classes, enumerations and types of prepared schemas."""

import ast
import hashlib
import json
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import PythonVersion

from tools.codegen.directions import name_of
from tools.codegen.document import JSON, pointer
from tools.codegen.errors import SpecError, printable
from tools.codegen.expressions import names_in, parse_type, renamed
from tools.codegen.imports import used_names
from tools.codegen.names import attribute_names
from tools.codegen.normal import CONSTRAINTS
from tools.json_types import is_json_array, is_json_object

# What the templates write before and after each definition; no text of a spec has it.
_MARK = "\f"

# Names that the templates write beside the library's.
_IMPORTS = {
    "Annotated": ("typing", "Annotated"),
    **{name: ("pydantic", name) for name in ("ConfigDict", "Field")},
    "TypeAliasType": ("typing_extensions", "TypeAliasType"),
}

_OTHER = re.compile(r"\bType__\w+")
_PLACE = pointer("components", "schemas")

# What the library adds to an imported name everywhere if one class has an attribute of that name.
_HIDDEN = "_aliased"

# What only fields have: in a type, the library would name it.
_OF_FIELDS = frozenset({"default", "deprecated"}).union(*CONSTRAINTS.values())
_KEPT = _OF_FIELDS | {
    *("$ref", "type", "format", "const", "enum", "x-enum-varnames", "x-enum-descriptions"),
    *("nullable", "discriminator"),
}


@dataclass
class Generated:
    """What the library wrote.

    Attributes:
        texts: Definition of each class, enumeration and alias by its name.
        uses: Names in each of these definitions.
        types: Other types by their keys.
        imports: For each imported name its module, and its name there.
    """

    texts: dict[str, str] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


def generated(made: JSON, types: JSON, heads: Mapping[str, str], support: str) -> Generated:
    """Generate code for prepared schemas.

    Args:
        made: Schema of each class, enumeration and alias by its name.
        types: Schemas of other types by their keys.
        heads: For each class what follows `class`: the name to define it by, and its bases.
        support: Import name of the package with the base classes and `types`.

    Raises:
        SpecError: The library refuses a schema.
    """
    if not made and not types:
        return Generated()
    # Types that are written apart, by names that no schema has.
    others: JSON = {}
    schemas = {
        name: (_readable if name in heads else _alias)(schema, others)
        for name, schema in made.items()
    }
    aliases: dict[str, str] = {}
    found = Generated()
    for key, schema in types.items():
        readable = _alias(schema, others)
        if readable.keys() == {"$ref"}:
            found.types[key] = name_of(readable)
        else:
            aliases[key] = _name(readable, others)
    schemas |= others
    data: defaultdict[str, dict[str, str]] = defaultdict(dict)
    data |= {name: {"head": head} for name, head in heads.items()}
    for name, schema in made.items():
        if "otherwise" in schema:
            tag = schema["discriminator"]["propertyName"]
            names = dict.fromkeys([tag, attribute_names([tag])[tag]])
            arguments = [*map(repr, names), f"known={tuple(schema['known'])!r}"]
            arguments += ["is_sent=True"] if schema.get("is_sent") else []
            how = f"OpenUnion({', '.join(arguments)})"
            data[name] = {"otherwise": f"{name_of(schema['otherwise'])}, {how}"}
    parts = _generate(schemas, _attributes(made), data, support).split(_MARK)
    texts = {name: text for name, _, text in (part.partition("\n") for part in parts[1::2])}
    if texts.keys() != schemas.keys():
        raise SpecError(_PLACE, f"compiles to another class: {min(texts.keys() ^ schemas.keys())}")
    found.imports = _imported(parts[0])
    written: dict[str, str] = {}

    def whole(text: str) -> str:
        return _OTHER.sub(lambda name: whole(texts[name[0]].partition("\n")[0]), text)

    for name, text in [(name, whole(text)) for name, text in texts.items()]:
        if name not in heads and "enum" not in made.get(name, ()):
            type_, _, rest = text.partition("\n")
            node = parse_type(type_)
            written[name] = renamed(node, lambda used: used.removesuffix(_HIDDEN))
            found.uses[name] = {"TypeAliasType", *names_in(node)}
            # As text, since its members may be hand-written models, imported later.
            # On one line however long, since some type checkers read no other.
            text = f"{name} = TypeAliasType({name!r}, {written[name]!r})\n{rest}"
        else:
            found.uses[name] = used_names(text)
        found.texts[name] = text
    found.types |= {key: written[name] for key, name in aliases.items()}
    return found


def _generate(schemas: JSON, attributes: dict[str, str], data: Any, support: str) -> str:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "paths": {},
        "components": {"schemas": schemas},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = generate(
                json.dumps(document),
                input_filename="openapi.json",
                input_file_type=InputFileType.OpenAPI,
                output_model_type=DataModelType.PydanticV2BaseModel,
                target_python_version=PythonVersion.PY_311,
                # Any would follow a pyproject.toml in the working folder or above it.
                formatters=[],
                custom_template_dir=Path(__file__).parent / "templates" / "library",
                extra_template_data=data,
                aliases=attributes,
                base_class=f"{support}.base.Model",
                import_overrides=dict.fromkeys(("StrEnum", "IntEnum"), f"{support}.base")
                | {"Timestamp": f"{support}.types"},
                # Names are those of the schemas.
                custom_class_name_generator=str,
                strict_refs=True,
                allow_remote_refs=False,
                use_annotated=True,
                field_constraints=True,
                use_type_alias=True,
                use_specialized_enum=True,
                set_default_enum_member=True,
                strict_nullable=True,
                use_one_literal_as_default=True,
                use_tuple_for_fixed_items=True,
                use_typed_nullable_map_values=True,
                use_schema_description=True,
                use_field_description=True,
            )
        except Exception as error:
            problem = " ".join(str(error).split()) or type(error).__name__
            raise SpecError(_PLACE, f"cannot be compiled: {problem}") from error
    return str(made)


def _attributes(made: JSON) -> dict[str, str]:
    """Return the attributes that are not spelled as their properties, by class and property."""
    return {
        f"{name}.{key}": attribute
        for name, schema in made.items()
        for part in (schema, *schema.get("allOf", ()))
        for key, attribute in part.get("attributes", {}).items()
        if attribute != key
    }


def _imported(text: str) -> dict[str, tuple[str, str]]:
    found = {
        name.asname or name.name: (str(node.module), name.name)
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for name in node.names
    }
    return _IMPORTS | {name.removesuffix(_HIDDEN): it for name, it in found.items()} | found


def _readable(schema: JSON, others: JSON) -> JSON:
    """Return a prepared schema in the library's words; of a class, what it has itself."""
    found: JSON = {key: value for key, value in schema.items() if key in _KEPT}
    unions = {key: schema[key] for key in ("anyOf", "oneOf", "prefixItems") if key in schema}
    kinds = found.get("type")
    if is_json_array(kinds) and "object" in kinds:
        # Side by side, the library forgets the type of a map's values.
        del found["type"]
        unions["anyOf"] = [{**schema, "type": kind, "nullable": False} for kind in kinds]
    elif len(unions.get("oneOf", ())) == 1:
        # There is nothing to tell.
        del found["discriminator"]
        unions["anyOf"] = unions.pop("oneOf")
    found |= {key: [_member(part, others) for part in parts] for key, parts in unions.items()}
    if {} in found.get("anyOf", ()):
        # What one member allows, all do.
        del found["anyOf"]
    for key in ("additionalProperties", "items"):
        if key in schema:
            found[key] = _member(schema[key], others)
    for part in schema.get("allOf", [schema]):
        if "properties" in part:
            _add(part, found, others)
    if found.get("format") == "date-time":
        found["customTypePath"] = "pydantic.Timestamp"
    if "prefixItems" in found:
        count = len(found["prefixItems"])
        found |= {"items": False, "minItems": count, "maxItems": count}
    null = [None] if schema.get("nullable") else []
    if schema.get("open"):
        found["anyOf"] = [{"const": found.pop("const")}, {"type": found.pop("type")}]
    elif "literals" in schema or ("const" in found and null):
        values = schema.get("literals") or [found.pop("const")]
        found |= {"enum": [*values, *null], "x-enum-field-as-literal": True}
    if found.get("default", "") is None:
        del found["default"]
    elif "default" in found and kinds == "number":
        found["default"] = float(found["default"])
    if not found.keys() & {"$ref", "type", "anyOf", "oneOf", "enum"}:
        # Any value may be null.
        found.pop("nullable", None)
    if "description" in schema:
        found["description"] = printable(schema["description"], keep="\n\t")
    return found


def _add(part: JSON, found: JSON, others: JSON) -> None:
    """Add properties to those of a class."""
    properties = found.setdefault("properties", {})
    required = found.setdefault("required", [])
    found["type"] = "object"
    for key, value in part["properties"].items():
        properties[key] = _readable(value, others)
        if key in part["required"] and value.get("open"):
            properties[key]["default"] = value["const"]
        elif key in part["required"]:
            required.append(key)
    if "additionalProperties" in part:
        # An empty schema would be a type.
        found["additionalProperties"] = _member(part["additionalProperties"], others) or True


def _member(schema: Any, others: JSON) -> JSON:
    """Return a schema that stands inside another."""
    if not is_json_object(schema):
        return {}
    found = _readable(_type(schema), others)
    is_nullable = found.pop("nullable", False)
    if "prefixItems" in found:
        # The library would assign a tuple a name of its own.
        found = {"$ref": pointer("components", "schemas", _name(found, others))}
    return {"anyOf": [found, {"type": "null"}]} if is_nullable else found


def _alias(schema: JSON, others: JSON) -> JSON:
    """Return an enumeration, or a type that stands alone."""
    found = _readable(_type(schema), others)
    if found.get("type") in ("array", "object") and "prefixItems" not in found:
        # Alone, the library forgets the members of one that holds itself, and that it may be null.
        keys = ("type", "items", "additionalProperties")
        found["anyOf"] = [{key: found.pop(key) for key in keys if key in found}]
        found["anyOf"] += [{"type": "null"}] if found.pop("nullable", False) else []
    return found


def _name(schema: JSON, others: JSON) -> str:
    """Return the name of a type that is written apart."""
    name = f"Type__{hashlib.sha256(json.dumps(schema).encode()).hexdigest()}"
    others[name] = schema
    return name


def _type(schema: JSON) -> JSON:
    return {key: value for key, value in schema.items() if key not in _OF_FIELDS}
