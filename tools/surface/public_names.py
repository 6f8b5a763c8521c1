"""Finds every public name of a package in its sources, without importing them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import griffe

from tools.packages import modules

# No caller uses these by name, nor leans on their text.
_UNUSED = {
    *("model_config", "__get_pydantic_core_schema__", "__post_init__"),
    *("__reduce__", "__reduce_ex__", "__repr__", "__str__"),
}
_RECORDS = re.compile(r"(Model|NamedTuple|TypedDict)$")


class SurfaceError(Exception):
    """A package whose public names cannot be found; the message says why, on one line."""


@dataclass(frozen=True)
class PublicName:
    """A public name.

    Attributes:
        path: The shortest dotted name under which callers can have it.
        item: What it stands for; of another package's, the dotted name there.
        also: The other public dotted names of the same thing.
        is_field: Whether it is a field of a model or of another record.
        bases: The bases of a class; those of a private base in its place.
    """

    path: str
    item: griffe.Object | str
    also: tuple[str, ...] = ()
    is_field: bool = False
    bases: tuple[str, ...] = ()


def public_names(package: str, folders: Sequence[Path]) -> list[PublicName]:
    """Find every public name of a package, sorted by its dotted name.

    Public is what `__all__` names, or, where a module has none, each name without an underscore
    that is defined there, in every module without an underscore. Members that a class inherits from
    private classes of the package are its own.

    Args:
        package: The package's import name.
        folders: Import roots that hold parts of the package; later ones win.

    Raises:
        SurfaceError: The sources cannot be read.
    """
    with tempfile.TemporaryDirectory() as root:
        for path, file in modules(folders, package).items():
            link = Path(root, path)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.absolute())
        if not Path(root, package).is_dir():
            places = ", ".join(map(str, folders))
            raise SurfaceError(f"{package}: found in none of {places}; correct the folders")
        try:
            found = griffe.load(
                package, search_paths=[root], allow_inspection=False, resolve_aliases=True
            )
        except (griffe.GriffeError, SyntaxError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split()).replace(f"{root}/", "")
            raise SurfaceError(f"{package}: cannot be read: {reason}; correct the file") from None
        if not isinstance(found, griffe.Module):
            raise SurfaceError(f"{package}: is no package; correct its name")
        return sorted(_Finder(found).names(), key=lambda name: name.path)


class _Finder:
    def __init__(self, package: griffe.Module) -> None:
        self._package = package
        self._paths: dict[str, list[str]] = {}
        self._items: dict[str, griffe.Object] = {}
        self._foreign: list[PublicName] = []

    def names(self) -> Iterator[PublicName]:
        self._visit(self._package, self._package.path)
        yield from self._foreign
        for canonical, item in self._items.items():
            paths = sorted(self._paths[canonical], key=lambda path: (path.count("."), path))
            if not isinstance(item, griffe.Class):
                yield PublicName(paths[0], item, tuple(paths[1:]))
                continue
            bases: list[str] = []
            members: dict[str, PublicName] = {}
            for owner in self._with_private_bases(item, bases):
                members = {name.path: name for name in _members(owner, paths[0])} | members
            yield PublicName(paths[0], item, tuple(paths[1:]), bases=tuple(dict.fromkeys(bases)))
            yield from (name for name in members.values() if not self._is_internal(name.item))

    def _with_private_bases(self, item: griffe.Class, public: list[str]) -> Iterator[griffe.Class]:
        """Yield a class and those above it, up to the public ones, which are added to `public`."""
        yield item
        for base in item.bases:
            found = None if isinstance(base, str) else self._class(base.canonical_path)
            if found is None or found.path in self._items:
                public.append(str(base))
            else:
                yield from self._with_private_bases(found, public)

    def _is_internal(self, item: griffe.Object | str) -> bool:
        """Whether only the package calls it: a constructor that takes a private class."""
        if not isinstance(item, griffe.Function) or item.name != "__init__":
            return False
        classes = [
            self._class(part.canonical_path)
            for one in item.parameters
            if isinstance(one.annotation, griffe.Expr)
            for part in one.annotation.iterate()
            if isinstance(part, griffe.ExprName)
        ]
        return any(found is not None and found.path not in self._items for found in classes)

    def _class(self, path: str) -> griffe.Class | None:
        """Return a class of the package."""
        try:
            item = _target(self._package.modules_collection[path])
        except KeyError:
            return None
        return item if isinstance(item, griffe.Class) else None

    def _visit(self, module: griffe.Module, path: str) -> None:
        self._add(path, module)
        for name, member in module.members.items():
            item = _target(member)
            if item is None or item.package.path != self._package.path:
                if isinstance(member, griffe.Alias) and name in (module.exports or ()):
                    self._foreign.append(PublicName(f"{path}.{name}", member.target_path))
                continue
            if isinstance(item, griffe.Module):
                # One that is only imported is listed where it lies.
                if not member.is_alias and not name.startswith("_"):
                    self._visit(item, f"{path}.{name}")
            elif member.is_public:
                self._add(f"{path}.{name}", item)

    def _add(self, path: str, item: griffe.Object) -> None:
        self._items[item.path] = item
        self._paths.setdefault(item.path, []).append(path)


def _target(member: griffe.Object | griffe.Alias) -> griffe.Object | None:
    if not isinstance(member, griffe.Alias):
        return member
    try:
        return member.final_target
    except griffe.GriffeError:
        # Another package's; that one lists it.
        return None


def _members(item: griffe.Class, path: str) -> Iterator[PublicName]:
    records = any(_RECORDS.search(str(base)) for one in (item, *item.mro()) for base in one.bases)
    for name, member in item.members.items():
        target = _target(member)
        special = name.startswith("__") and name.endswith("__")
        if target is None or name in _UNUSED or (name.startswith("_") and not special):
            continue
        if special and not target.is_function:
            continue
        yield PublicName(f"{path}.{name}", target, is_field=records and _is_field(target))
        if isinstance(target, griffe.Class):
            yield from _members(target, f"{path}.{name}")


def _is_field(item: griffe.Object) -> bool:
    is_typed = isinstance(item, griffe.Attribute) and item.annotation is not None
    # A ClassVar is the class's alone.
    return is_typed and "instance-attribute" in item.labels
