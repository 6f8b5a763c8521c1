"""Which classes inherit from those that their schemas build on."""

import copy

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
        if "allOf" in schema and not _fits(schema, made):
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            made[name] = copy.deepcopy(_whole(schema, made)) | rest


def _whole(schema: JSON, made: JSON) -> JSON:
    """Return a class with what it inherits."""
    whole: JSON = {"type": "object", "properties": {}, "required": [], "attributes": {}}
    for part in schema.get("allOf", [schema]):
        one = _whole(made[name_of(part)], made) if "$ref" in part else part
        whole["properties"] |= one.get("properties", {})
        whole["attributes"] |= one.get("attributes", {})
        whole["required"] = list(dict.fromkeys([*whole["required"], *one.get("required", ())]))
        whole |= {key: one[key] for key in ("additionalProperties", "closed") if key in one}
    return whole


def _fits(schema: JSON, made: JSON) -> bool:
    """Whether base classes have properties as the same types, which the class itself may narrow."""
    held: dict[str, tuple[JSON, bool]] = {}
    for part in schema["allOf"]:
        one = _whole(made[name_of(part)], made) if "$ref" in part else part
        for key, value in one["properties"].items():
            found = _bare(value), key in one["required"]
            known = held.setdefault(key, found)
            if found != known and ("$ref" in part or not _is_narrower(found[0], known[0])):
                return False
    return True


def _bare(schema: JSON) -> JSON:
    return {key: value for key, value in schema.items() if key not in _BESIDE}


def _is_narrower(one: JSON, other: JSON) -> bool:
    """Whether all values of a type are values of another, or the types are the same."""
    if not other or one == other or {**one, "nullable": True} == other:
        return True
    is_text = other.get("type") == "string" and other.keys() <= {"type", "nullable"}
    is_null = "nullable" in one and "nullable" not in other
    return is_text and not is_null and ("literals" in one or isinstance(one.get("const"), str))
