"""Compares two JSON Schemas of an OpenAPI 3.1 document, field by field and facet by facet."""

from __future__ import annotations

import json
from typing import Any

from tools.json_types import is_json_array, is_json_object
from tools.spec.changes import ABSENT, SCHEMA_PREFIX, Change, Element, Place
from tools.spec.json_diff import (
    Found,
    Handler,
    Json,
    as_dict,
    diff_mapping,
    diff_object,
    same,
    union,
)

_MAX_ENUM_VALUES = 6


def diff_schema(at: Place, old: Any, new: Any) -> list[Change]:
    """Compare two schemas.

    Returns:
        The changes; none exactly when the two are the same.
    """
    if any((key in as_dict(old)) != (key in as_dict(new)) for key in _FORMS):
        # Keyword by keyword, a model instead of an inline type would read as two unrelated changes.
        return [at.facet("type", old, new, f"{describe(old)} -> {describe(new)}")]
    return diff_object(at, old, new, _HANDLERS)


def describe(schema: Any) -> str:
    """Return a schema's type in a few words, such as `array of RunSummary` or `string | null`."""
    if not is_json_object(schema):
        return "nothing" if schema is False else "any"
    if isinstance(schema.get("$ref"), str):
        return str(schema["$ref"]).removeprefix(SCHEMA_PREFIX)
    if "const" in schema:
        return f"const {json.dumps(schema['const'], ensure_ascii=False)}"
    if is_json_array(schema.get("enum")):
        values = [json.dumps(value, ensure_ascii=False) for value in schema["enum"]]
        more = ["…"] if len(values) > _MAX_ENUM_VALUES else []
        return "enum " + " | ".join(values[:_MAX_ENUM_VALUES] + more)
    for key, joint in (("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")):
        if is_json_array(schema.get(key)) and schema[key]:
            return joint.join(describe(variant) for variant in schema[key])
    types = schema.get("type", "object" if "properties" in schema else "any")
    return " | ".join(
        _describe_type(t, schema) for t in (types if is_json_array(types) else [types])
    )


def describe_model(schema: Any) -> str:
    """Return a model's type, and for an object the names of its fields."""
    fields = as_dict(as_dict(schema).get("properties"))
    return f"{describe(schema)} with {', '.join(fields)}" if fields else describe(schema)


def _describe_type(name: Any, schema: Json) -> str:
    if name == "array" and "items" in schema:
        return f"array of {describe(schema['items'])}"
    if name == "object" and is_json_object(schema.get("additionalProperties")):
        return f"map of {describe(schema['additionalProperties'])}"
    if name != "null" and isinstance(schema.get("format"), str):
        return f"{name} {schema['format']}"
    return str(name)


def _diff_fields(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = old.get(key, {}), new.get(key, {})
    if not is_json_object(before) or not is_json_object(after) or not (before or after):
        return None
    changes: list[Change] = []
    for name in union(before, after):
        place = at.field(name)
        if name in before and name in after:
            changes += diff_schema(place, before[name], after[name])
            continue
        say, schema = (place.removed, old) if name in before else (place.added, new)
        required = name in _required(schema)
        text = f"{describe(schema[key][name])}, {'required' if required else 'optional'}"
        changes.append(say(text, element=Element.FIELD, required=required))
    return changes + at.order(before, after, "fields")


def _required(schema: Json) -> list[Any]:
    names = schema.get("required")
    return names if is_json_array(names) else []


def _diff_required(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = _required(old), _required(new)
    if not all(isinstance(name, str) for name in [*before, *after]):
        return None
    flipped = [name for name in union(before, after) if (name in before) != (name in after)]
    if not flipped:
        return None
    old_fields, new_fields = as_dict(old.get("properties")), as_dict(new.get("properties"))
    # An added or removed field is reported with its presence; only the others flip.
    return [
        at.field(name).facet(key, name in before, name in after)
        for name in flipped
        if (name in old_fields) == (name in new_fields)
    ]


def _diff_enum(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = old.get(key), new.get(key)
    if not is_json_array(before) or not is_json_array(after):
        return None
    removed = [value for value in before if not any(same(value, other) for other in after)]
    added = [value for value in after if not any(same(value, other) for other in before)]
    changes = [at.facet(f"{key} value", value, ABSENT) for value in removed]
    changes += [at.facet(f"{key} value", ABSENT, value) for value in added]
    return changes or None


def _diff_variants(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = old.get(key), new.get(key)
    if not is_json_array(before) or not is_json_array(after):
        return None
    old_variants, new_variants = _named_variants(before), _named_variants(after)
    gone = [name for name in old_variants if name not in new_variants]
    fresh = [name for name in new_variants if name not in old_variants]
    renamed: dict[str, str] = {}
    if len(gone) == len(fresh) == 1:
        # One replaced variant is a changed one: it says what changed in it.
        renamed[gone.pop()] = fresh.pop()
    pairs = {
        name: renamed.get(name, name)
        for name in old_variants
        if name in new_variants or name in renamed
    }
    # `oneOf: [X, null]` and `allOf: [X]` only decorate X, so what they hold stands here.
    alone = all(len(v.keys() - {"null"}) == 1 for v in (old_variants, new_variants))
    changes: list[Change] = []
    for name, new_name in pairs.items():
        place = at if alone and name != "null" else at / f".{key}[{name}]"
        changes += diff_schema(place, old_variants[name], new_variants[new_name])
    changes += [at.facet(f"{key} variant", name, ABSENT, name) for name in gone]
    changes += [at.facet(f"{key} variant", ABSENT, name, name) for name in fresh]
    return changes + at.order(pairs.values(), new_variants, f"{key} variants")


def _named_variants(schemas: list[Any]) -> Json:
    named = {_variant_name(schema, index): schema for index, schema in enumerate(schemas)}
    if len(named) == len(schemas):
        return named
    return {str(index): schema for index, schema in enumerate(schemas)}


def _variant_name(schema: Any, index: int) -> str:
    """Return what distinguishes a variant from the others: its title, tag, type or position."""
    if not is_json_object(schema):
        return str(index)
    if isinstance(schema.get("title"), str):
        return str(schema["title"])
    if "properties" not in schema:
        return describe(schema)
    tags = (as_dict(field).get("const") for field in as_dict(schema["properties"]).values())
    return next((tag for tag in tags if isinstance(tag, str)), str(index))


def diff_subschema(at: Place, key: str, old: Json, new: Json) -> Found:
    """Compare a keyword whose value is a schema; a `Handler`."""
    before, after = old.get(key, ABSENT), new.get(key, ABSENT)
    if before is ABSENT or after is ABSENT:
        return [at.facet(key, before, after, describe(after if before is ABSENT else before))]
    if not is_json_object(before) or not is_json_object(after):
        return None
    place = at / _SUFFIXES.get(key, f".{key}")
    return diff_schema(place.inside(key) if key in _TURNING else place, before, after)


def _diff_subschemas(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = old.get(key), new.get(key)
    if not is_json_object(before) or not is_json_object(after):
        return None
    return diff_mapping(at.field(key), before, after, diff_schema)


# Where the schema of a keyword stands; that of a parameter or body needs no word of its own.
_SUFFIXES = {"additionalProperties": "{}", "items": "[]", "schema": ""}

# What narrows the schema of such a keyword widens the whole, or may.
_TURNING = frozenset({"if", "not"})

#: What a schema has instead of a type of its own.
_FORMS = ("$ref", "anyOf", "oneOf")

_VARIANTS = ("oneOf", "anyOf", "allOf", "prefixItems")
_SUBSCHEMA = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_SUBSCHEMAS = ("$defs", "definitions", "dependentSchemas", "patternProperties")

_HANDLERS: dict[str, Handler] = {
    "properties": _diff_fields,
    "required": _diff_required,
    "enum": _diff_enum,
    **dict.fromkeys(_VARIANTS, _diff_variants),
    **dict.fromkeys(_SUBSCHEMA, diff_subschema),
    **dict.fromkeys(_SUBSCHEMAS, _diff_subschemas),
}
