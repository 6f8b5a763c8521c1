"""What the checks of style refuse, what they say, and what the fix corrects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.lint.style import main

TOOLS = [f"--{name}={Path(os.environ[name.upper()]).absolute()}" for name in ("ruff", "shellcheck")]
SETTINGS = """\
[tool.ruff]
line-length = 40
extend-exclude = ["api/generated"]
[tool.ruff.lint]
select = ["D", "E", "F"]
ignore = ["D105"]
[tool.ruff.lint.pydocstyle]
convention = "google"
"""
CLEAN = '"""A package."""\n\n__all__ = ["LIMIT"]\n\nLIMIT = 1\n"""A limit."""\n'
COMMAND = "tools/bazel run //tools/lint:fix"
MODES = ["docstrings", "format", "lint", "shell"]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one package, all in good style."""
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(tmp_path))
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    for folder in ("api/src/p", "api/generated/p", "tools", ".ci"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "api/src/p/__init__.py").write_text(CLEAN)
    (tmp_path / "api/generated/p/made.py").write_text(CLEAN)
    (tmp_path / "tools/data").write_bytes(b"\xff\x00")
    (tmp_path / ".ci/run").write_text('#!/bin/bash\necho "$1"\n')
    return tmp_path


def failing() -> list[str]:
    return [mode for mode in MODES if main([mode, *TOOLS]) != 0]


def test_good_style_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing() == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("file", "text", "mode", "line"),
    [
        ("tools/a.py", '"""A."""\n\nimport os\n', "lint", "tools/a.py:3:8: F401: "),
        ("tools/a.py", '"""A."""\n\nprint(never)\n', "lint", "tools/a.py:3:7: F821: "),
        ("tools/a.py", '"""A."""\n\n[\n', "lint", "tools/a.py:4:1: invalid-syntax: "),
        ("tools/a.py", '"""A."""\n\nprint( 1 )\n', "format", "  tools/a.py\n"),
        ("tools/a.py", "print(1)\n", "docstrings", "tools/a.py:1:1: D100: "),
        (
            "api/src/p/a.py",
            '"""A."""\n\nLIMIT = 1\n',
            "docstrings",
            "p.a.LIMIT: a public name without a docstring",
        ),
        (
            "api/src/p/a.py",
            '"""A."""\n\n\nclass A:\n    """A."""\n\n    size = 1\n',
            "docstrings",
            "p.a.A.size: a public name without a docstring",
        ),
        (
            "api/src/p/a.py",
            '"""A."""\n\n\ndef f(a: int) -> None:\n    """F.\n\n    Args:\n    """\n',
            "docstrings",
            "api/src/p/a.py:4:5: D417: ",
        ),
        (
            "api/generated/p/made.py",
            '"""A."""\n\n\ndef f() -> None: ...\n',
            "docstrings",
            "p.made.f: a public name without a docstring",
        ),
        (".ci/run", "#!/bin/bash\necho $1\n", "shell", ".ci/run:2:6: note: "),
    ],
)
def test_a_mistake_fails_one_check_that_says_what_to_do(
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    text: str,
    mode: str,
    line: str,
) -> None:
    (workspace / file).write_text(text)
    assert failing() == [mode]
    shown = capsys.readouterr().out
    assert line in shown
    assert "To fix " in shown.splitlines()[-1], shown


def test_a_fix_that_may_change_what_the_code_does_is_left_to_a_person(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unused = "x = print()"
    (workspace / "tools/a.py").write_text(
        f'"""A."""\n\n\ndef f() -> None:\n    """F."""\n    {unused}\n'
    )
    assert failing() == ["lint"]
    shown = capsys.readouterr().out
    assert "F841" in shown
    assert shown.splitlines()[-1] == "To fix it: by hand."


def test_a_class_describes_its_attributes_and_those_of_the_classes_below(workspace: Path) -> None:
    (workspace / "api/src/p/a.py").write_text(
        '"""A."""\n\n\nclass A:\n    """A.\n\n    Attributes:\n        size: S.\n    """\n\n'
        '    size = 1\n\n\nclass B(A):\n    """B."""\n\n    size = 2\n'
    )
    assert failing() == []


def test_fields_of_generated_models_are_described_where_the_spec_does(workspace: Path) -> None:
    (workspace / "api/generated/p/made.py").write_text(
        '"""A."""\n\n\nclass A:\n    """A."""\n\n    size: int\n'
    )
    assert failing() == []


def test_the_fix_corrects_what_it_can(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = workspace / "tools/a.py"
    file.write_text('"""A."""\n\nimport os\nprint( 1 )\n')
    assert failing() == ["format", "lint"]
    shown = capsys.readouterr().out
    assert f"To fix it: {COMMAND}\n" in shown
    assert f"To fix 1 of 1: {COMMAND}\n" in shown
    assert main(["fix", *TOOLS]) == 0
    assert failing() == []
    assert file.read_text() == '"""A."""\n\nprint(1)\n'


def test_the_fix_names_what_it_leaves(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "tools/a.py").write_text('"""A."""\n\nprint(never)\n')
    assert main(["fix", *TOOLS]) == 1
    assert "tools/a.py:3:7: F821" in capsys.readouterr().out


def test_settings_that_ruff_refuses_are_shown_on_one_line(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "pyproject.toml").write_text("[tool.ruff]\nline-length = 'long'\n")
    assert main(["lint", *TOOLS]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("ruff cannot check ") and shown.count("\n") == 1, shown
