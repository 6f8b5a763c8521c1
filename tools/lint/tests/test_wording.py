"""What the check of the wording refuses, and what it suggests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lint.wording import main


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gives the status.", "a.py:2: 'Gives'; write: return, provide or show"),
        ("It is for whoever calls.", "a.py:2: 'whoever'; write: anyone who"),
        ("The server ended by itself.", "a.py:2: 'ended by itself'; write: exit"),
        ("To mend it", "a.py:2: 'mend'; write: fix"),
        ("Recieve a response.", "a.py:2: Recieve ==> Receive"),
        ("timeout is -1; give a number", "a.py:2: 'give a'; write: pass, use or assign"),
        ("A value that is no number.", "a.py:2: 'that is no'; write: that is not a"),
    ],
)
def test_a_bad_line_is_named_with_better_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    (tmp_path / "a.py").write_text(f'"""A module.\n{text}\n"""\n', encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    shown = capfd.readouterr().out
    assert expected in shown
    assert shown.splitlines()[-1].startswith("To fix it: ")


def test_good_lines_pass(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text("It gives up after 3 attempts.\n", encoding="utf-8")
    for name in ("api/generated/b.py", "bazel-bin/c.py", ".git/d.md", "e.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Gives teh status.\n", encoding="utf-8")
    assert main([str(tmp_path / "a.md")]) == 0
    assert capfd.readouterr().out == ""
