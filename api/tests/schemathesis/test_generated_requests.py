"""The generated requests are the same in every run, and reach what the server knows."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from schemathesis.generation import GenerationMode

from api.tests.schemathesis.generated_requests import (
    Case,
    Known,
    Operation,
    for_each_request,
    generate,
    operations,
)

_KNOWN: Known = {"run": ["r1", "r2"], "flow": ["f1"], "blob": ["b1"]}


def requests(operation: Operation, mode: GenerationMode) -> list[str]:
    """Return the requests as text."""
    made: list[str] = []
    for_each_request(operation, mode, _KNOWN, lambda case: made.append(_text(case)))
    return made


def _text(case: Case) -> str:
    return repr((case.path_parameters, case.query, case.body))


@pytest.fixture
def by_id(spec: Path) -> dict[str, Operation]:
    """The operations by their names."""
    return {one.definition.raw["operationId"]: one for one in operations(spec)}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_what_is_imported_makes_no_difference(
    by_id: dict[str, Any], mode: GenerationMode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [_text(case) for case, _ in generate(by_id["createRun"], mode)]
    source = tmp_path / "constants.py"
    source.write_text("\n".join(f'A{n} = "some constant {n}"' for n in range(500)))
    module_spec = importlib.util.spec_from_file_location("constants", source)
    assert module_spec
    monkeypatch.setitem(sys.modules, "constants", importlib.util.module_from_spec(module_spec))
    assert len(before) > 20
    assert [_text(case) for case, _ in generate(by_id["createRun"], mode)] == before


def test_many_valid_requests_name_what_the_server_knows(by_id: dict[str, Any]) -> None:
    made = requests(by_id["getRun"], GenerationMode.POSITIVE)
    assert len([text for text in made if "'r1'" in text or "'r2'" in text]) > len(made) / 4
    bodies = requests(by_id["createRun"], GenerationMode.POSITIVE)
    assert len([text for text in bodies if "'f1'" in text]) > len(bodies) / 4
    assert not [t for t in requests(by_id["getRun"], GenerationMode.NEGATIVE) if "'r1'" in t]
