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
_UNUSED = {"model_config", "__post_init__", "__repr__", "__str__"}
_RECORDS = re.compile(r"(BaseModel|NamedTuple|TypedDict)$")


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
    """

    path: str
    item: griffe.Object | str
    also: tuple[str, ...] = ()
    is_field: bool = False


def public_names(package: str, folders: Sequence[Path]) -> list[PublicName]:
    """Find every public name of a package, sorted by its dotted name.

    Public is what `__all__` names, or, where a module has none, each name without an underscore
    that is defined there, in every module without an underscore. What public classes inherit from
    private ones of the package is listed with the private class.

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
        public = dict(self._items)
        for canonical, item in public.items():
            paths = sorted(self._paths[canonical], key=lambda path: (path.count("."), path))
            yield PublicName(paths[0], item, tuple(paths[1:]))
            if isinstance(item, griffe.Class):
                yield from _members(item, paths[0])
        bases: dict[str, griffe.Class] = {}
        for item in public.values():
            if isinstance(item, griffe.Class):
                bases |= {base.path: base for base in item.mro() if base.path not in public}
        for path, base in bases.items():
            if base.package.path == self._package.path:
                yield PublicName(path, base)
                yield from _members(base, path)

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
