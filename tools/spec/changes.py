"""The records that a comparison of two OpenAPI documents yields, and their text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Final


class Absent(Enum):
    """The type of `ABSENT`, which stands for a value that one of the documents does not have."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Area(StrEnum):
    """The part of a document that a change belongs to."""

    OPERATION = "operation"
    MODEL = "model"
    DOCUMENT = "document"


class Kind(StrEnum):
    """What happened to the changed thing."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"


class Side(StrEnum):
    """Which way a part of an operation goes over the wire."""

    REQUEST = "request"
    RESPONSE = "response"


class Element(StrEnum):
    """What was added or removed, where that is more than a property of something."""

    FIELD = "field"
    PARAMETER = "parameter"
    REQUEST_BODY = "request body"
    RESPONSE = "response"
    MEDIA_TYPE = "media type"


#: How a reference names a model.
SCHEMA_PREFIX: Final = "#/components/schemas/"

#: Facets that people read and that no request or answer depends on.
TEXT_FACETS = frozenset({"description", "summary", "externalDocs", "example", "examples"})

_WIDTH = 72
_PLAIN_NAME = re.compile(r"[\w$@-]+")


@dataclass(frozen=True)
class Change:
    """One difference between two documents.

    Attributes:
        area: The part of the document.
        subject: The operation (`GET /runs (listRuns)`), the model, or the top-level key.
        kind: What happened.
        place: Where in the subject, as it is printed after it; empty for the subject itself.
        facet: The property of the place that differs (`minimum`); empty for the place itself.
        old: The value before, or `ABSENT`.
        new: The value after, or `ABSENT`.
        detail: What the values are, in words, where their text would say too much.
        side: The way that the changed part of an operation goes; None for a model, which may go
            both ways, and for what goes no way.
        keyword: The keyword in whose value the place lies, where that is compared as mere JSON.
        element: What was added or removed at the place.
        required: Whether that element must be there.
    """

    area: Area
    subject: str
    kind: Kind
    place: str = ""
    facet: str = ""
    old: Any = ABSENT
    new: Any = ABSENT
    detail: str = ""
    side: Side | None = None
    keyword: str = ""
    element: Element | None = None
    required: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the subject itself was added, removed or renamed."""
        return not self.place and not self.facet and self.kind is not Kind.CHANGED

    @property
    def is_text_only(self) -> bool:
        """Whether the change touches nothing but words for people."""
        return (self.keyword or self.facet) in TEXT_FACETS

    def __str__(self) -> str:
        return f"{self.subject}{self.place}: {self._text()}"

    def _text(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        if not self.facet:
            if self.kind is Kind.RENAMED:
                return f"renamed to {self.new}"
            if self.kind is Kind.CHANGED:
                return " -> ".join(_excerpts(self.old, self.new))
            return f"{self.kind}{detail}"
        facet = f"{self.facet} (text only)" if self.is_text_only else self.facet
        if self.facet == "required" and (words := _presence(self.old, self.new)):
            return words
        if self.kind is Kind.CHANGED:
            return f"{facet} {self.detail or ' -> '.join(_excerpts(self.old, self.new))}"
        value = self.new if self.kind is Kind.ADDED else self.old
        return f"{facet} {self.kind}: {self.detail or _excerpt(value)}"


@dataclass(frozen=True)
class Place:
    """A place in a document, from which the changes found there are made."""

    area: Area
    subject: str
    path: str = ""
    side: Side | None = None
    keyword: str = ""

    def __truediv__(self, suffix: str) -> Place:
        """Return the place that is printed with the suffix after this one."""
        return replace(self, path=self.path + suffix)

    def field(self, name: str) -> Place:
        """Return the place of a field or key."""
        return self / (f".{name}" if _PLAIN_NAME.fullmatch(name) else f"[{json.dumps(name)}]")

    def on(self, side: Side) -> Place:
        """Return this place as one that goes this way over the wire."""
        return replace(self, side=side)

    def inside(self, keyword: str) -> Place:
        """Return this place as one in the value of a keyword, unless it is in one already."""
        return replace(self, keyword=self.keyword or keyword)

    def added(
        self, detail: str = "", *, element: Element | None = None, required: bool = False
    ) -> Change:
        """Says that what stands here is new."""
        return self._change(Kind.ADDED, detail=detail, element=element, required=required)

    def removed(
        self, detail: str = "", *, element: Element | None = None, required: bool = False
    ) -> Change:
        """Says that what stood here is gone."""
        return self._change(Kind.REMOVED, detail=detail, element=element, required=required)

    def renamed(self, new: str) -> Change:
        """Says that what stands here has another name now."""
        return self._change(Kind.RENAMED, old=self.subject, new=new)

    def value(self, old: Any, new: Any) -> Change:
        """Says that the value here differs."""
        kind, value = _kind_of(old, new)
        detail = "" if kind is Kind.CHANGED else _excerpt(value)
        return self._change(kind, old=old, new=new, detail=detail)

    def facet(self, name: str, old: Any, new: Any, detail: str = "") -> Change:
        """Says that a property of what stands here differs."""
        kind, _ = _kind_of(old, new)
        return self._change(kind, facet=name, old=old, new=new, detail=detail)

    def order(self, old: Iterable[str], new: Iterable[str], what: str = "keys") -> list[Change]:
        """Says whether the names that both sides have stand in another order."""
        old, new = list(old), list(new)
        before, after = [k for k in old if k in new], [k for k in new if k in old]
        return [] if before == after else [self.facet(f"order of {what}", before, after)]

    def _change(self, kind: Kind, **values: Any) -> Change:
        return Change(
            self.area,
            self.subject,
            kind,
            self.path,
            side=self.side,
            keyword=self.keyword,
            **values,
        )


def summary(changes: Sequence[Change]) -> str:
    """Return how many operations, models and other parts differ, on one line."""
    parts: list[str] = []
    for area, noun in (
        (Area.OPERATION, "operation"),
        (Area.MODEL, "model"),
        (Area.DOCUMENT, "other part"),
    ):
        subjects: dict[str, list[Change]] = {}
        for change in changes:
            if change.area is area:
                subjects.setdefault(change.subject, []).append(change)
        outcomes = [_outcome(found) for found in subjects.values()]
        for outcome in dict.fromkeys(outcomes):
            count = outcomes.count(outcome)
            parts.append(f"{count} {noun}{'s' if count > 1 else ''} {outcome}")
    return ", ".join(parts) or "nothing differs"


def _outcome(changes: Sequence[Change]) -> str:
    whole = [change for change in changes if change.is_whole]
    if whole:
        return str(whole[0].kind)
    return "changed in text only" if all(c.is_text_only for c in changes) else "changed"


def _kind_of(old: Any, new: Any) -> tuple[Kind, Any]:
    if old is ABSENT:
        return Kind.ADDED, new
    return (Kind.REMOVED, old) if new is ABSENT else (Kind.CHANGED, new)


def _presence(old: Any, new: Any) -> str:
    words = {True: "required", False: "optional", ABSENT: "optional"}
    if not all(value is ABSENT or isinstance(value, bool) for value in (old, new)):
        return ""
    if words[old] == words[new]:
        return ""
    return f"{words[old]} -> {words[new]}"


def _text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace(SCHEMA_PREFIX, "")


def _excerpt(value: Any) -> str:
    text = _text_of(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _excerpts(old: Any, new: Any) -> tuple[str, str]:
    """Return both values on one line, of long ones the part around the first difference."""
    before, after = _text_of(old), _text_of(new)
    if max(len(before), len(after)) <= _WIDTH:
        return before, after
    pairs = zip(before, after, strict=False)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))
    start = max(0, same - _WIDTH // 3)
    return _window(before, start), _window(after, start)


def _window(text: str, start: int) -> str:
    end = start + _WIDTH
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
