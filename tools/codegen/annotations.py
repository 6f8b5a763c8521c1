"""Python types of prepared schemas, as text."""

from collections.abc import Iterator
from typing import Any

from tools.codegen.document import JSON
from tools.codegen.expressions import union
from tools.json_types import is_json_object

SCALARS = {
    "boolean": "bool",
    "integer": "int",
    "null": "None",
    "number": "float",
    "string": "str",
}
_FORMATS = {"date": "date", "date-time": "Timestamp", "uuid": "UUID"}

# pydantic's words for those of JSON Schema.
_LIMITS = {
    "exclusiveMaximum": "lt",
    "exclusiveMinimum": "gt",
    "maxItems": "max_length",
    "maxLength": "max_length",
    "maximum": "le",
    "minItems": "min_length",
    "minLength": "min_length",
    "minimum": "ge",
    "multipleOf": "multiple_of",
    "pattern": "pattern",
}


def imports_of(support: str) -> dict[str, tuple[str, str]]:
    """Gives where the names in types come from, by name: the module, and the name there."""
    return {
        "Annotated": ("typing", "Annotated"),
        "Any": ("typing", "Any"),
        "ConfigDict": ("pydantic", "ConfigDict"),
        "Field": ("pydantic", "Field"),
        "IntEnum": (f"{support}._base", "IntEnum"),
        "Literal": ("typing", "Literal"),
        "StrEnum": (f"{support}._base", "StrEnum"),
        "Timestamp": (f"{support}.types", "Timestamp"),
        "TypeAliasType": ("typing_extensions", "TypeAliasType"),
        "UUID": ("uuid", "UUID"),
        "date": ("datetime", "date"),
        "date_aliased": ("datetime", "date"),
    }


def type_of(schema: JSON) -> str:
    """Gives the type of a prepared schema, such as `list[str] | None`."""
    members = list(_members(schema))
    if "Any" in members:
        # With `| None` only where the schema says so, which readers see.
        return "Any"
    return union([*members, *(["None"] if schema.get("nullable") else [])])


def name_of(schema: JSON) -> str:
    """Gives the component that a prepared schema refers to; empty if it is no reference."""
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def limits_of(schema: JSON) -> dict[str, Any]:
    """Gives the constraints of a prepared schema, as arguments of pydantic's `Field`."""
    number = float if schema.get("type") == "number" else int
    return {
        argument: number(schema[key]) if key not in ("pattern",) else schema[key]
        for key, argument in _LIMITS.items()
        if key in schema
    }


def _members(schema: JSON) -> Iterator[str]:
    if "$ref" in schema:
        yield name_of(schema)
    elif "oneOf" in schema:
        yield from _discriminated(schema)
    elif "anyOf" in schema:
        yield from map(type_of, schema["anyOf"])
    elif "const" in schema:
        yield f"Literal[{schema['const']!r}]"
        if schema.get("open"):
            yield SCALARS[schema["type"]]
    elif schema.get("literals"):
        yield f"Literal[{', '.join(map(repr, schema['literals']))}]"
    else:
        types = schema.get("type", [])
        for kind in [types] if isinstance(types, str) else types:
            yield from _of_kind(schema, kind)
        if not types:
            yield _array(schema) if schema.keys() & {"items", "prefixItems"} else "Any"


def _of_kind(schema: JSON, kind: str) -> Iterator[str]:
    if kind == "array":
        yield _array(schema)
    elif kind == "object":
        extra = schema.get("additionalProperties")
        yield f"dict[str, {type_of(extra) if is_json_object(extra) else 'Any'}]"
    elif kind == "string":
        yield _FORMATS.get(schema.get("format", ""), "str")
    else:
        yield SCALARS[kind]


def _array(schema: JSON) -> str:
    if "prefixItems" in schema:
        return f"tuple[{', '.join(map(type_of, schema['prefixItems']))}]"
    return f"list[{type_of(schema.get('items', {}))}]"


def _discriminated(schema: JSON) -> Iterator[str]:
    members = " | ".join(map(type_of, schema["oneOf"]))
    tag = schema["discriminator"]["attribute"]
    told = f"Annotated[{members}, Field(discriminator={tag!r})]"
    if len(schema["oneOf"]) == 1:
        told = members
    if "otherwise" in schema:
        other = type_of(schema["otherwise"])
        yield f"Annotated[{told} | {other}, Field(union_mode='left_to_right')]"
    else:
        yield told
