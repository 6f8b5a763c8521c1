"""Reads what MODULE.bazel, WORKSPACE and BUILD files say; they are Python as well as Starlark."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def calls(file: str, function: str) -> Iterator[dict[str, Any]]:
    """Yields the arguments of each call."""
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            yield {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
