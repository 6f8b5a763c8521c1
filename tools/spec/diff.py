"""Compares two OpenAPI 3.1 documents and says what differs in the words of the API.

The comparison is complete: it finds nothing exactly when the documents are equal, the order of
their keys included.
"""

from __future__ import annotations

from typing import Any

from tools.json_types import is_json_array, is_json_object
from tools.spec.changes import ABSENT, Area, Change, Place
from tools.spec.json_diff import as_dict, diff_list, diff_object, diff_value, same, union
from tools.spec.operation_diff import diff_paths
from tools.spec.schema_diff import describe_model, diff_schema


def diff(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Compare two documents.

    Returns:
        One record for each difference; none exactly when the documents are the same.
    """
    return (
        diff_paths(as_dict(old.get("paths")), as_dict(new.get("paths")))
        + _diff_models(_models(old), _models(new))
        + _diff_rest(_without_api(old), _without_api(new))
    )


def _models(document: dict[str, Any]) -> dict[str, Any]:
    return as_dict(as_dict(document.get("components")).get("schemas"))


def _diff_models(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for name in union(old, new):
        if same(old.get(name, ABSENT), new.get(name, ABSENT)):
            continue
        at = Place(Area.MODEL, name)
        if name not in new:
            changes.append(at.removed(describe_model(old[name])))
        elif name not in old:
            changes.append(at.added(describe_model(new[name])))
        else:
            changes += diff_schema(at, old[name], new[name])
    return changes + Place(Area.DOCUMENT, "components.schemas").order(old, new, "models")


def _without_api(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the operations and models, which are compared separately."""
    rest = dict(document)
    if is_json_object(rest.get("paths")):
        rest["paths"] = {}
    components = as_dict(rest.get("components"))
    if is_json_object(components.get("schemas")):
        rest["components"] = components | {"schemas": {}}
    return rest


def _diff_rest(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for key in union(old, new):
        at = Place(Area.DOCUMENT, key)
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        if same(before, after):
            continue
        if key == "info":
            changes += diff_object(at, before, after)
        elif is_json_array(before) and is_json_array(after):
            changes += diff_list(at, before, after, diff_object)
        else:
            changes += diff_value(at, before, after)
    return changes + Place(Area.DOCUMENT, "document").order(old, new)
