"""How a wheel is built: the same bytes wherever it is built, and one line for each mistake."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.wheel.build import ProjectError, release_project

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "zoo-keeper"
dynamic = ["version"]
description = "Keeps a zoo"
readme = "README.md"
license = "Apache-2.0"
requires-python = ">=3.11"
dependencies = ["zoo-animals", "httpx>=0.27"]

[project.optional-dependencies]
night = ["zoo-animals[owls]; python_version > '3'"]

[tool.hatch.version]
path = "../somewhere.py"

[tool.hatch.build.targets.wheel]
packages = ["src/zoo_keeper"]
"""


def test_siblings_get_the_version() -> None:
    released = tomllib.loads(release_project(PYPROJECT, "1.2", ["zoo-animals"], "a.json"))
    project = released["project"]
    assert (project["version"], project["dynamic"]) == ("1.2", [])
    assert project["dependencies"] == ["zoo-animals==1.2", "httpx>=0.27"]
    extras = project["optional-dependencies"]
    assert extras == {"night": ['zoo-animals[owls]==1.2; python_version > "3"']}
    assert "version" not in released["tool"]["hatch"]
    # Ignore files on the building machine could hide modules.
    assert released["tool"]["hatch"]["build"]["ignore-vcs"] is True


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('dynamic = ["version"]', 'version = "1.0"', "states a version of its own"),
        ('dynamic = ["version"]', "", "states a version of its own"),
        ('"zoo-animals"', '"zoo-animals==1.1"', "states a version in 'zoo-animals==1.1'"),
        ('"zoo-animals", ', "", "does not depend on zoo-animals"),
    ],
)
def test_mistakes(old: str, new: str, message: str) -> None:
    assert old in PYPROJECT
    with pytest.raises(ProjectError, match=message) as caught:
        release_project(PYPROJECT.replace(old, new), "1.2", ["zoo-animals"], "a.json")
    assert "\n" not in str(caught.value)


def build(folder: Path, pyproject: str = PYPROJECT, **environment: str) -> tuple[str, list[str]]:
    """Builds in a folder of its own; returns what is printed, and the digests."""
    folder.mkdir(parents=True)
    for name, text in (
        ("pyproject.toml", pyproject),
        ("README.md", "# zoo-keeper\n"),
        ("keeper.py", "FOOD = 1\n"),
        ("sbom.json", "{}\n"),
        ("notices.txt", "None.\n"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    outputs = ["zoo_keeper-1.2-py3-none-any.whl", "zoo_keeper-1.2.tar.gz"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tools.wheel.build", "--version=1.2", "--sibling=zoo-animals"),
            *(f"--pyproject={folder}/pyproject.toml", f"--sbom={folder}/sbom.json"),
            *(f"--file=README.md={folder}/README.md", f"--wheel={folder}/{outputs[0]}"),
            *(f"--file=src/zoo_keeper/__init__.py={folder}/keeper.py",),
            *(f"--notices={folder}/notices.txt", f"--sdist={folder}/{outputs[1]}"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stderr, []
    return done.stdout, [hashlib.sha256((folder / one).read_bytes()).hexdigest() for one in outputs]


def test_two_builds_have_the_same_bytes(tmp_path: Path) -> None:
    one = build(tmp_path / "one", TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
    elsewhere = tmp_path / "far" / "away" / "other"
    old = os.umask(0o077)
    try:
        # An ignore file above would hide the package from hatchling.
        (tmp_path / ".gitignore").write_text("*.py\n", encoding="utf-8")
        two = build(
            elsewhere,
            TZ="Asia/Tokyo",
            LC_ALL="C.UTF-8",
            PYTHONHASHSEED="2",
            SOURCE_DATE_EPOCH="1700000000",
            TMPDIR=str(tmp_path),
        )
    finally:
        os.umask(old)
    assert one == two
    assert len(one[1]) == 2


def test_a_mistake_is_told_in_one_line(tmp_path: Path) -> None:
    printed, digests = build(tmp_path / "a", PYPROJECT.replace('"zoo-animals", ', ""))
    assert digests == []
    assert printed.count("\n") == 1
    assert printed.startswith("cannot build zoo_keeper-1.2-py3-none-any.whl: ")


def test_another_name_is_told(tmp_path: Path) -> None:
    printed, digests = build(tmp_path / "a", PYPROJECT.replace("zoo-keeper", "zoo_guard"))
    assert digests == []
    assert printed.count("\n") == 1
    assert "let `package` in the python_wheel target and `name` in pyproject.toml agree" in printed
