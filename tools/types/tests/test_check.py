"""What the type gate says of right and wrong types, in packages, examples and calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.types.check import main

SETTINGS = '[tool.mypy]\nstrict = true\n[tool.basedpyright]\ntypeCheckingMode = "strict"\n'
CALLS = "from p import double\n\ndouble(1)\ndouble('1')  # rejected\n"
README = """# P

```{code-block} python
:caption: app.py

from p import double

answer = double(21)
```

```python
from app import answer

print(2 * answer)
```
"""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a checked-in mirror, a README, and calls."""
    monkeypatch.chdir(tmp_path)
    for path, text in {
        "pyproject.toml": SETTINGS,
        "p/generated/p/__init__.py": "def replaced(a): ...\n",
        "p/generated/p/sub.py": "HALF = 0.5\n",
        "p/src/p/__init__.py": "def double(a: int) -> int:\n    return 2 * a\n",
        "README.md": README,
        "calls.py": CALLS,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def check(checker: str) -> int:
    return main(
        [
            *(checker, "--settings=pyproject.toml", "--packages", "p"),
            *("--check", "p/src/p/__init__.py", "p/generated/p/sub.py", "README.md"),
            *("--calls", "calls.py", "--imports", "p/generated/p/__init__.py"),
        ]
    )


@pytest.fixture(params=["basedpyright", "mypy"])
def checker(request: pytest.FixtureRequest) -> str:
    """Each type checker."""
    return str(request.param)


def test_right_types_pass(checker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(checker) == 0, capsys.readouterr()


#: Wrong types by the text that they take the place of, with the place that must be named: as many
#: at once as do not hide each other, since a checker takes seconds to start.
WRONG = {
    "bodies, values and arguments": [
        ("p/src/p/__init__.py", "return 2 * a", "return 'no'", "p/src/p/__init__.py:2: "),
        ("p/generated/p/sub.py", "HALF = 0.5", "HALF: int = 'no'", "p/generated/p/sub.py:1: "),
        ("README.md", "double(21)", "double([])", "README.md:8: "),
        ("README.md", "2 * answer", "answer()", "README.md:14: "),
        ("calls.py", "double(1)", "double([])", "calls.py:3: "),
    ],
    "no type, and nothing to reject": [
        ("p/src/p/__init__.py", "a: int", "a", "p/src/p/__init__.py:1: "),
        ("calls.py", "double('1')", "double(1)", "calls.py:4: is not rejected"),
    ],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_where_it_stands(
    checker: str,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    wrong: list[tuple[str, str, str, str]],
) -> None:
    for file, old, new, _ in wrong:
        text = (repository / file).read_text()
        assert old in text
        (repository / file).write_text(text.replace(old, new))
    assert check(checker) == 1
    shown = capsys.readouterr().out
    for *_, place in wrong:
        assert f"\n  {place}" in shown, shown
    assert "To fix it: " in shown


def test_a_checker_that_cannot_run_is_no_pass(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "pyproject.toml").write_text("[tool.mypy]\npython_version = 'never'\n")
    assert check("mypy") == 1
    assert "mypy cannot check: " in capsys.readouterr().err
