"""Compares two listings, and says which differences break callers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LINE = re.compile(
    r"(?P<kind>(?:[a-z]+ )*?def|[a-z]+) (?P<path>[\w.]+)(?P<rest>.*)",
)
_WIDEST = frozenset({"Any", "object"})


@dataclass(frozen=True)
class Change:
    """A difference between two listings.

    Attributes:
        path: The public name.
        text: What became of it.
        breaks: Whether code that used it before can fail now.
    """

    path: str
    text: str
    breaks: bool

    def __str__(self) -> str:
        """Return the change on one line."""
        return f"{'breaks callers' if self.breaks else 'compatible'}: {self.path}: {self.text}"


@dataclass(frozen=True)
class _Entry:
    path: str
    kind: str
    rests: tuple[str, ...]

    def is_like(self, other: _Entry | None) -> bool:
        return other is not None and (self.kind, self.rests) == (other.kind, other.rests)


_Entries = Mapping[str, _Entry]


def changes(old: str, new: str) -> list[Change]:
    """Compare two listings; return what breaks callers first.

    A name that a class has inherited since counts as the same name.
    """
    before, after = _entries(old), _entries(new)
    found = [
        change
        for path in sorted(before.keys() | after.keys())
        for change in _changes_of(path, before, after)
    ]
    return sorted(found, key=lambda change: not change.breaks)


def _entries(text: str) -> _Entries:
    entries: dict[str, _Entry] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        path, rest = match["path"], match["rest"]
        rests = [*entries[path].rests, rest] if path in entries else [rest]
        entries[path] = _Entry(path, match["kind"], tuple(rests))
    return entries


def _changes_of(path: str, before: _Entries, after: _Entries) -> Iterator[Change]:
    was, now = before.get(path), after.get(path)
    if was is None and now is not None:
        if _inherited(path, before) is None:
            yield Change(path, f"new: {now.kind}{now.rests[0]}", _must_be_given(now, before))
        return
    now = now or _inherited(path, after)
    if was is None or was.is_like(now):
        return
    # A name that moved can still be had where it was.
    was, now = _aliased(was, before), now and _aliased(now, after)
    if now is None:
        yield Change(path, "removed", True)
    elif was.is_like(now):
        return
    elif was.kind != now.kind:
        yield Change(path, f"was {was.kind}, is {now.kind}", True)
    elif max(len(was.rests), len(now.rests)) > 1:
        lost = set(was.rests) - set(now.rests)
        yield Change(path, "an overload is no longer there" if lost else "new overload", bool(lost))
    else:
        for text, breaks in _compare(was.kind, was.rests[0], now.rests[0]):
            yield Change(path, text, breaks)


def _must_be_given(entry: _Entry, before: _Entries) -> bool:
    """Says whether it is a new required field of a class that was there."""
    owner = entry.path.rpartition(".")[0]
    return entry.kind == "field" and "# required" in entry.rests[0] and owner in before


def _aliased(entry: _Entry, entries: _Entries) -> _Entry:
    target = entry.rests[0].removeprefix(" = ")
    return entries.get(target, entry) if entry.kind == "alias" else entry


def _inherited(path: str, entries: _Entries) -> _Entry | None:
    owner, _, name = path.rpartition(".")
    entry = entries.get(owner)
    if entry is not None and entry.kind == "alias":
        below = f"{_aliased(entry, entries).path}.{name}"
        return entries.get(below) if below != path else None
    if entry is None or entry.kind != "class":
        return None
    for base in _bases(entry.rests[0]):
        for candidate in entries:
            if candidate.rpartition(".")[2] == base and candidate != owner:
                below = f"{candidate}.{name}"
                found = entries.get(below) or _inherited(below, entries)
                if found is not None:
                    return found
    return None


def _bases(rest: str) -> list[str]:
    return [base.split("[")[0].rpartition(".")[2] for base in _parts(rest[1:-1])]


def _parts(text: str) -> list[str]:
    if not text:
        return []
    tree = ast.parse(f"({text},)", mode="eval").body
    return [ast.unparse(part) for part in tree.elts] if isinstance(tree, ast.Tuple) else [text]


def _compare(kind: str, was: str, now: str) -> Iterator[tuple[str, bool]]:
    if kind.endswith("def"):
        yield from _compare_functions(was, now)
    elif kind == "class":
        gone = [base for base in _parts(was[1:-1]) if base not in _parts(now[1:-1])]
        text = f"bases {was or '()'} -> {now or '()'}"
        yield text, bool(gone)
    elif kind in ("alias", "type"):
        yield f"{was.removeprefix(' = ')} -> {now.removeprefix(' = ')}", True
    else:
        yield from _compare_values(kind, was, now)


def _compare_values(kind: str, was: str, now: str) -> Iterator[tuple[str, bool]]:
    old, new = _value(was), _value(now)
    if old.type != new.type:
        fits = kind == "property" and _fits(new.type, old.type)
        yield f"type {old.type or 'unknown'} -> {new.type or 'unknown'}", not fits
    if old.is_required != new.is_required:
        text = "is required now" if new.is_required else "is optional now"
        yield text, new.is_required
    elif old.default != new.default:
        yield f"value {old.default or 'none'} -> {new.default or 'none'}", kind == "attribute"
    if old.note != new.note:
        yield f"{old.note or 'no alias'} -> {new.note or 'no alias'}", bool(old.note)


@dataclass(frozen=True)
class _Value:
    type: str
    default: str
    note: str
    is_required: bool


def _value(rest: str) -> _Value:
    code, _, notes = rest.partition("  # ")
    statement = ast.parse(f"x{code}").body[0]
    annotation = statement.annotation if isinstance(statement, ast.AnnAssign) else None
    default = statement.value if isinstance(statement, ast.AnnAssign | ast.Assign) else None
    return _Value(
        type=ast.unparse(annotation) if annotation is not None else "",
        default=ast.unparse(default) if default is not None else "",
        note=notes.removeprefix("required").removeprefix(", "),
        is_required=notes.startswith("required"),
    )


@dataclass(frozen=True)
class _Argument:
    name: str
    type: str
    default: str | None
    by_position: int | None
    by_name: bool


def _compare_functions(was: str, now: str) -> Iterator[tuple[str, bool]]:
    old, new = _function(was), _function(now)
    before, after = _arguments(old), _arguments(new)
    lost = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    if len(lost) == len(added) == 1 and before[lost[0]].type == after[added[0]].type:
        yield f"argument {lost[0]} is called {added[0]} now", True
        lost, added = [], []
    for name in lost:
        yield f"argument {name} removed", True
    for name in added:
        required = after[name].default is None and not name.startswith("*")
        yield f"new {'required' if required else 'optional'} argument {name}", required
    for name, argument in before.items():
        if name in after:
            yield from _compare_arguments(argument, after[name])
    result, other = _text(old.returns), _text(new.returns)
    if result != other:
        yield f"returns {result or 'unknown'} -> {other or 'unknown'}", not _fits(other, result)


def _compare_arguments(was: _Argument, now: _Argument) -> Iterator[tuple[str, bool]]:
    name = was.name
    if was.by_position is not None and now.by_position is None:
        yield f"argument {name} can no longer be given by position", True
    elif was.by_position is not None and was.by_position != now.by_position:
        yield f"argument {name} has another position", True
    elif was.by_position is None and now.by_position is not None:
        yield f"argument {name} can be given by position as well", False
    if was.by_name and not now.by_name:
        yield f"argument {name} can no longer be given by name", True
    if was.default != now.default:
        if now.default is None:
            yield f"argument {name} is required now", True
        elif was.default is None:
            yield f"argument {name} is optional now", False
        else:
            yield f"default of argument {name} {was.default} -> {now.default}", False
    if was.type != now.type:
        fits = _fits(was.type, now.type)
        what = "takes more" if fits else "no longer takes all it took"
        yield (
            f"argument {name} {what}: {was.type or 'unknown'} -> {now.type or 'unknown'}",
            not fits,
        )


def _function(rest: str) -> ast.FunctionDef:
    function = ast.parse(f"def f{rest}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function


def _arguments(function: ast.FunctionDef) -> dict[str, _Argument]:
    given = function.args
    found: dict[str, _Argument] = {}
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + [*given.defaults]
    for place, (one, default) in enumerate(zip(positional, defaults, strict=True)):
        by_name = place >= len(given.posonlyargs)
        found[one.arg] = _Argument(
            one.arg, _text(one.annotation), _default(default), place, by_name
        )
    for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found[one.arg] = _Argument(one.arg, _text(one.annotation), _default(default), None, True)
    for stars, rest in (("*", given.vararg), ("**", given.kwarg)):
        if rest is not None:
            found[stars] = _Argument(stars, _text(rest.annotation), None, None, False)
    return found


def _default(node: ast.expr | None) -> str | None:
    return None if node is None else ast.unparse(node)


def _text(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node)


def _fits(narrow: str, wide: str) -> bool:
    """Says whether each value of one type is certain to be of the other."""
    if not wide or wide in _WIDEST:
        return True
    return bool(narrow) and _members(narrow) <= _members(wide)


def _members(annotation: str) -> frozenset[str]:
    return frozenset(_union(ast.parse(annotation, mode="eval").body))


def _union(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _union(left)
            yield from _union(right)
        case ast.Subscript(value=ast.Name("Union"), slice=ast.Tuple(members)):
            for member in members:
                yield from _union(member)
        case ast.Subscript(value=ast.Name("Optional"), slice=member):
            yield from _union(member)
            yield "None"
        case ast.Subscript(value=ast.Name("Literal"), slice=values):
            for value in values.elts if isinstance(values, ast.Tuple) else [values]:
                yield f"Literal[{ast.unparse(value)}]"
        case _:
            yield ast.unparse(node)
