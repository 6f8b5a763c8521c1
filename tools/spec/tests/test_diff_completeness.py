"""The comparison of specs misses nothing: a change of any kind of node of the real spec is named.

Each is judged as well, whatever stands where something else belongs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tools.spec.compatibility import judge

Path = tuple[Any, ...]


def nodes(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yields the path of every node below a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from nodes(child, (*path, key))


#: Keywords whose keys are names.
NAMES = {"content", "mapping", "paths", "properties", "responses", "schemas"}


def kind(path: Path) -> Path:
    """Returns what nodes have in common that differ in names and positions alone."""
    kinds = [
        "*" if isinstance(key, int) or before in NAMES else key
        for before, key in zip(("", *path), path, strict=False)
    ]
    return tuple("method" if key in ("get", "post", "delete") else key for key in kinds)


def mutants(value: Any, path: Path) -> Iterator[Any]:
    """Yields copies of a value in which one node is gone, replaced, renamed, moved or repeated."""
    key, *rest = path
    if rest:
        for mutant in mutants(value[key], tuple(rest)):
            copy = value.copy()
            copy[key] = mutant
            yield copy
        return
    others: tuple[object, ...] = (0, {}, [], None, "other")
    for other in others:
        if json.dumps(value[key]) != json.dumps(other):
            copy = value.copy()
            copy[key] = other
            yield copy
    copy = value.copy()
    del copy[key]
    yield copy
    if isinstance(value, dict):
        yield {f"{k}X" if k == key else k: v for k, v in value.items()}
        if list(value)[-1] != key:
            yield {**copy, key: value[key]}
    else:
        yield [*value, value[key]]
        if value[-1] != value[key]:
            yield [*copy, value[key]]


def expected_names(document: dict[str, Any], path: Path) -> list[str]:
    """Returns what a message about a change of the node at this path must name."""
    match path:
        case ("components", "schemas", model, "properties", field):
            return [model, field]
        case ("components", "schemas", model, "properties", field, *_):
            return [f"{model}.{field}"]
        case ("components", "schemas", model, *_):
            return [model]
        case ("paths", address, method, key, *_) if method in ("get", "post", "delete"):
            name = document["paths"][address][method]["operationId"]
            return [f"{method.upper()} {address}" + (f" ({name})" if key != "operationId" else "")]
        case ("paths", address, *_):
            return [address]
        case ("paths",) | ("components", *_):
            return []
        case _:
            return [path[0]]


@pytest.mark.parametrize("part", range(4))
def test_every_kind_of_difference_in_the_real_spec_is_found_and_named(
    served: str, part: int
) -> None:
    spec = json.loads(served)
    paths = list(nodes(spec))
    # The first and the last of each kind: there may be nothing behind the last one.
    first, last = ({kind(path): path for path in each} for each in (paths[::-1], paths))
    assert len(last) > 100
    for path in list(dict.fromkeys([*first.values(), *last.values()]))[part::4]:
        names = expected_names(spec, path)
        for mutant in mutants(spec, path):
            for old, new in ((spec, mutant), (mutant, spec)):
                text = "\n".join(map(str, judge(old, new)))
                assert text, f"{path}: no difference found"
                assert all(name in text for name in names), f"{path}: {text}"
