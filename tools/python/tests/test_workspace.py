"""The build without modules takes the same versions and the same packages as the one with them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def calls(file: str, function: str) -> Iterator[dict[str, Any]]:
    """Yields the arguments of each call; these files are Python as well as Starlark."""
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            yield {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}


def test_versions() -> None:
    modules = {one["name"]: one["version"] for one in calls("MODULE.bazel", "bazel_dep")}
    archives = {one["name"]: one["url"] for one in calls("WORKSPACE", "http_archive")}

    assert modules
    assert archives.keys() == modules.keys()
    assert {name for name, url in archives.items() if f"/{modules[name]}/" not in url} == set()


def test_python_packages() -> None:
    hubs = list(calls("MODULE.bazel", "pip.parse"))

    assert hubs
    assert list(calls("WORKSPACE", "pip_parse")) == hubs
