"""Whatever stands in a spec: it compiles, or one line says where it does not."""

import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.codegen.compile import compile_package
from tools.codegen.document import Document
from tools.codegen.errors import Refusals, SpecError
from tools.codegen.operations import read_operations
from tools.codegen.schemas import prepare_schemas

HERE = Path(__file__).parent
SPECS = {
    "museum": HERE / "specimen" / "museum.json",
    "stepflow": HERE.parents[2] / "api" / "openapi.json",
    "zoo": HERE / "specimen" / "zoo.json",
}
VALUES: list[Any] = [None, [], {}, 1, "x"]
COMPONENT = re.compile(r'"#/components/(\w+)/([^/"]+)')


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value below a node."""
    keys: Iterable[Any] = node if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield (*path, key)
        if isinstance(node[key], dict | list):
            yield from paths(node[key], (*path, key))


def replaced(root: Any, path: tuple[Any, ...], value: Any) -> str:
    """Return the text of the document with another value in one place."""
    *parents, key = path
    node = root
    for parent in parents:
        node = node[parent]
    before, node[key] = node[key], value
    text = json.dumps(root)
    node[key] = before
    return text


def part(root: Any, *place: str) -> Any:
    """Return a document with the part of another in one place, and what it refers to."""
    found: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
    found = {key: found.get(key, value) for key, value in root.items()}
    pending = [place]
    while pending:
        path = pending.pop()
        source, target = root, found
        for key in path[:-1]:
            source, target = source[key], target.setdefault(key, {})
        if path[-1] not in target:
            target[path[-1]] = source[path[-1]]
            text = json.dumps(source[path[-1]])
            pending += [("components", *names) for names in COMPONENT.findall(text)]
    return found


def cases(name: str, share: float) -> Iterator[tuple[str, str]]:
    """Yield a share of all documents that have another value in one place, with the place.

    Each has what the place needs alone: a document with everything takes ten times as long.
    """
    root = json.loads(SPECS[name].read_text())
    places: list[tuple[str, ...]] = [("paths", path) for path in root["paths"]]
    for kind, named in root["components"].items():
        places += [("components", kind, one) for one in named]
    chosen = random.Random(name)
    for number, place in enumerate(places):
        document = part(root, *place)
        for path in paths(document):
            # The first one stands for what all have.
            if number and path[: len(place)] != place:
                continue
            for value in VALUES:
                if chosen.random() < share:
                    yield f"{place}, {path}: {value!r}", replaced(document, path, value)


@pytest.mark.parametrize("name", SPECS)
def test_no_value_anywhere_breaks_the_reading_of_a_spec(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "openapi.json"
    refused = compiled = 0
    for place, text in cases(name, 0.1):
        spec.write_text(text)
        try:
            document = Document(spec)
            operations = read_operations(document)
            schemas = prepare_schemas(document, operations)
            errors = [*operations.refused.values(), *schemas.refused.values()]
        except SpecError as error:
            errors = [error]
        except Exception as error:
            pytest.fail(f"{place}: {error!r}")
        assert not any("\n" in str(error) for error in errors), place
        refused += bool(errors)
        compiled += not errors
    assert min(refused, compiled) > 20


@pytest.mark.parametrize("name", SPECS)
def test_no_value_anywhere_breaks_the_compiler(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "openapi.json"
    refused = compiled = 0
    for place, text in cases(name, 0.012):
        spec.write_text(text)
        try:
            files = compile_package(
                spec,
                package="made",
                support="stepflow_api",
                command="update",
                hand_written={},
                ruff=None,
            )
            for path, module in files.items():
                compile(module, path, "exec", dont_inherit=True)
            compiled += 1
        except SpecError as error:
            errors = error.errors if isinstance(error, Refusals) else [error]
            assert not any("\n" in str(error) for error in errors), place
            refused += 1
        except Exception as error:
            pytest.fail(f"{place}: {error!r}")
    assert min(refused, compiled) > 5
