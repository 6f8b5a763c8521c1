"""Which way the models of an OpenAPI document go: in requests, in answers, or both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.json_types import is_json_array, is_json_object
from tools.spec.changes import SCHEMA_PREFIX, Side
from tools.spec.json_diff import as_dict

_COMPONENTS = "#/components/"


def model_sides(document: Mapping[str, Any]) -> dict[str, set[Side]]:
    """Find the ways that models go.

    Returns:
        The ways by the model's name. A model that no operation refers to, directly or not, is
        not among them.
    """
    pending = [
        (side, reference) for side, root in _roots(document) for reference in _references(root)
    ]
    found: set[tuple[Side, str]] = set()
    references: dict[str, set[str]] = {}
    sides: dict[str, set[Side]] = {}
    while pending:
        side, name = way = pending.pop()
        if way in found:
            continue
        found.add(way)
        if name.startswith(SCHEMA_PREFIX):
            sides.setdefault(name.removeprefix(SCHEMA_PREFIX), set()).add(side)
        if name not in references:
            references[name] = _references(_component(document, name))
        pending += [(side, reference) for reference in references[name]]
    return sides


def _roots(document: Mapping[str, Any]) -> Iterator[tuple[Side, Any]]:
    for item in as_dict(document.get("paths")).values():
        yield Side.REQUEST, as_dict(item).get("parameters")
        for operation in as_dict(item).values():
            yield Side.REQUEST, as_dict(operation).get("parameters")
            yield Side.REQUEST, as_dict(operation).get("requestBody")
            yield Side.RESPONSE, as_dict(operation).get("responses")
            # A callback's requests are the server's, and its answers the caller's.
            yield Side.REQUEST, as_dict(operation).get("callbacks")
            yield Side.RESPONSE, as_dict(operation).get("callbacks")


def _references(value: Any) -> set[str]:
    """Return the components that a value refers to itself."""
    found: set[str] = set()
    pending = [value]
    while pending:
        value = pending.pop()
        # First what most values are.
        if isinstance(value, str):
            # Not under `$ref` alone: a discriminator's mapping names models as well.
            if value.startswith(_COMPONENTS):
                found.add(value)
        elif is_json_object(value):
            pending += value.values()
        elif is_json_array(value):
            pending += value
    return found


def _component(document: Mapping[str, Any], reference: str) -> Any:
    value: Any = document
    for name in reference.removeprefix("#/").split("/"):
        value = as_dict(value).get(name.replace("~1", "/").replace("~0", "~"))
    return value
