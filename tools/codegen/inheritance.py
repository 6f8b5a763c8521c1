"""Which classes inherit from those that their schemas build on."""

import contextlib
import copy
from typing import Any

from tools.codegen.directions import name_of
from tools.codegen.document import JSON
from tools.codegen.normal import CONSTRAINTS

# What a property has beside its type.
_NOTES = frozenset({"description", "deprecated", "title", "tag"})
_BESIDE = _NOTES.union({"default", "required"}, *CONSTRAINTS.values())
# What only one way has: to the server, or from it.
WAYS = ("readOnly", "writeOnly")


def settle_bases(made: JSON) -> None:
    """Let no class inherit a property that has another type there: it has all as its own then.

    Args:
        made: All prepared components by name.
    """
    classes: dict[str, type] = {}
    for name, schema in made.items():
        if "allOf" in schema and not (_fits(schema, made) and _has_order(name, made, classes)):
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            made[name] = copy.deepcopy(_whole(schema, made)) | rest


def base_names(schema: JSON) -> list[str]:
    """Return the names of the classes that a class inherits from."""
    return [name_of(part) for part in schema.get("allOf", ()) if "$ref" in part]


def _has_order(name: str, made: JSON, classes: dict[str, type]) -> bool:
    """Whether Python can join the orders in which the base classes have theirs."""
    names = base_names(made[name])
    with contextlib.suppress(TypeError):
        if name not in classes and all(_has_order(base, made, classes) for base in names):
            classes[name] = type(name, tuple(classes[base] for base in names), {})
    return name in classes


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
    held: JSON = {}
    extra: Any = None
    for part in schema["allOf"]:
        is_base = "$ref" in part
        one = _whole(made[name_of(part)], made) if is_base else part
        if is_base and not one["attributes"].items() <= schema["allOf"][-1]["attributes"].items():
            # Properties of two base classes may have one spelling in Python.
            return False
        more = one.get("additionalProperties", extra)
        # Without properties of its own, the library takes a class for a map.
        if extra not in (None, more) or not (is_base or one["properties"] or more in (None, True)):
            return False
        extra = more
        for key, value in one["properties"].items():
            found = {k: v for k, v in value.items() if k not in _NOTES}
            found["required"] = key in one["required"]
            known = held.setdefault(key, found)
            if known is not found and not (found == known if is_base else _narrows(found, known)):
                return False
    return True


def _narrows(own: JSON, inherited: JSON) -> bool:
    """Whether all values of a property are values of that which it has in a base class."""
    if not inherited.keys().isdisjoint(("const", *WAYS)) or not own.keys().isdisjoint(WAYS):
        # Whether it may be another value, or none, depends on which way each class goes.
        return False
    default = inherited.get("default")
    if not own["required"] and "default" in inherited and own.get("default") != default:
        return False
    one, other = ({k: v for k, v in it.items() if k not in _BESIDE} for it in (own, inherited))
    if not other or one == other or {**one, "nullable": True} == other:
        return True
    is_text = other.get("type") == "string" and other.keys() <= {"type", "nullable"}
    is_null = "nullable" in one and "nullable" not in other
    return is_text and not is_null and ("literals" in one or isinstance(one.get("const"), str))
