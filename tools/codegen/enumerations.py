"""Enumerations and constants of a spec, brought into the form that compiles best."""

import json
import keyword
import re
from collections.abc import Mapping

from tools.codegen.docs import WIDTH, wrapped
from tools.codegen.document import JSON, Node, plain_text
from tools.codegen.names import member_names

_TYPES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}

# How generators list the values of an enumeration in its description.
_MEMBER_DOC = re.compile(r"^[*-] `(.*?)`: (.*(?:\n(?![*-] `).*)*)", re.MULTILINE)


def is_enumeration(node: Node) -> bool:
    """Whether a normalised schema becomes an enumeration: several strings, or several integers."""
    return len(node.value.get("enum", ())) > 1 and _kinds(node) in ({"string"}, {"integer"})


def enumeration(node: Node) -> JSON:
    """Prepare an enumeration, with the names of its members and their descriptions."""
    values = node.value["enum"]
    names = node.value.get("x-enum-varnames")
    if (
        names is None
        or len({name.upper() for name in names}) != len(values)
        or not all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
    ):
        # Those of the spec are for another language.
        names = member_names(values)
    prepared: JSON = {"type": _kinds(node).pop(), "enum": values, "x-enum-varnames": names}
    documented = dict(_MEMBER_DOC.findall(node.text("description")))
    docs = node.value.get("x-enum-descriptions") or [
        documented.get(str(value), "").strip() for value in values
    ]
    if len(docs) == len(values) and any(docs):
        prepared["x-enum-descriptions"] = [wrapped(plain_text(doc), WIDTH - 4) for doc in docs]
    return prepared


def open_values(node: Node) -> JSON:
    """Prepare a constant, or values of several kinds, which no one class could keep open."""
    if "const" not in node:
        values = ", ".join(f"`{json.dumps(one, ensure_ascii=False)}`" for one in node.value["enum"])
        return {**_any_of(_kinds(node)), "description": f"One of {values}."}
    value = node.value["const"]
    kind = _kind(value)
    # A Literal holds no number with a point.
    if kind and kind != "number":
        return {"type": kind, "const": value}
    return _any_of({kind}) if value is not None else {"type": "null"}


def _any_of(kinds: set[str]) -> JSON:
    if "" in kinds:
        return {}
    return {"type": kinds.pop()} if len(kinds) == 1 else {"type": sorted(kinds)}


def _kinds(node: Node) -> set[str]:
    return {_kind(value) for value in node.value["enum"]}


def _kind(value: object) -> str:
    return _TYPES.get(type(value), "")
