"""Type expressions of Python, as trees rather than as text."""

import ast
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
            return _joined(_plain(member) for member in members)
        case ast.Subscript(slice=ast.Tuple(elts=members)):
            node.slice = ast.Tuple(elts=[_plain(member) for member in members])
        case ast.Subscript(slice=inner):
            node.slice = _plain(inner)
        case ast.BinOp(left=left, right=right):
            return ast.BinOp(_plain(left), ast.BitOr(), _plain(right))
        case _:
            pass
    return node


def members_of(node: ast.expr) -> list[ast.expr]:
    """Return the members of a union; a type that is none is its only member."""
    if isinstance(node, ast.BinOp):
        return [*members_of(node.left), *members_of(node.right)]
    return [node]


def union(types: Iterable[str]) -> str:
    """Join types to one, each member once and None last; None alone where there are none."""
    members = [ast.unparse(member) for type_ in types for member in members_of(parse_type(type_))]
    unique = sorted(dict.fromkeys(members), key=lambda member: member == "None")
    return " | ".join(unique) or "None"


def names_in(node: ast.AST) -> set[str]:
    """Return the names in a type or a class, those of values in a Literal not among them."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def renamed(node: ast.expr, rename: Callable[[str], str]) -> str:
    """Return a type's text with each name replaced."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            part.id = rename(part.id)
    return ast.unparse(node)


def _joined(members: Iterable[ast.expr]) -> ast.expr:
    first, *rest = members
    for member in rest:
        first = ast.BinOp(first, ast.BitOr(), member)
    return first
