"""Which module holds which model: one each, and one for all that refer to each other.

So a program imports the models that it uses and what they refer to, and no import is a circle.
"""

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

GENERATED = "Generated"


@dataclass(frozen=True)
class Group:
    """The models of one module.

    Attributes:
        names: Their names, in the order in which they can be defined.
        module: The module of the generated ones, below `models`.
        is_cyclic: Whether they refer to each other, or the only one to itself.
    """

    names: tuple[str, ...]
    module: str
    is_cyclic: bool


class Groups:
    """All models of a spec, each in its group.

    Args:
        uses: Names of the models that each model refers to; the order is kept within a group.
        modules: The module for each model, below `models`, where its hand-written form is as well.
        overrides: Names of the models that are written by hand. The generated class is then called
            `Generated...`, for the hand-written one to subclass.
    """

    def __init__(
        self, uses: Mapping[str, Set[str]], modules: Mapping[str, str], overrides: Set[str]
    ) -> None:
        self.uses = uses
        self._modules = modules
        self._overrides = overrides
        self._groups: dict[str, Group] = {}
        ranks = {name: rank for rank, name in enumerate(uses)}
        for found in _strongly_connected(uses):
            first, *others = sorted(found, key=ranks.__getitem__)
            names = (first, *others)
            is_cyclic = bool(others) or first in uses[first]
            is_plain = not others and first not in overrides
            module = modules[min(names)]
            group = Group(names, module if is_plain else f"_generated.{module}", is_cyclic)
            self._groups |= dict.fromkeys(names, group)

    def __iter__(self) -> Iterator[Group]:
        return iter(dict.fromkeys(self._groups.values()))

    def generated(self, name: str) -> tuple[str, str]:
        """Return the module of a generated class, and its name there."""
        prefix = GENERATED if name in self._overrides else ""
        return self._groups[name].module, prefix + name

    def home(self, name: str) -> str:
        """Return the module that defines a model as users see it."""
        return self._modules[name] if name in self._overrides else self._groups[name].module


def users(uses: Mapping[str, Set[str]]) -> dict[str, list[str]]:
    """Return the names that use each name."""
    used_by: dict[str, list[str]] = {name: [] for name in uses}
    for name, used in uses.items():
        for other in used:
            used_by[other].append(name)
    return used_by


def _strongly_connected(uses: Mapping[str, Set[str]]) -> list[list[str]]:
    """Return the lists of names that reach each other, by Kosaraju's algorithm."""
    used_by = users(uses)
    finished: list[str] = []
    seen: set[str] = set()
    for start in uses:
        _visit(start, uses, seen, finished)
    found: list[list[str]] = []
    seen.clear()
    for start in reversed(finished):
        members: list[str] = []
        _visit(start, used_by, seen, members)
        if members:
            found.append(members)
    return found


def _visit(
    start: str, edges: Mapping[str, Collection[str]], seen: set[str], finished: list[str]
) -> None:
    """Append what can be reached and was not seen, each name after those that it reaches."""
    path = [("", iter([start]))]
    while path:
        name, rest = path[-1]
        for other in rest:
            if other not in seen:
                seen.add(other)
                path.append((other, iter(edges[other])))
                break
        else:
            path.pop()
            finished += [name] if name else []
