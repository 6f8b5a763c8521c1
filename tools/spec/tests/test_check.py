"""`spec_up_to_date_test`: what it says when the stored spec is not the served one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.spec.check import main

REMEDY = "To fix it: tools/bazel run //api:update_spec && tools/bazel run //api:update"


class Check:
    """The test's body, run on a stored spec."""

    def __init__(self, folder: Path, binary: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.binary = binary
        self.spec = folder / "openapi.json"
        self.capsys = capsys

    def run(self) -> tuple[int, list[str]]:
        """Returns the exit code and the lines that are printed."""
        options = ["--update=//api:update_spec", "--then=//api:update"]
        code = main([f"--server={self.binary}", f"--spec={self.spec}", *options])
        output, errors = self.capsys.readouterr()
        assert errors == ""
        return code, output.replace(str(self.spec), "SPEC").splitlines()

    def fail(self, stored: str) -> list[str]:
        """Returns the lines about a stored spec with which the test must fail."""
        self.spec.write_text(stored, encoding="utf-8")
        code, lines = self.run()
        assert code == 1
        assert lines.pop() == REMEDY
        return lines


@pytest.fixture
def check(tmp_path: Path, binary: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    return Check(tmp_path, binary, capsys)


def edited(served: str, edit: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(served)
    edit(document)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def test_passes_silently(check: Check, served: str) -> None:
    check.spec.write_text(served, encoding="utf-8")
    assert check.run() == (0, [])


def test_names_the_field_and_shows_the_text(check: Check, served: str) -> None:
    def edit(document: dict[str, Any]) -> None:
        schema = document["components"]["schemas"]["CreateRunRequest"]
        schema["properties"]["maxConcurrency"]["minimum"] = 1

    lines = check.fail(edited(served, edit))
    assert lines[:2] == [
        "SPEC is not what the pinned server serves (stored -> served): "
        "0 breaking, 1 compatible: 1 model changed",
        "  compatible: CreateRunRequest.maxConcurrency: minimum 1 -> 0",
    ]
    assert lines[2:4] == ["--- SPEC", "+++ served"]
    assert [line for line in lines[4:] if line[0] in "+-"] == [
        '-            "minimum": 1',
        '+            "minimum": 0',
    ]


def test_says_what_breaks_callers_first(check: Check, served: str) -> None:
    def edit(document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        schemas["CreateRunRequest"]["required"].remove("flowId")
        del schemas["RunSummary"]["properties"]["flowName"]
        document["paths"]["/runs/{run_id}/restart"] = document["paths"]["/runs/{run_id}/cancel"]

    lines = check.fail(edited(served, edit))
    assert lines[:4] == [
        "SPEC is not what the pinned server serves (stored -> served): "
        "2 breaking, 1 compatible: 1 operation removed, 2 models changed",
        "  breaking (requests, names): POST /runs/{run_id}/restart (cancelRun): removed",
        "  breaking (requests): CreateRunRequest.flowId: optional -> required",
        "  compatible: RunSummary.flowName: added (string | null, optional)",
    ]


def test_does_not_flood_the_log(check: Check, served: str) -> None:
    lines = check.fail(edited(served, lambda d: d["paths"].clear()))
    assert len(lines) == 18
    assert lines[-1].startswith("(The text differs in more places than fit here: ")


@pytest.mark.parametrize("change", [lambda t: f"{t}\n", lambda t: t.replace("  ", "\t", 1)])
def test_fails_when_only_the_layout_differs(
    check: Check, served: str, change: Callable[[str], str]
) -> None:
    lines = check.fail(change(served))
    assert lines[0].endswith(
        "only the layout of the file differs (white space, escapes, repeated keys)"
    )


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ("", "it is empty"),
        ("{", "it is not JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        ("{}", "its `openapi` field must be 3.x, and is null"),
    ],
)
def test_says_that_the_stored_file_is_no_spec(check: Check, stored: str, problem: str) -> None:
    assert f"the stored file is no OpenAPI document: {problem}" in check.fail(stored)[0]


def test_says_that_the_stored_file_is_missing(check: Check) -> None:
    assert check.run() == (1, ["SPEC is missing.", REMEDY])


def test_says_that_the_server_does_not_start(check: Check, tmp_path: Path) -> None:
    check.binary = tmp_path / "none"
    code, (line,) = check.run()
    assert code == 1
    assert line.startswith("cannot check SPEC: cannot start the Stepflow server")
