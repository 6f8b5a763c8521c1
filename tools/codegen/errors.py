"""The error of a spec that cannot be compiled, and text from a spec that is safe to print."""

import unicodedata
from pathlib import Path

# Control characters, halves of surrogate pairs, line separators, and format characters, which can
# show code in another order than Python reads it.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


class SpecError(Exception):
    """A spec that cannot be compiled: where in it, and what to change. Its text is one line.

    Args:
        place: JSON pointer into the spec, such as `#/paths/~1runs/get`; empty for the whole file.
        problem: What is wrong there, and what would be right.
        file: The file that the place lies in, if it is not the spec.
    """

    def __init__(self, place: str, problem: str, file: Path | None = None) -> None:
        super().__init__(printable(f"{place}: {problem}" if place else problem))
        self.file = file
        self.place = place
        self.problem = problem


class Refusals(SpecError):
    """Several errors of one spec, at least one."""

    def __init__(self, errors: list[SpecError]) -> None:
        super().__init__(errors[0].place, errors[0].problem, errors[0].file)
        self.errors = errors


def printable(text: str, keep: str = "") -> str:
    """Return text with the characters escaped that a terminal or an editor could interpret.

    Args:
        text: Text from a spec.
        keep: Characters that stay as they are.
    """
    keep += _JOINERS
    if text.translate(dict.fromkeys(map(ord, keep))).isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in _UNSAFE and c not in keep
        else c
        for c in text
    )
