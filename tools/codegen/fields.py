"""Finds names, models and fields in the text of a module, without importing it."""

import ast


def fields_of(source: str) -> dict[str, dict[str, str]]:
    """Return the definition of each field by class and name; an alias is a class with one field.

    Raises:
        SyntaxError: The text is no Python.
    """
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef():
                fields = found.setdefault(node.name, {})
                for statement in node.body:
                    match statement:
                        case ast.AnnAssign(target=ast.Name(id=name)):
                            fields[name] = ast.unparse(statement).removeprefix(f"{name}: ")
                        case ast.Assign(targets=[ast.Name(id=name)]):
                            fields[name] = ast.unparse(statement.value)
                        case _:
                            pass
                if ast.get_docstring(node):
                    fields["docstring"] = repr(ast.get_docstring(node))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = {"alias": ast.unparse(value)}
            case _:
                pass
    return found


def names_of(body: list[ast.stmt]) -> list[str]:
    """Return the names of the classes and values that a module defines."""
    found: list[str] = []
    for node in body:
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                found.append(name)
            case _:
                pass
    return found
