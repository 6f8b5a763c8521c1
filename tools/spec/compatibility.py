"""Separates the changes between two OpenAPI documents that break callers from those that do not.

A caller is a program that was written against the old document and meets a server of the new one,
or is built again with the code generated from the new one. So

- a request may take more than before, but not less: a new required field, a removed value break;
- an answer may say less than before, but not more: a value that callers have never met breaks, as
  does a field that may be missing now;
- a name of the generated code may not go away: an operation or a model that is called otherwise.

What goes both ways, or is of unknown meaning, has to keep both rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.json_types import is_json_array
from tools.spec.changes import ABSENT, Area, Change, Element, Kind, Side, summary
from tools.spec.diff import diff
from tools.spec.directions import model_sides
from tools.spec.effects import ANNOTATIONS, Effect, effect


class Broken(StrEnum):
    """What of a caller a change breaks."""

    REQUESTS = "requests"
    ANSWERS = "answers"
    NAMES = "names"


@dataclass(frozen=True)
class Judgement:
    """A change, and what it breaks.

    Attributes:
        change: The change.
        broken: What it breaks; empty for a compatible change.
    """

    change: Change
    broken: frozenset[Broken]

    @property
    def is_breaking(self) -> bool:
        """Whether callers can notice the change by failing."""
        return bool(self.broken)

    def __str__(self) -> str:
        what = [str(broken) for broken in Broken if broken in self.broken]
        verdict = f"breaking ({', '.join(what)})" if what else "compatible"
        return f"{verdict}: {self.change}"


def judge(old: dict[str, Any], new: dict[str, Any]) -> list[Judgement]:
    """Compare two documents and judge each difference.

    Returns:
        One judgement for each difference: the breaking ones first, and among them operations, then
        models, then the rest. None exactly when the documents are the same.
    """
    changes = diff(old, new)
    sides = model_sides(old) if any(change.area is Area.MODEL for change in changes) else {}
    judgements = [Judgement(change, frozenset(_broken(change, sides))) for change in changes]
    areas = list(Area)
    return sorted(judgements, key=lambda j: (not j.is_breaking, areas.index(j.change.area)))


def verdict(judgements: Sequence[Judgement]) -> str:
    """Return on one line how many changes break callers, and what differs."""
    breaking = sum(judgement.is_breaking for judgement in judgements)
    what = summary([judgement.change for judgement in judgements])
    return f"{breaking} breaking, {len(judgements) - breaking} compatible: {what}"


def _broken(change: Change, sides: Mapping[str, set[Side]]) -> Iterable[Broken]:
    match change.area:
        case Area.DOCUMENT:
            return _by_document(change)
        case Area.MODEL:
            if change.is_whole:
                # What refers to the model says what becomes of the wire.
                return [] if change.kind is Kind.ADDED else [Broken.NAMES]
            # No operation says which way it goes, so a person may use it either way.
            return _by_schema(change, sides.get(change.subject) or set(Side))
        case Area.OPERATION:
            return _by_side(change, change.side) if change.side else _by_operation(change)


def _by_schema(change: Change, sides: Iterable[Side]) -> Iterable[Broken]:
    if _VARIANT.search(change.place) and change.facet == "title":
        # The classes of variants without a name of their own are called by their titles.
        yield Broken.NAMES
    found = effect(change)
    if (found & Effect.NARROWS and Side.REQUEST in sides) or _requests_mean_less(change, sides):
        yield Broken.REQUESTS
    if found & Effect.WIDENS and Side.RESPONSE in sides:
        yield Broken.ANSWERS


def _requests_mean_less(change: Change, sides: Iterable[Side]) -> bool:
    """Whether a request that leaves something out means something else now."""
    if Side.REQUEST not in sides or "default" not in (change.keyword, change.facet):
        return False
    return bool(change.keyword) or change.old not in (ABSENT, None)


def _by_side(change: Change, side: Side) -> Iterable[Broken]:
    """Judges a change of a parameter, a request body or a response."""
    request = side is Side.REQUEST
    match change.element, change.kind:
        case (Element.PARAMETER | Element.REQUEST_BODY, Kind.ADDED):
            return [Broken.REQUESTS] if change.required else []
        case (Element.PARAMETER | Element.REQUEST_BODY, Kind.REMOVED):
            return [Broken.REQUESTS]
        case (Element.RESPONSE, Kind.ADDED):
            return [Broken.ANSWERS]
        case (Element.RESPONSE, Kind.REMOVED):
            # Nobody waits for an error.
            return [Broken.ANSWERS] if _SUCCESS.search(change.place) else []
        case (Element.MEDIA_TYPE, Kind.ADDED):
            # A server sends what the caller accepts.
            return []
        case (Element.MEDIA_TYPE, Kind.REMOVED):
            return [Broken.REQUESTS if request else Broken.ANSWERS]
        case _ if change.facet in _STYLES and _is_usual_style(change):
            return []
        case (_, Kind.ADDED) if "headers" in (change.keyword, change.facet):
            return []
        case _:
            return _by_schema(change, [side])


def _is_usual_style(change: Change) -> bool:
    """Whether a style is told, or no longer told, that a parameter of this kind has anyway."""
    value = change.old if change.kind is Kind.REMOVED else change.new
    form = " query parameter " in change.place or " cookie parameter " in change.place
    usual = {"style": "form" if form else "simple", "explode": form}
    return change.kind is not Kind.CHANGED and bool(value == usual[change.facet])


def _by_operation(change: Change) -> Iterable[Broken]:
    if change.is_whole:
        names = [Broken.NAMES] if change.kind is not Kind.ADDED else []
        return [*names, Broken.REQUESTS] if change.kind is Kind.REMOVED else names
    match change.keyword or change.facet:
        case "operationId":
            return [Broken.NAMES]
        case "tags":
            return [Broken.NAMES] if _first(change.old) != _first(change.new) else []
        case "address":
            return [Broken.REQUESTS]
        case "security":
            return [Broken.REQUESTS]
        case name if name in ANNOTATIONS or name.startswith(("order of ", "x-")):
            return []
        case _:
            return [Broken.REQUESTS, Broken.ANSWERS]


def _by_document(change: Change) -> Iterable[Broken]:
    name = change.keyword or change.facet
    if change.subject in _WORDS or change.subject.startswith("x-"):
        return []
    if name in ANNOTATIONS or name.startswith(("order of ", "x-")):
        return []
    if change.subject == "security":
        gone = change.kind is Kind.REMOVED and not change.place
        return [] if gone else [Broken.REQUESTS]
    if change.kind is Kind.ADDED and _ENTRY.fullmatch(change.place):
        return []
    return [Broken.REQUESTS, Broken.ANSWERS]


def _first(value: Any) -> Any:
    return value[0] if is_json_array(value) and value else None


_VARIANT = re.compile(r"\.(?:oneOf|anyOf)\[[^]]*\]$")
_STYLES = ("explode", "style")
_SUCCESS = re.compile(r" (?:2|default)\w*$")

#: A part of the document as a whole, such as a server or a security scheme.
_ENTRY = re.compile(r"(?:\.[^.[]+){0,2}|\[[^]]*\]")

#: Parts of a document that people read.
_WORDS = frozenset({"components.schemas", "document", "externalDocs", "info", "openapi", "tags"})
