"""Reads what MODULE.bazel, WORKSPACE and .bzl files say; they are Python as well as Starlark."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def calls(file: str, function: str) -> Iterator[dict[str, Any]]:
    """Yields the arguments of each call; those of a list comprehension once for each element."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    values = constants(file)
    loops = {
        call: node.generators[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ListComp)
        for call in ast.walk(node.elt)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            for scope in _scopes(loops.get(node), values):
                yield {str(one.arg): _value(one.value, scope) for one in node.keywords}


def source(file: str, function: str) -> Iterator[dict[str, str]]:
    """Yields the arguments of each call as they are written."""
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            yield {str(one.arg): ast.unparse(one.value) for one in node.keywords}


def constants(file: str) -> dict[str, Any]:
    """Returns what is assigned at the top of a file, by name, as far as it is literal."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    }


def _scopes(loop: ast.comprehension | None, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if loop is None:
        yield values
        return
    for found in _value(loop.iter, values):
        yield values | _bound(loop.target, found)


def _bound(target: ast.expr, value: Any) -> dict[str, Any]:
    """Returns the names of a loop's target, each with its part of a value."""
    if not isinstance(target, ast.Tuple):
        return {ast.unparse(target): value}
    parts = zip(target.elts, value, strict=True)
    return {name: part for one, whole in parts for name, part in _bound(one, whole).items()}


def _value(node: ast.expr, scope: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "starlark", "eval"), {"__builtins__": {}}, scope)
