"""Python names for what a spec names."""

import hashlib
import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Methods of the models' base class, and names that types are written with.
_METHODS = frozenset({"from_dict", "to_dict", "to_json"})
_TYPES = frozenset({"bool", "bytes", "dict", "float", "int", "list", "str", "tuple"})
_NOT_IN_A_NAME = re.compile(r"[^0-9A-Za-z]+")


def snake_case(name: str) -> str:
    """Return `listHTTPRuns` as `list_http_runs`; empty where no letter or digit is left."""
    return _NOT_IN_A_NAME.sub("_", _WORD_BOUNDARY.sub("_", _ascii(name))).strip("_").lower()


def pascal_case(name: str) -> str:
    """Return `list-runs` or `listRuns` as `ListRuns`; capitals inside a word stay."""
    return "".join(word[:1].upper() + word[1:] for word in _NOT_IN_A_NAME.split(_ascii(name)))


def _ascii(name: str) -> str:
    """Return letters without their accents, those of other scripts in Latin or by their number."""
    if name.isascii():
        return name
    return "".join(map(_latin, unicodedata.normalize("NFKC", name)))


def _latin(character: str) -> str:
    bare = unicodedata.normalize("NFKD", character)
    if bare[0].isascii() or not character.isalnum():
        return "".join(part for part in bare if not unicodedata.combining(part))
    # The last word of HIRAGANA LETTER KA, or of GREEK SMALL LETTER ALPHA WITH TONOS before WITH.
    name = unicodedata.name(character, "").partition(" WITH ")[0]
    _, marker, sound = name.rpartition(" LETTER ")
    if not marker:
        _, marker, sound = name.rpartition(" SYLLABLE ")
    word = sound.split(" ")[-1]
    return word.lower() if marker and word.isalpha() else f"u{ord(character):x}"


def _spelled(name: str) -> str:
    """Return a name that consists of signs alone in words, such as `hyphen minus`."""
    return " ".join(unicodedata.name(character, "control") for character in name).lower()


def field_name(name: str) -> str:
    """Return the attribute or argument for a property or parameter.

    `$type` is `type`, `from` is `from_`, `2nd` is `field_2nd`, `+1` is `plus_1`.
    """
    if name[:1] in ("+", "-") and name[1:2].isdigit():
        name = f"{'plus' if name[0] == '+' else 'minus'}_{name[1:]}"
    return _identifier(snake_case(name), "field")


def attribute_names(keys: Iterable[str]) -> dict[str, str]:
    """Return the attributes for the properties of a class, by their keys."""
    names = Names()
    found: dict[str, str] = {}
    for key in keys:
        name = field_name(key)
        if name in _TYPES or hasattr(BaseModel, name) or name in _METHODS:
            name = f"{name.rstrip('_')}_"
        found[key] = names.take(name, key)
    return found


def module_name(name: str, kind: str) -> str:
    """Return the module name for a schema, an operation or a tag.

    Args:
        name: The name as the spec spells it.
        kind: What is named: what a name begins with that Python would not have.
    """
    return _identifier(snake_case(name) or snake_case(_spelled(name)), kind)


def class_name(name: str) -> str:
    """Return the class for a schema: `list-runs` is `ListRuns`, `400` is `Schema400`."""
    pascal = pascal_case(name) or pascal_case(_spelled(name)) or "Schema"
    if pascal[0].isdigit():
        pascal = f"Schema{pascal}"
    return f"{pascal}_" if keyword.iskeyword(pascal) else pascal


def _identifier(snake: str, kind: str) -> str:
    snake = snake or kind
    if snake[0].isdigit():
        snake = f"{kind}_{snake}"
    return f"{snake}_" if keyword.iskeyword(snake) else snake


def member_names(values: Sequence[str | int]) -> list[str]:
    """Return the names of an enumeration's members, such as `IN_PROGRESS` for `inProgress`.

    Of values with the same name, the one that is spelled so keeps it; others get underscores.
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
    # Nothing but signs, such as ">=", is spelled.
    name = (snake_case(value) or snake_case(_spelled(value))).upper()
    # A sign before a number or before the name of a field to sort by.
    if value[0] == "-" and len(value) > 1 and value[1].isalnum():
        name = f"MINUS_{name}"
    return f"VALUE_{name}" if name[0].isdigit() else name


class Names:
    """Python names given so far, each to one thing of the spec.

    The first that asks for a name gets it. Another gets it with a suffix that is made of nothing
    but what the spec calls it, so a name stays as it is when the spec grows.
    """

    def __init__(self, *reserved: str) -> None:
        self._owners: dict[str, str] = dict.fromkeys(reserved, "")

    def take(self, name: str, owner: str) -> str:
        """Return a name, or that name with a suffix.

        Args:
            name: The name that is wanted.
            owner: What it is for, such as its place in the spec.
        """
        digest = hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()
        free = name
        for length in range(4, len(digest)):
            if self._owners.setdefault(free, owner) == owner:
                return free
            free = f"{name.rstrip('_')}_{digest[:length]}"
        raise AssertionError(name)

    def __contains__(self, name: str) -> bool:
        return name in self._owners


def module_of(class_name: str) -> str:
    """Return the module of a class."""
    return _identifier(snake_case(class_name), "schema")
