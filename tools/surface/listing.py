"""Writes the public names of a package as a listing: one line for each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

import griffe

from tools.surface.public_names import PublicName, SurfaceError

_LONGEST_VALUE = 160
_INTERNAL = re.compile(r"(?<![\w'])_[A-Za-z]\w*")
_PREFIX = {
    griffe.ParameterKind.var_positional: "*",
    griffe.ParameterKind.var_keyword: "**",
}


def listing(package: str, command: str, names: Iterable[PublicName]) -> str:
    """Return the text of the listing.

    Raises:
        SurfaceError: A line would show an internal name.
    """
    lines = [f"# Public names of {package}; `{command}` writes this file."]
    found = {(path, line) for name in names for path, line in _lines(name)}
    for path, line in sorted(found):
        if internal := _INTERNAL.search(line):
            raise SurfaceError(f"{path}: shows the internal name {internal[0]}; make that public")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _lines(name: PublicName) -> Iterator[tuple[str, str]]:
    for other in name.also:
        yield other, f"alias {other} = {name.path}"
    for line in _own_lines(name.path, name):
        yield name.path, line


def _own_lines(path: str, name: PublicName) -> Iterator[str]:
    match name.item:
        case str() as target:
            yield f"alias {path} = {target}"
        case griffe.Module():
            yield f"module {path}"
        case griffe.Class():
            yield f"class {path}({', '.join(name.bases)})" if name.bases else f"class {path}"
        case griffe.Function() as item:
            for one in item.overloads or [item]:
                yield f"{_decorated(item)}def {path}{_signature(one)}"
        case griffe.TypeAlias() as item:
            yield f"type {path} = {item.value}"
        case griffe.Attribute() as item:
            yield _field(path, item) if name.is_field else _attribute(path, item)
        case _:
            pass


def _decorated(item: griffe.Function) -> str:
    labels = [
        label
        for label in ("abstractmethod", "classmethod", "staticmethod", "async")
        if label in item.labels
    ]
    return "".join(f"{label} " for label in labels)


def _signature(item: griffe.Function) -> str:
    parts: list[str] = []
    kinds = griffe.ParameterKind
    previous: griffe.ParameterKind | None = None
    for parameter in item.parameters:
        kind = parameter.kind
        if parameter.name.startswith("_"):
            continue
        if previous is kinds.positional_only and kind is not kinds.positional_only:
            parts.append("/")
        if kind is kinds.keyword_only and previous not in (
            kinds.keyword_only,
            kinds.var_positional,
        ):
            parts.append("*")
        previous = kind
        text = _PREFIX.get(kind or kinds.positional_or_keyword, "") + parameter.name
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and kind not in _PREFIX:
            text += f"{' = ' if parameter.annotation is not None else '='}{parameter.default}"
        parts.append(text)
    if previous is kinds.positional_only:
        parts.append("/")
    result = "" if item.returns is None else f" -> {item.returns}"
    return f"({', '.join(parts)}){result}"


def _attribute(path: str, item: griffe.Attribute) -> str:
    kind = "property" if "property" in item.labels else "attribute"
    annotation = item.annotation or _type_of_argument(item)
    text = f"{kind} {path}" if annotation is None else f"{kind} {path}: {annotation}"
    in_init = "instance-attribute" in item.labels and "class-attribute" not in item.labels
    if kind == "property" or item.value is None or in_init:
        return text
    return f"{text} = {_short(str(item.value))}"


def _type_of_argument(item: griffe.Attribute) -> str | griffe.Expr | None:
    """Return the type of the argument of `__init__` that the attribute keeps, if it keeps one."""
    owner = item.parent
    maker = owner.members.get("__init__") if isinstance(owner, griffe.Class) else None
    if not isinstance(maker, griffe.Function) or str(item.value) not in maker.parameters:
        return None
    return maker.parameters[str(item.value)].annotation


def _short(value: str) -> str:
    value = " ".join(value.split())
    # What an alias is made of is a type, which callers depend on.
    is_type = value.startswith("TypeAliasType(")
    is_short = len(value) <= _LONGEST_VALUE and not _INTERNAL.search(value)
    return value if is_type or is_short else "..."


def _field(path: str, item: griffe.Attribute) -> str:
    annotation = ast.parse(str(item.annotation), mode="eval").body
    facts: list[ast.expr] = []
    match annotation:
        case ast.Subscript(value=ast.Name("Annotated"), slice=ast.Tuple([first, *rest])):
            annotation, facts = first, rest
        case _:
            pass
    value = None if item.value is None else ast.parse(str(item.value), mode="eval").body
    default, alias = value, None
    for fact in [value, *facts]:
        match fact:
            case ast.Call(func=ast.Name("Field"), args=arguments, keywords=keywords):
                given = {keyword.arg: keyword.value for keyword in keywords}
                alias = given.get("alias", alias)
                if fact is value:
                    default = None
                default = default or next(iter(arguments), None) or given.get("default")
                if default is None and "default_factory" in given:
                    default = ast.Call(given["default_factory"], [], [])
            case _:
                pass
    required = default is None or (isinstance(default, ast.Constant) and default.value is ...)
    if isinstance(item.parent, griffe.Class) and str(item.parent.keywords.get("total")) == "False":
        required = False
    text = f"field {path}: {ast.unparse(annotation)}"
    if default is not None and not required:
        text += f" = {_short(ast.unparse(default))}"
    notes = ["required"] if required else []
    if alias is not None:
        notes.append(f"alias {ast.unparse(alias)}")
    return f"{text}  # {', '.join(notes)}" if notes else text
