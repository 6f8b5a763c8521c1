"""Which classes inherit from those that their schemas build on."""

import copy
from collections.abc import Iterator

from tools.codegen.directions import name_of
from tools.codegen.document import JSON
from tools.codegen.normal import ANNOTATIONS, CONSTRAINTS

# What a property has beside its type.
_BESIDE = ANNOTATIONS.union(("readOnly", "writeOnly", "tag"), *CONSTRAINTS.values()) - {"nullable"}


def settle_bases(made: JSON) -> None:
    """Let no class inherit a property that has another type there: it has all as its own then.

    Args:
        made: All prepared components by name.
    """
    for name, schema in made.items():
        parts = [*_parts(schema, made)]
        if "allOf" not in schema or _fit(parts):
            continue
        whole: JSON = {"type": "object", "properties": {}, "required": [], "attributes": {}}
        for part in copy.deepcopy(parts):
            whole["properties"] |= part.get("properties", {})
            whole["attributes"] |= part.get("attributes", {})
            whole["required"] += part.get("required", ())
            whole |= {key: part[key] for key in ("additionalProperties", "closed") if key in part}
        whole["required"] = list(dict.fromkeys(whole["required"]))
        made[name] = whole | {key: value for key, value in schema.items() if key != "allOf"}


def _parts(schema: JSON, made: JSON) -> Iterator[JSON]:
    """Yield the parts of a class, those of its base classes first."""
    for part in schema.get("allOf", [schema]):
        yield from _parts(made[name_of(part)], made) if "$ref" in part else [part]


def _fit(parts: list[JSON]) -> bool:
    held: JSON = {}
    for part in parts:
        for key, value in part.get("properties", {}).items():
            if key in held and not _is_narrower(value, held[key]):
                return False
            held[key] = value
    return True


def _is_narrower(schema: JSON, other: JSON) -> bool:
    """Whether all values of a property are values of another one, or the types are the same."""
    one, other = ({k: v for k, v in it.items() if k not in _BESIDE} for it in (schema, other))
    if not other or one == other or {**one, "nullable": True} == other:
        return True
    is_text = other.get("type") == "string" and other.keys() <= {"type", "nullable"}
    is_null = "nullable" in one and "nullable" not in other
    return is_text and not is_null and ("literals" in one or isinstance(one.get("const"), str))
