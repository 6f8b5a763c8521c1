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
        ("The server ended by itself.", "a.py:2: 'by itself'; write: on its own"),
        ("To mend it", "a.py:2: 'mend'; write: fix"),
        ("Recieve a response.", "a.py:2: Recieve ==> Receive"),
        ("timeout is -1; give a number", "a.py:2: 'give'; write: pass, use"),
        ("A value that is no number.", "a.py:2: 'that is no'; write: that is not a"),
        ("#: It is handed\n#: in by you.", "a.py:2: 'handed in'; write: pass"),
        ("Unknown fields\nare ignored, so are fields\nit does not know", "a.py:3: 'fields it does"),
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


@pytest.mark.parametrize(
    "name",
    ["CHANGELOG.md", "a.BUILD.bazel", "a.svg", "a.jinja2", "requirements.in", "a/script"],
)
def test_text_of_every_kind_is_checked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n# What whoever calls gives.\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 1


def test_good_lines_pass(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text("It gives up after 3 attempts.\n", encoding="utf-8")
    for name in ("api/generated/b.py", "bazel-bin/c.py", ".git/d.md", "e.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Gives teh status.\n", encoding="utf-8")
    assert main([str(tmp_path / "a.md")]) == 0
    assert capfd.readouterr().out == ""
