"""Python names for what a spec names."""

import keyword
import re
import unicodedata
from collections.abc import Sequence

from tools.codegen.errors import SpecError

_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_IN_A_NAME = re.compile(r"[^0-9A-Za-z]+")


def snake_case(name: str) -> str:
    """Gives `listHTTPRuns` as `list_http_runs`; empty where no letter or digit is left."""
    return _NOT_IN_A_NAME.sub("_", _WORD_BOUNDARY.sub("_", _ascii(name))).strip("_").lower()


def pascal_case(name: str) -> str:
    """Gives `list-runs` or `listRuns` as `ListRuns`; capitals inside a word stay."""
    return "".join(word[:1].upper() + word[1:] for word in _NOT_IN_A_NAME.split(_ascii(name)))


def _ascii(name: str) -> str:
    """Gives letters without their accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def field_name(name: str) -> str:
    """Gives the attribute or argument for a property or parameter.

    `$type` is `type`, `from` is `from_`, `2nd` is `field_2nd`.
    """
    snake = snake_case(name) or "field"
    if snake[0].isdigit():
        snake = f"field_{snake}"
    return f"{snake}_" if keyword.iskeyword(snake) else snake


def module_name(place: str, kind: str, name: str) -> str:
    """Gives the module name for a schema, an operation or a tag.

    Args:
        place: Where in the spec the name stands.
        kind: What is named, for the message.
        name: The name as the spec spells it.

    Raises:
        SpecError: No module can have that name, since no import statement could name it.
    """
    snake = snake_case(name)
    if not snake or not snake[0].isalpha():
        raise SpecError(place, f"{kind} {name!r} gives no Python name; begin it with a letter")
    if keyword.iskeyword(snake) or keyword.iskeyword(name):
        raise SpecError(place, f"{kind} {name!r} is a Python keyword; rename it")
    return snake


def member_names(values: Sequence[str | int]) -> list[str]:
    """Gives the names of an enumeration's members, such as `IN_PROGRESS` for `inProgress`.

    Of values that give one name, the one that is spelled so has it, and others get underscores.
    """
    names = [_member_name(str(value)) for value in values]
    for name in {name for name in names if names.count(name) > 1}:
        same = [index for index, other in enumerate(names) if other == name]
        same.sort(key=lambda index: str(values[index]) != name)
        for underscores, index in enumerate(same):
            names[index] = name + "_" * underscores
    return names


def _member_name(value: str) -> str:
    if not value:
        return "EMPTY"
    name = snake_case(value).upper()
    if not name:
        # Nothing but signs, such as ">=".
        words = (unicodedata.name(character, "CONTROL") for character in value)
        name = _NOT_IN_A_NAME.sub("_", " ".join(words))
    # A sign before a number or before the name of a field to sort by.
    if value[0] == "-" and len(value) > 1 and value[1].isalnum():
        name = f"MINUS_{name}"
    return f"VALUE_{name}" if name[0].isdigit() else name


class Taken:
    """The Python names given so far, so that the second of two equal ones is refused."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._owners: dict[str, tuple[str, str]] = {}

    def take(self, python_name: str, name: str, place: str) -> None:
        """Records that `name` is called `python_name`.

        Raises:
            SpecError: Another name of the spec is called so already.
        """
        other, other_place = self._owners.setdefault(python_name, (name, place))
        if other_place != place:
            raise SpecError(
                place,
                f"{self._kind} {name!r} and {other!r} ({other_place}) both give the Python name"
                f" {python_name!r}; rename one of them",
            )
