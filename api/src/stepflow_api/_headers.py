"""Header fields, as requests and answers hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from stepflow_api._hidden import Hidden

#: Header fields to send: name and value by the name in lower case.
Fields: TypeAlias = Hidden[dict[bytes, tuple[bytes, bytes]]]

# What HTTP allows, in ASCII; a client would show the value that it refuses, and values are secrets.
FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD_VALUE = re.compile(rb"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?")


class Headers:
    """Header fields of an answer."""

    __slots__ = ("_values",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[bytes, list[bytes]] = {}
        for name, value in raw:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """Return the value of a field; if it is there more than once, all of them with commas.

        Args:
            name: Its name in lower case.
            default: What to return if there is no such field.
        """
        values = self._values.get(name.encode("ascii"))
        return default if values is None else _text(values)

    def to_dict(self) -> dict[str, str]:
        """Return the values by their names, which are in lower case and found in any case."""
        values = self._values.items()
        return _AnyCase({name.decode("latin-1"): _text(texts) for name, texts in values})


class _AnyCase(dict[str, str]):
    """Values by names in lower case, which are found in any case."""

    def __missing__(self, name: str) -> str:
        lower = name.lower()
        if lower == name:
            raise KeyError(name)
        return self[lower]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _text(values: list[bytes]) -> str:
    if len(values) > 1:
        return ", ".join(_text([value]) for value in values)
    try:
        return values[0].decode()
    except UnicodeDecodeError:
        return values[0].decode("latin-1")
