"""Files that tools write are whole or left alone, and so is what people wrote in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.files import PlaceError, marked_part, replace_file, with_marked_part

BEGIN, END = "<!-- from here -->", "<!-- to here -->"


def test_a_new_file_is_alone_in_its_folder(tmp_path: Path) -> None:
    replace_file(tmp_path / "new", "text\n")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["text\n"]


def test_mode_and_link_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_file(link, "new")
    assert link.is_symlink() and file.read_text(encoding="utf-8") == "new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        replace_file(file, "\ud800")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["old"]


def test_what_is_around_the_marks_stays() -> None:
    page = f"# A\n\n{BEGIN}\n\nold\n\n{END}\n\n## B\n"
    new = with_marked_part(page, BEGIN, END, "new\n\nlines")
    assert new == f"# A\n\n{BEGIN}\n\nnew\n\nlines\n\n{END}\n\n## B\n"
    assert marked_part(new, BEGIN, END)[1] == "new\n\nlines"
    assert with_marked_part(new, BEGIN, END, "old") == page


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_needs_both_marks_once_and_in_order(page: str) -> None:
    with pytest.raises(PlaceError, match="add the lines '<!-- from here -->' and '<!-- to here"):
        with_marked_part(page, BEGIN, END, "new")
