"""Parameters and forms as text: the styles of OpenAPI, most of which are those of RFC 6570."""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast
from urllib.parse import quote, urlencode

from stepflow_api._bodies import to_json
from stepflow_api.types import UNSET

__all__ = [
    "FORM",
    "USUAL",
    "USUAL_QUERY",
    "Style",
    "cookie_pairs",
    "form",
    "header_text",
    "path_text",
    "query_text",
]

FORM = "application/x-www-form-urlencoded"

# What may stand unescaped in a value of a query. "&", "#" and "+" may not, although RFC 6570 has
# them among the reserved characters: a value with one of them would be read as something else.
_RESERVED = ":/?@!$'()*,;="

# What a cookie's value may hold (RFC 6265), except the sign of an escape.
_COOKIE = "!#$&'()*+/:<=>?@[]^`{|}"

_SEPARATORS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}


@dataclass(frozen=True)
class Style:
    """How a parameter is written.

    Attributes:
        name: OpenAPI's name of the style; `json` for a parameter with JSON as its content.
        explode: Whether each member of a list or object is written on its own.
        allow_reserved: Whether a query's value keeps characters such as `/` and `:`.
        takes_objects: Whether a value may be a model or a dict.
    """

    name: str
    explode: bool = False
    allow_reserved: bool = False
    takes_objects: bool = True


USUAL_QUERY = Style("form", explode=True, takes_objects=False)
"""How query parameters and cookies are written by default."""

USUAL = Style("simple", takes_objects=False)
"""How path and header parameters are written by default."""

# Most values are of these types.
_USUAL_TYPES = (str, int, uuid.UUID)


def _scalar(value: Any) -> str:
    """Return a single value as text.

    Raises:
        ValueError: It is not a single value.
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str | int | float | uuid.UUID):
        return str(value)
    raise ValueError(f"is of type {type(value).__name__}; pass text, a number, a bool or a UUID")


def path_text(name: str, value: Any, style: Style) -> str:
    """Return a path parameter, percent-encoded; empty if it has no value."""
    if style is USUAL and isinstance(value, _USUAL_TYPES):
        return quote(_scalar(value), safe=",")
    if style.name == "json":
        return quote(_json(value), safe=",")
    first, separator = {"label": (".", "."), "matrix": (";", ";")}.get(style.name, ("", ","))
    members = _members(value, style)
    if members is None:
        return ""
    # The separators of a simple list stay as they are in its members, as they always have.
    safe = "," if style.name == "simple" else ""
    texts = [(key, quote(text, safe=safe)) for key, text in members]
    is_named = style.name == "matrix"
    if _is_object(_plain(value)):
        mark = "=" if style.explode else ","
        texts = [("", f"{quote(key, safe='')}{mark}{text}") for key, text in texts]
        is_named = is_named and not style.explode
    if not style.explode:
        separator = ","
    elif is_named:
        separator = f";{name}="
    body = separator.join(text for _, text in texts)
    return f"{first}{name}={body}" if is_named else first + body


def query_text(name: str, value: Any, style: Style) -> tuple[list[tuple[str, str]], str]:
    """Return a query parameter: pairs that are yet to be encoded, or text that is already."""
    if style is USUAL_QUERY and isinstance(value, _USUAL_TYPES):
        return [(name, _scalar(value))], ""
    if style.name == "json":
        pairs = [] if value is UNSET else [(name, _json(value))]
    elif style.name == "deepObject":
        pairs = list(_deep(name, _plain(value)))
    else:
        members = _members(value, style) or []
        is_object = _is_object(_plain(value))
        if not style.explode and members:
            if is_object:
                members = [("", part) for pair in members for part in pair]
            safe = _RESERVED.replace(",", "") if style.allow_reserved else ""
            texts = [quote(text, safe=safe) for _, text in members]
            return [], f"{quote(name, safe='')}={_SEPARATORS[style.name].join(texts)}"
        pairs = [(key if is_object else name, text) for key, text in members]
    if style.allow_reserved and pairs:
        texts = [f"{quote(key, safe='')}={quote(text, safe=_RESERVED)}" for key, text in pairs]
        return [], "&".join(texts)
    return pairs, ""


def header_text(_name: str, value: Any, style: Style) -> str | None:
    """Return the value of a header field; None if there is none."""
    if style.name == "json":
        return None if value is UNSET else _json(value)
    members = _members(value, style)
    if not members:
        return None
    if _is_object(_plain(value)):
        mark = "=" if style.explode else ","
        return ",".join(f"{key}{mark}{text}" for key, text in members)
    return ",".join(text for _, text in members)


def cookie_pairs(name: str, value: Any, style: Style) -> list[str]:
    """Return a cookie as it is sent; several if each member is written on its own."""
    pairs, text = query_text(name, value, Style(style.name, style.explode))
    return [text] if text else [f"{key}={quote(text, safe=_COOKIE)}" for key, text in pairs]


def form(body: Any) -> bytes:
    """Return a model or dict as an HTML form, of which a list is repeated for each member.

    Raises:
        ValueError: It has a value that is neither text, a number, a bool, nor a list of such.
    """
    document = _plain(body)
    if not _is_object(document):
        raise ValueError(f"is of type {type(body).__name__}; pass a model, a dict, bytes or text")
    pairs: list[tuple[str, str]] = []
    for name, value in document.items():
        try:
            pairs += query_text(name, value, USUAL_QUERY)[0]
        except ValueError as error:
            raise ValueError(f"has a field {name!r} that {error}") from error
    return urlencode(pairs).encode()


def _plain(value: Any) -> Any:
    """Return a model as the object that it stands for."""
    return value.to_dict() if hasattr(value, "to_dict") else value


def _is_object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _members(value: Any, style: Style) -> list[tuple[str, str]] | None:
    """Return the members of a value as text, with their keys; None if there is no value."""
    if style.takes_objects:
        value = _plain(value)
    if value is UNSET or value is None:
        return None
    if style.takes_objects and _is_object(value):
        return [
            (str(key), text)
            for key, part in value.items()
            for _, text in _members(part, style) or []
        ]
    if isinstance(value, list | tuple | set | frozenset):
        return [("", _scalar(one)) for one in cast("Iterable[Any]", value)]
    return [("", _scalar(value))]


def _deep(name: str, value: Any) -> Iterable[tuple[str, str]]:
    if _is_object(value):
        for key, part in value.items():
            yield from _deep(f"{name}[{key}]", _plain(part))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in cast("Iterable[Any]", value):
            yield from _deep(name, _plain(part))
    elif value is not UNSET and value is not None:
        yield name, _scalar(value)


def _json(value: Any) -> str:
    return to_json(value).decode()
