"""Finds public names of the packages without a docstring, in generated code as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import griffe

from tools.packages import ROOTS
from tools.surface.public_names import PublicName, public_names


def missing_docstrings(workspace: Path) -> list[str]:
    """Return a line for each public name of a package that nothing describes.

    A field or attribute may be described by its own docstring, by the section `Attributes` of its
    class, or by a class above it. Fields that are made from the spec are described where the spec
    describes them.

    Args:
        workspace: The top of the repository; each `<folder>/src/<package>` in it is a package.
    """
    return [
        f"{name.path}: a public name without a docstring"
        for package in sorted(workspace.glob("*/src/*/__init__.py"))
        for name in public_names(package.parent.name, [package.parents[2] / root for root in ROOTS])
        if not _is_described(name, package.parents[2] / ROOTS[0])
    ]


def _is_described(name: PublicName, generated: Path) -> bool:
    item, short = name.item, name.path.rpartition(".")[2]
    if isinstance(item, str) or item.docstring is not None or short.startswith("__"):
        return True
    if not isinstance(item, griffe.Attribute) or not isinstance(item.parent, griffe.Class):
        return False
    is_made = (generated / Path(*item.module.path.split(".")).with_suffix(".py")).exists()
    return is_made or short in set(_attributes(item.parent, short))


def _attributes(owner: griffe.Class, short: str) -> Iterator[str]:
    for one in (owner, *owner.mro()):
        member = one.members.get(short)
        if member is not None and not member.is_alias and member.docstring is not None:
            yield short
        for section in one.docstring.parse("google") if one.docstring is not None else ():
            if isinstance(section, griffe.DocstringSectionAttributes):
                yield from (attribute.name for attribute in section.value)
