"""`//tools/spec:breaking`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.spec.breaking import main
from tools.spec.tests.pets import SPEC, Edit, edited, models, operation


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command is typed; Bazel runs it elsewhere."""
    monkeypatch.setenv("BUILD_WORKING_DIRECTORY", str(tmp_path))
    (tmp_path / "old.json").write_text(json.dumps(SPEC), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("edit", "code", "expected"),
    [
        (lambda _: None, 0, ["old.json -> new.json: 0 breaking, 0 compatible: nothing differs"]),
        (
            lambda d: models(d)["Pet"]["properties"].update(note={"type": "string"}),
            0,
            [
                "old.json -> new.json: 0 breaking, 1 compatible: 1 model changed",
                "  compatible: Pet.note: added (string, optional)",
            ],
        ),
        (
            lambda d: (
                operation(d, "get").update(description="All"),
                d["paths"].pop("/pets/{id}"),
            ),
            1,
            [
                "old.json -> new.json: 1 breaking, 1 compatible: 1 operation removed, "
                "1 operation changed in text only",
                "  breaking (requests, names): GET /pets/{id} (getPet): removed",
                '  compatible: GET /pets (listPets): description (text only) added: "All"',
            ],
        ),
    ],
)
def test_tells_breaking_from_compatible_changes(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Edit,
    code: int,
    expected: list[str],
) -> None:
    (folder / "new.json").write_text(json.dumps(edited(edit)), encoding="utf-8")
    assert main(["old.json", "new.json"]) == code
    output, errors = capsys.readouterr()
    assert errors == ""
    assert output.splitlines() == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read new.json: No such file or directory; pass the paths of two OpenAPI"),
        ("{", "cannot compare new.json: it is not JSON: "),
        (
            "[]",
            "cannot compare new.json: it is JSON but not an object, so it is no OpenAPI document;",
        ),
    ],
)
def test_says_what_it_cannot_compare(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str | None, problem: str
) -> None:
    if content is not None:
        (folder / "new.json").write_text(content, encoding="utf-8")
    assert main(["old.json", "new.json"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith(f"breaking: {problem}")
    assert len(errors.splitlines()) == 1


def test_takes_whole_paths_outside_of_bazel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BUILD_WORKING_DIRECTORY", raising=False)
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SPEC), encoding="utf-8")
    assert main([str(spec), str(spec)]) == 0
    assert "nothing differs" in capsys.readouterr().out


def test_a_missing_argument_is_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["old.json"])
    assert end.value.code == 2
    assert "the following arguments are required: new" in capsys.readouterr().err
