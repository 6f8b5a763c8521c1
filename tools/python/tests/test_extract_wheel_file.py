"""One program comes out of a wheel, or an error that says what the wheel has."""

import zipfile
from pathlib import Path

import pytest

from tools.python.extract_wheel_file import WheelError, extract, main


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "tool-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tool/bin/server", b"\x7fELF server")
        archive.writestr("tool-1.2.data/scripts/tool", b"#!/bin/sh\n")
        archive.writestr("tool-1.2.data/scripts/toolx", b"#!/bin/sh\n")
    return path


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        ("tool/bin/server", b"\x7fELF server"),
        ("tool-*.data/scripts/tool", b"#!/bin/sh\n"),
    ],
)
def test_extracts_an_executable(wheel: Path, tmp_path: Path, pattern: str, content: bytes) -> None:
    extract(wheel, pattern, tmp_path / "program")

    assert (tmp_path / "program").read_bytes() == content
    assert (tmp_path / "program").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("tool/bin/client", "nothing"),
        ("*/scripts/*", "tool-1.2.data/scripts/tool, tool-1.2.data/scripts/toolx"),
    ],
)
def test_needs_exactly_one_match(wheel: Path, tmp_path: Path, pattern: str, found: str) -> None:
    with pytest.raises(WheelError) as caught:
        extract(wheel, pattern, tmp_path / "program")

    assert str(caught.value) == (
        f"cannot take {pattern} out of tool-1.2-py3-none-any.whl: it matches {found}, not one file:"
        " correct `path` in the wheel_file target"
    )
    assert not (tmp_path / "program").exists()


def test_a_mistake_in_a_build_file_gives_no_traceback(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(wheel), "nowhere", str(tmp_path / "program")])

    assert str(caught.value).startswith("cannot take nowhere out of tool-1.2-py3-none-any.whl")
