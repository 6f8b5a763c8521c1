"""What a change of a schema does to the values that the schema takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Flag
from typing import Any, Final

from tools.json_types import is_json_array, is_json_object
from tools.spec.changes import ABSENT, TEXT_FACETS, Change, Element, Kind
from tools.spec.json_diff import same


class Effect(Flag):
    """Whether a schema takes fewer values than before, more, or the same."""

    NONE = 0
    NARROWS = 1
    WIDENS = 2
    #: Some values are gone and others new; or it cannot be told, which has to be read as this.
    BOTH = 3


#: Keywords of schemas that constrain no value: words, and hints for programs.
ANNOTATIONS = TEXT_FACETS | {"default", "deprecated", "readOnly", "title", "writeOnly", "xml"}


def effect(change: Change) -> Effect:
    """Says what a change found in a schema does to the values that the schema takes.

    Returns:
        The effect; `Effect.BOTH` where it is not known.
    """
    if change.element is Element.FIELD:
        return _field(change)
    if change.facet.startswith("order of "):
        # The place of an item in a tuple is what it means.
        return Effect.BOTH if change.facet == "order of prefixItems variants" else Effect.NONE
    name = change.keyword or change.facet
    if name in ANNOTATIONS or name.startswith("x-"):
        return Effect.NONE
    if change.keyword:
        return Effect.BOTH
    if not name:
        return _schema(change.old, change.new)
    rule = _RULES.get(name)
    return rule(change.old, change.new) if rule else Effect.BOTH


def _field(change: Change) -> Effect:
    # Objects are taken to be open, as SDKs and servers treat them: an optional field that is new
    # was a field that nobody sent.
    if change.kind is Kind.REMOVED:
        return Effect.BOTH
    return Effect.NARROWS if change.required else Effect.NONE


def _schema(old: Any, new: Any) -> Effect:
    """Compare whole schemas by what they are alternatives of."""
    if _takes_all(old) or new is False:
        return Effect.NONE if _takes_all(new) or old is False else Effect.NARROWS
    if _takes_all(new) or old is False:
        return Effect.WIDENS
    if not is_json_object(old) or not is_json_object(new):
        return Effect.BOTH
    return _sets(_alternatives(old), _alternatives(new))


def _takes_all(schema: Any) -> bool:
    if is_json_object(schema):
        return all(k in ANNOTATIONS or (k == "allOf" and v == []) for k, v in schema.items())
    return schema is ABSENT or schema is True


def _alternatives(schema: Any) -> set[str]:
    """Return the schemas of which a value has to satisfy one, each as text."""
    if not is_json_object(schema):
        return {json.dumps(schema)}
    bare = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
    (key, value), *others = bare.items() or [("", None)]
    if key in ("anyOf", "oneOf") and is_json_array(value) and not others:
        return {text for variant in value for text in _alternatives(variant)}
    if key == "allOf" and is_json_array(value) and len(value) == 1 and not others:
        return _alternatives(value[0])
    if is_json_array(bare.get("type")):
        return {_text({**bare, "type": name}) for name in bare["type"]}
    return {_text(bare)}


def _text(schema: dict[str, Any]) -> str:
    if schema.get("type") == "null":
        schema = {"type": "null"}
    return json.dumps(schema, sort_keys=True)


def _sets(old: set[str], new: set[str]) -> Effect:
    narrows = Effect.NARROWS if old - new else Effect.NONE
    return narrows | (Effect.WIDENS if new - old else Effect.NONE)


def _type(old: Any, new: Any) -> Effect:
    if isinstance(old, dict | bool) or isinstance(new, dict | bool):
        return _schema(old, new)
    if old is ABSENT or new is ABSENT:
        return _constraint(old, new)
    before, after = (set(map(str, v if is_json_array(v) else [v])) for v in (old, new))
    # Every integer is a number.
    return _sets(
        {n for n in before if not (n == "integer" and "number" in after)},
        {n for n in after if not (n == "integer" and "number" in before)},
    )


def _constraint(old: Any, new: Any) -> Effect:
    """Judges a keyword whose presence takes values away, and whose change may do anything."""
    if same(old, new):
        return Effect.NONE
    if old is ABSENT:
        return Effect.NARROWS
    return Effect.WIDENS if new is ABSENT else Effect.BOTH


def _names(old: Any, new: Any) -> Effect:
    """Judges the schema of an object's keys, which are text whether it says so or not."""
    return _schema(*(True if names == {"type": "string"} else names for names in (old, new)))


def _all_of(old: Any, new: Any) -> Effect:
    return _constraint(*(ABSENT if schemas == [] else schemas for schemas in (old, new)))


def _value(old: Any, _new: Any) -> Effect:
    """Judges one value of an enumeration."""
    return Effect.WIDENS if old is ABSENT else Effect.NARROWS


def _lower_bound(old: Any, new: Any) -> Effect:
    if not (_is_number(old) and _is_number(new)):
        return _constraint(old, new)
    if old == new:
        return Effect.NONE
    return Effect.NARROWS if new > old else Effect.WIDENS


def _upper_bound(old: Any, new: Any) -> Effect:
    return _lower_bound(new, old) if _is_number(old) and _is_number(new) else _constraint(old, new)


def _least_count(old: Any, new: Any) -> Effect:
    return _lower_bound(*(0 if count is ABSENT else count for count in (old, new)))


def _multiple(old: Any, new: Any) -> Effect:
    if isinstance(old, int) and isinstance(new, int) and old > 0 and new > 0 and old != new:
        if new % old == 0:
            return Effect.NARROWS
        if old % new == 0:
            return Effect.WIDENS
    return _constraint(old, new)


def _unique(old: Any, new: Any) -> Effect:
    before, after = (value is True for value in (old, new))
    if before == after:
        return Effect.NONE
    return Effect.NARROWS if after else Effect.WIDENS


def _format(old: Any, new: Any) -> Effect:
    if (old, new) in _WIDER_FORMATS:
        return Effect.WIDENS
    return Effect.NARROWS if (new, old) in _WIDER_FORMATS else _constraint(old, new)


def _required(old: Any, new: Any) -> Effect:
    if is_json_array(old) or is_json_array(new):
        # Named field by field where it can be; this is an order, or no list of names.
        both = is_json_array(old) and is_json_array(new)
        return (
            Effect.NONE if both and sorted(map(str, old)) == sorted(map(str, new)) else Effect.BOTH
        )
    return _unique(old, new)


def _enum(old: Any, new: Any) -> Effect:
    if is_json_array(old) and is_json_array(new):
        return _sets(set(map(json.dumps, old)), set(map(json.dumps, new)))
    return _constraint(old, new)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: Pairs of formats, the second of which has the values of the first and more. No set: what stands
#: in a document instead of a format need not have a hash.
_WIDER_FORMATS: Final = tuple(
    (narrow, wide)
    for wide, narrows in {
        "int16": ("int8", "uint8"),
        "int32": ("int8", "int16", "uint8", "uint16"),
        "int64": ("int8", "int16", "int32", "uint8", "uint16", "uint32"),
        "uint16": ("uint8",),
        "uint32": ("uint8", "uint16"),
        "uint64": ("uint8", "uint16", "uint32"),
        "double": ("float",),
    }.items()
    for narrow in narrows
)

_RULES: Final[Mapping[str, Callable[[Any, Any], Effect]]] = {
    "type": _type,
    "schema": _schema,
    "items": _schema,
    "additionalProperties": _schema,
    "propertyNames": _names,
    "unevaluatedItems": _schema,
    "unevaluatedProperties": _schema,
    "enum": _enum,
    "enum value": _value,
    "oneOf variant": _value,
    "anyOf variant": _value,
    "allOf variant": _constraint,
    "required": _required,
    "minimum": _lower_bound,
    "exclusiveMinimum": _lower_bound,
    "maximum": _upper_bound,
    "exclusiveMaximum": _upper_bound,
    "minLength": _least_count,
    "minItems": _least_count,
    "minProperties": _least_count,
    "maxLength": _upper_bound,
    "maxItems": _upper_bound,
    "maxProperties": _upper_bound,
    "multipleOf": _multiple,
    "uniqueItems": _unique,
    "format": _format,
    "allOf": _all_of,
    **dict.fromkeys(("anyOf", "const", "not", "oneOf", "pattern"), _constraint),
}
