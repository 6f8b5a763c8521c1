"""Header fields, as requests and answers hold them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from stepflow_api._hidden import Hidden

if TYPE_CHECKING:
    import httpx

#: Header fields to send: name and value by the name in lower case.
Fields: TypeAlias = Hidden[dict[bytes, tuple[bytes, bytes]]]


class Headers:
    """Header fields of an answer.

    Args:
        raw: Names and values as they came.
    """

    __slots__ = ("_fields",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._fields = [(name.lower(), value) for name, value in raw]

    def get(self, name: str, default: str = "") -> str:
        """Gives the value of a field; where it is there more than once, all of them with commas.

        Args:
            name: Its name in lower case.
            default: What it gives where there is no such field.
        """
        wanted = name.encode("ascii")
        values = [_text(value) for field, value in self._fields if field == wanted]
        return ", ".join(values) if values else default

    def to_dict(self) -> dict[str, str]:
        """Gives the values by their names, which are in lower case."""
        values: dict[str, list[str]] = {}
        for name, value in self._fields:
            values.setdefault(name.decode("latin-1"), []).append(_text(value))
        return {name: ", ".join(found) for name, found in values.items()}

    def to_httpx(self) -> httpx.Headers:
        """Gives them in the form that this package's answers have."""
        import httpx

        return httpx.Headers(self._fields)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
