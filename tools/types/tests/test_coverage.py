"""What the check says of files that no type checker looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.types.coverage import main


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A repository with two Python files, and some that are not its own."""
    for path in ("MODULE.bazel", "a/b.py", "a/c.py", "README.md", ".venv/lib/d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "bazel-bin").symlink_to(tmp_path / "a")
    return f"--root={tmp_path / 'MODULE.bazel'}"


@pytest.mark.parametrize(
    "rest",
    [
        ["--checked", "README.md", "a/b.py", "a/c.py"],
        ["--checked", "a/b.py", "--except", "a/c.py"],
        ["--except", "a/"],
    ],
)
def test_all_files_are_checked_or_excepted(
    root: str, rest: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([root, *rest]) == 0, capsys.readouterr()


def test_a_file_that_is_in_no_target_is_named(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([root, "--checked", "a/b.py"]) == 1
    shown = capsys.readouterr().out
    assert "\n  a/c.py\n" in shown and "a/b.py" not in shown
    assert "To fix it: name them in `srcs`" in shown


@pytest.mark.parametrize("excepted", ["a/b.py", "a/gone.py"])
def test_an_exception_that_nothing_needs_is_named(
    root: str, excepted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([root, "--checked", "a/b.py", "a/c.py", "--except", excepted]) == 1
    assert f"Nothing is left to except here:\n  {excepted}\n" in capsys.readouterr().out
