"""Values that no repr shows.

Tracebacks with local variables (rich's `show_locals`, `pytest --showlocals`, error trackers) print
the repr of each variable of each frame, so no variable of this package holds a secret as it is.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Hidden(Generic[T_co]):
    """A value that may be a secret.

    Attributes:
        value: The value. Use it where it is needed, and bind it to no other variable.
    """

    __slots__ = ("value",)

    def __init__(self, value: T_co) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<hidden>"
