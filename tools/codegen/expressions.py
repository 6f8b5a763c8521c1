"""Type expressions of Python, as trees rather than as text."""

import ast
import functools
from collections.abc import Callable, Iterable


def parse_type(text: str) -> ast.expr:
    """Parse a type; unions are written with `|`, and quotes around names are gone."""
    return _plain(ast.parse(text, mode="eval").body)


def _plain(node: ast.expr) -> ast.expr:
    match node:
        case ast.Constant(value=str(text)):
            return parse_type(text)
        case ast.Subscript(value=ast.Name(id="Literal")):
            return node
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[first, *rest])):
            node.slice = ast.Tuple(elts=[_plain(first), *rest])
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=members)):
            return functools.reduce(_either, map(_plain, members))
        case ast.Subscript(slice=ast.Tuple(elts=members)):
            node.slice = ast.Tuple(elts=[_plain(member) for member in members])
        case ast.Subscript(slice=inner):
            node.slice = _plain(inner)
        case ast.BinOp(left=left, right=right):
            return _either(_plain(left), _plain(right))
        case _:
            pass
    return node


def _either(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.BitOr(), right)


@functools.cache
def members_of(type_: str) -> list[str]:
    """Return the members of a union; a type that is none is its only member."""

    def split(node: ast.expr) -> list[ast.expr]:
        return [*split(node.left), *split(node.right)] if isinstance(node, ast.BinOp) else [node]

    return [ast.unparse(member) for member in split(parse_type(type_))]


def union(types: Iterable[str]) -> str:
    """Join types to one, each member once and None last; None alone where there are none."""
    unique = dict.fromkeys(member for type_ in types for member in members_of(type_))
    return " | ".join(sorted(unique, key=lambda member: member == "None")) or "None"


def names_in(node: ast.AST) -> set[str]:
    """Return the names in a type or a class, those of values in a Literal not among them."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def renamed(node: ast.expr, rename: Callable[[str], str]) -> str:
    """Return a type's text with each name replaced."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            part.id = rename(part.id)
    return ast.unparse(node)
