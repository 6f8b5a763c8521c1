"""Compares JSON values; the ground on which schemas and operations are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from typing import Any

from tools.json_types import is_json_array, is_json_object
from tools.spec.changes import ABSENT, Change, Place

#: Compares two values that both documents have at one place.
Diff = Callable[[Place, Any, Any], list[Change]]

Json = dict[str, Any]

#: What was found; None where values of this form cannot be compared.
Found = list[Change] | None

#: Compares one keyword of two objects.
Handler = Callable[[Place, str, Json, Json], Found]


def same(old: Any, new: Any) -> bool:
    """Whether two values are equal as texts: `1`, `1.0` and `true` differ, and so do orders."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if is_json_object(old):
        return list(old) == list(new) and all(same(value, new[key]) for key, value in old.items())
    if is_json_array(old):
        return len(old) == len(new) and all(map(same, old, new))
    return bool(old == new)


def union(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """Return the names of both sides once each, in the order of the old and then of the new."""
    return list(dict.fromkeys([*old, *new]))


def as_dict(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, and an empty one otherwise."""
    return value if is_json_object(value) else {}


def diff_object(
    at: Place, old: Any, new: Any, handlers: Mapping[str, Handler] | None = None
) -> list[Change]:
    """Compare two objects whose keys are properties of the place, such as a schema's.

    Args:
        at: The place of both.
        old: The object before.
        new: The object after.
        handlers: How to compare the keys that mean something of their own.

    Returns:
        The changes; none exactly when the two are the `same`.
    """
    if same(old, new):
        return []
    if not is_json_object(old) or not is_json_object(new):
        return [at.value(old, new)]
    changes: list[Change] = []
    for key in union(old, new):
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        if same(before, after):
            continue
        handler = (handlers or {}).get(key)
        found = handler(at, key, old, new) if handler else None
        changes += _diff_facet(at, key, before, after) if found is None else found
    return changes + at.order(old, new)


def diff_mapping(at: Place, old: Any, new: Any, diff: Diff) -> list[Change]:
    """Compare two objects whose keys are names, each with its own place."""
    if not is_json_object(old) or not is_json_object(new):
        return [] if same(old, new) else [at.value(old, new)]
    changes: list[Change] = []
    for name in union(old, new):
        changes += _diff_pair(at.field(name), old.get(name, ABSENT), new.get(name, ABSENT), diff)
    return changes + at.order(old, new)


def diff_list(at: Place, old: list[Any], new: list[Any], diff: Diff) -> list[Change]:
    """Compare two lists: by the items' `name` where all have one, else by position."""
    old_items, new_items = _by_name(old), _by_name(new)
    if old_items is not None and new_items is not None:
        changes: list[Change] = []
        for name in union(old_items, new_items):
            pair = old_items.get(name, ABSENT), new_items.get(name, ABSENT)
            changes += _diff_pair(at / f"[{name}]", *pair, diff)
        return changes + at.order(old_items, new_items, "items")
    pairs = enumerate(zip_longest(old, new, fillvalue=ABSENT))
    return [c for index, pair in pairs for c in _diff_pair(at / f"[{index}]", *pair, diff)]


def diff_value(at: Place, old: Any, new: Any) -> list[Change]:
    """Compare two values about whose meaning nothing is known."""
    if same(old, new):
        return []
    if _are_nested_lists(old, new):
        return diff_list(at, old, new, diff_value)
    if is_json_object(old) and is_json_object(new):
        return diff_mapping(at, old, new, diff_value)
    return [at.value(old, new)]


def _diff_facet(at: Place, name: str, old: Any, new: Any) -> list[Change]:
    if (is_json_object(old) and is_json_object(new)) or _are_nested_lists(old, new):
        return diff_value(at.field(name).inside(name), old, new)
    return [at.facet(name, old, new)]


def _diff_pair(at: Place, old: Any, new: Any, diff: Diff) -> list[Change]:
    return [at.value(old, new)] if old is ABSENT or new is ABSENT else diff(at, old, new)


def _are_nested_lists(old: Any, new: Any) -> bool:
    if not is_json_array(old) or not is_json_array(new):
        return False
    return any(isinstance(item, dict | list) for item in [*old, *new])


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    named = {
        item["name"]: item
        for item in items
        if is_json_object(item) and isinstance(item.get("name"), str)
    }
    return named if len(named) == len(items) else None
