"""Whatever stands in a spec: it compiles, or one line says where it does not."""

import json
import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.codegen.compile import main
from tools.codegen.document import Document
from tools.codegen.errors import SpecError
from tools.codegen.operations import read_operations
from tools.codegen.schemas import prepare_schemas

HERE = Path(__file__).parent
SPECS = {
    "museum": HERE / "specimen" / "museum.json",
    "stepflow": HERE.parents[2] / "api" / "openapi.json",
    "zoo": HERE / "specimen" / "zoo.json",
}
VALUES: list[Any] = [None, [], {}, 1, "x"]


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


def cases(name: str, share: float) -> Iterator[tuple[str, str]]:
    """Yield a part of all documents that have another value in one place, with the place."""
    root = json.loads(SPECS[name].read_text())
    chosen = random.Random(name)
    for path in paths(root):
        for value in VALUES:
            if chosen.random() < share:
                yield f"{path}: {value!r}", replaced(root, path, value)


@pytest.mark.parametrize(("name", "share"), [("museum", 0.4), ("zoo", 0.05), ("stepflow", 0.02)])
def test_no_value_anywhere_breaks_the_reading_of_a_spec(
    name: str, share: float, tmp_path: Path
) -> None:
    spec = tmp_path / "openapi.json"
    refused = compiled = 0
    for place, text in cases(name, share):
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


@pytest.mark.parametrize(("name", "share"), [("museum", 0.03), ("zoo", 0.012), ("stepflow", 0.006)])
def test_no_value_anywhere_breaks_the_compiler(
    name: str, share: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, archive = tmp_path / "openapi.json", tmp_path / "made.zip"
    codes = set()
    for place, text in cases(name, share):
        spec.write_text(text)
        code = main(
            [
                *(f"--spec={spec}", "--package=made", "--support=stepflow_api"),
                *("--command=update", f"--ruff={os.environ['RUFF']}", f"--archive={archive}"),
            ]
        )
        said = capsys.readouterr()
        assert said.out == ""
        if code:
            assert (code, archive.exists()) == (1, False), place
            assert all(line.startswith(f"{spec}: ") for line in said.err.splitlines())
            assert said.err
        else:
            assert said.err == "", place
            archive.unlink()
        codes.add(code)
    assert codes == {0, 1}
