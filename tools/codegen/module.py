"""Takes the module that datamodel-code-generator writes apart, and makes a module of each model.

Base classes are chosen by how a model is used, defaults are made such that a type checker agrees,
and hand-written models take the place of the generated ones.
"""

import ast
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

from tools.codegen.expressions import members_of, names_in, parse_type
from tools.codegen.groups import Group, Groups
from tools.codegen.schemas import BASES

_ENUMERATIONS = ("Enum", "IntEnum", "StrEnum")
# Timestamp, which it takes for a class of no known kind, tells pydantic itself what it is.
_ARBITRARY = re.compile(
    r" {4}model_config = ConfigDict\(\n {8}arbitrary_types_allowed=True,\n {4}\)\n"
)


@dataclass(frozen=True)
class _Class:
    bases: tuple[str, ...]
    has_constant: bool
    body: str

    @property
    def is_enumeration(self) -> bool:
        return not {*self.bases}.isdisjoint(_ENUMERATIONS)


class Module:
    """A module of models, as datamodel-code-generator wrote it.

    Args:
        text: The module.

    Attributes:
        imports: For each imported name its module, and its name there.
        uses: For each class and alias the names in its definition.
    """

    def __init__(self, text: str) -> None:
        self.imports: dict[str, tuple[str, str]] = {}
        self.uses: dict[str, set[str]] = {}
        self._lines = text.split("\n")
        self._aliases: dict[str, str] = {}
        self._classes: dict[str, _Class] = {}
        alias = ""
        for node in ast.parse(text).body:
            match node:
                case ast.ImportFrom(module=module):
                    for found in node.names:
                        self.imports[found.asname or found.name] = (str(module), found.name)
                case ast.ClassDef(name=name):
                    self.uses[name] = names_in(node)
                    self._classes[name] = self._class(node)
                case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Call(args=[_, type_])):
                    parsed = parse_type(ast.unparse(type_))
                    self.uses[alias] = names_in(parsed)
                    # As text, since its members may be hand-written models, imported later.
                    value = ast.unparse(parsed)
                    self._aliases[alias] = f"{alias} = TypeAliasType({alias!r}, {value!r})\n"
                case ast.Expr(value=ast.Constant(value=str())) if alias:
                    self._aliases[alias] += "\n".join(self._segment(node)) + "\n"
                case _:
                    pass

    def names(self) -> Set[str]:
        """Gives the names of all classes and aliases."""
        return self._classes.keys() | self._aliases.keys()

    def is_model(self, name: str) -> bool:
        """Whether a name is that of a class with fields, rather than an enumeration or an alias."""
        return name in self._classes and not self._classes[name].is_enumeration

    def text(
        self, group: Group, groups: Groups, *, package: str, support: str, kinds: Mapping[str, str]
    ) -> str:
        """Gives the module of a group, without its first lines; it imports some names too many.

        Args:
            group: The group.
            groups: All groups.
            package: Import name of the package that is made.
            support: Import name of the package with the base classes.
            kinds: Base class by the name of the class or alias.
        """
        imports = [
            f"from {module} import {name}" + (f" as {as_name}" if as_name != name else "")
            for as_name, (module, name) in self.imports.items()
        ]
        imports.append(f"from {support}._base import {', '.join(BASES)}")
        own = [groups.generated(name)[1] for name in group.names]
        parts, late = ["", f"__all__ = {sorted(own)!r}"], list[str]()
        for name in group.names:
            if name in self._aliases:
                parts += ["", "", self._aliases[name]]
            else:
                bases = self._bases(name, kinds, groups)
                head = f"class {groups.generated(name)[1]}({bases}):"
                parts += ["", "", head, self._classes[name].body]
        for used in sorted({used for name in group.names for used in groups.uses[name]}):
            for module, found in sorted({(groups.home(used), used), groups.generated(used)}):
                line = f"from {package}.models.{module} import {found}"
                if used not in group.names:
                    imports.append(line)
                elif module != group.module:
                    # Written by hand, it builds on a class of this module.
                    late.append(f"{line} as {found}  # noqa: E402")
        models = {
            found
            for name in filter(self.is_model, group.names)
            for found in (groups.generated(name)[1], name)
        }
        if group.is_cyclic and models:
            imports.append(f"from {support}._base import complete")
            late.append(f"complete({', '.join(sorted(models))})")
        return "\n".join([*imports, *parts, *late]) + "\n"

    def _bases(self, name: str, kinds: Mapping[str, str], groups: Groups) -> str:
        found, kind = self._classes[name], kinds[name]
        if found.is_enumeration:
            return ", ".join(found.bases)
        bases = [groups.generated(base)[1] for base in found.bases if base != "Model"]
        # Last, it decides what becomes of unknown fields.
        if not bases or (kind != "Model" and kind not in map(kinds.get, found.bases)):
            bases.append(kind)
        inherits = any(self._sends_constants(base) for base in found.bases)
        return ", ".join(
            ["SendsConstants", *bases] if found.has_constant and not inherits else bases
        )

    def _sends_constants(self, name: str) -> bool:
        found = self._classes.get(name)
        return found is not None and (
            found.has_constant or any(self._sends_constants(base) for base in found.bases)
        )

    def _segment(self, node: ast.stmt) -> list[str]:
        return self._lines[node.lineno - 1 : node.end_lineno]

    def _class(self, node: ast.ClassDef) -> _Class:
        has_constant = False
        for statement in reversed(node.body):
            match statement:
                case ast.AnnAssign(value=ast.expr() as value):
                    types = members_of(_bare(statement.annotation))
                    is_literal = [ast.unparse(type_).startswith("Literal[") for type_ in types]
                    has_constant |= is_literal == [True]
                    if not any(is_literal) and _needs_validation(value, types):
                        self._wrap(value)
                case _:
                    pass
        lines = self._lines[node.body[0].lineno - 1 : node.end_lineno]
        bases = tuple(ast.unparse(base) for base in node.bases)
        return _Class(bases, has_constant, _ARBITRARY.sub("", "\n".join(lines) + "\n"))

    def _wrap(self, value: ast.expr) -> None:
        """Hands a default to pydantic, which makes of it what the annotation says."""
        for line, column, added in (
            (value.end_lineno or 0, value.end_col_offset or 0, ", validate_default=True)"),
            (value.lineno, value.col_offset, "Field(default="),
        ):
            text = self._lines[line - 1].encode()
            self._lines[line - 1] = (text[:column] + added.encode() + text[column:]).decode()


def _bare(annotation: ast.expr) -> ast.expr:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[bare, *_])):
            return bare
        case _:
            return annotation


def _needs_validation(value: ast.expr, types: list[ast.expr]) -> bool:
    """Whether a default is not yet what its type says: JSON for a model, text for a date."""
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return False
        case ast.Dict() | ast.List():
            return True
        case ast.Constant(value=str()):
            return "str" not in {ast.unparse(_bare(type_)) for type_ in types}
        case _:
            return False
