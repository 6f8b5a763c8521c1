"""Puts the generated classes, enumerations and aliases into modules.

Base classes are chosen by how a model is used, and hand-written models take the place of the
generated ones.
"""

from collections.abc import Callable, Mapping

from tools.codegen.directions import reachable
from tools.codegen.document import JSON
from tools.codegen.groups import Group, Groups, users
from tools.codegen.imports import imports
from tools.codegen.inheritance import base_names
from tools.codegen.library import Generated

BASES = ("AnswerModel", "FreeKeys", "Model", "RequestModel", "SendsConstants")


class Modules:
    """The modules of models.

    Args:
        made: Prepared schema of each class, enumeration and alias by its name.

    Attributes:
        uses: For each class and alias the others in its definition.
    """

    def __init__(self, made: JSON) -> None:
        self._made = made
        self.uses: dict[str, set[str]] = {}
        for name in made:
            self._use(name)

    def _use(self, name: str) -> None:
        """Find the uses of a name, after those of its base classes, which are defined first."""
        if name not in self.uses:
            for base in base_names(self._made[name]):
                self._use(base)
            self.uses[name] = reachable({}, [self._made[name]], deep=False)

    def is_model(self, name: str) -> bool:
        """Whether a name is that of a class with fields, rather than an enumeration or an alias."""
        schema = self._made.get(name, {})
        return "properties" in schema or "allOf" in schema

    def objects(self) -> set[str]:
        """Return the names of those whose documents are, or may hold, objects."""
        used_by = users(self.uses)
        found: set[str] = set()
        pending = [name for name in self.uses if self.is_model(name)]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += used_by[name]
        return found

    def heads(self, groups: Groups, kinds: Mapping[str, str]) -> dict[str, str]:
        """Return for each class the name that it is defined by, and its bases.

        Args:
            groups: All groups.
            kinds: Base class by the name of the class or alias.
        """
        return {
            name: f"{groups.generated(name)[1]}({', '.join(self._bases(name, kinds, groups))})"
            for name in self._made
            if self.is_model(name)
        }

    def text(
        self, group: Group, groups: Groups, generated: Generated, *, package: str, support: str
    ) -> str:
        """Return the module of a group, without its first lines.

        Args:
            group: The group.
            groups: All groups.
            generated: The definitions.
            package: Import name of the package that is made.
            support: Import name of the package with the base classes.
        """
        own = [groups.generated(name)[1] for name in group.names]
        parts, late = ["", f"__all__ = {sorted(own)!r}"], set[str]()
        known = {name: (f"{support}.base", name) for name in (*BASES, "OpenUnion", "complete")}
        known |= generated.imports
        for name in group.names:
            parts += ["", "", generated.texts[name]]
            for used in groups.uses[name]:
                for module, found in ((groups.home(used), used), groups.generated(used)):
                    if used not in group.names:
                        known[found] = (f"{package}.models.{module}", found)
                    elif module != group.module:
                        # Written by hand, it builds on a class of this module.
                        late.add(f"from {package}.models.{module} import {found} as {found}")
        models = {
            found
            for name in filter(self.is_model, group.names)
            for found in (groups.generated(name)[1], name)
        }
        parts += sorted(late)
        names = set[str]().union(*(generated.uses[name] for name in group.names))
        if group.is_cyclic and models:
            names.add("complete")
            parts.append(f"complete({', '.join(sorted(models))})")
        needed = imports({name: known[name] for name in names & known.keys()})
        return "\n".join([needed, *parts]) + "\n"

    def _parts(self, schema: JSON) -> list[JSON]:
        return [part for part in schema.get("allOf", [schema]) if "$ref" not in part]

    def _bases(self, name: str, kinds: Mapping[str, str], groups: Groups) -> list[str]:
        refs, kind = base_names(self._made[name]), kinds[name]
        bases = [groups.generated(base)[1] for base in refs]
        # Last, it decides what becomes of unknown fields.
        if not bases or (kind != "Model" and kind not in map(kinds.get, refs)):
            bases.append(kind)
        if self._has_free_keys(name) and not self._inherits(self._has_free_keys, name):
            bases.insert(0, "FreeKeys")
        inherits = self._inherits(self._has_constant, name)
        return ["SendsConstants", *bases] if self._has_constant(name) and not inherits else bases

    def _has_free_keys(self, name: str) -> bool:
        return any("additionalProperties" in part for part in self._parts(self._made[name]))

    def _inherits(self, has: Callable[[str], bool], name: str) -> bool:
        bases = base_names(self._made[name])
        return any(has(base) or self._inherits(has, base) for base in bases)

    def _has_constant(self, name: str) -> bool:
        """Whether a class has a field that is the same constant in every document."""
        return any(
            "const" in schema and key in part["required"] and not schema.get("nullable")
            for part in self._parts(self._made[name])
            for key, schema in part["properties"].items()
        )
