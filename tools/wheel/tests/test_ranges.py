"""The ranges of versions in the metadata are those that tests run on, from oldest to newest."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools.python.lock.lock_file import read_lock, read_requirements

OLDEST = "third_party/python_lowest"
NEWEST = "third_party/python"
UPDATE = f"tools/bazel run //{OLDEST}:update -- --upgrade"


def declared() -> list[tuple[str, Requirement]]:
    found = []
    for path in sorted(Path().glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        for line in [*project["dependencies"], *(one for extra in extras for one in extra)]:
            requirement = Requirement(line)
            if not requirement.name.startswith("stepflow-"):
                found.append((str(path), requirement))
    return found


@pytest.mark.parametrize(("path", "requirement"), declared(), ids=str)
def test_the_oldest_and_the_newest_are_what_tests_run_on(
    path: str, requirement: Requirement
) -> None:
    asked = {
        one.name: one.specifier
        for one in read_requirements(Path(OLDEST, "requirements.in").read_text(encoding="utf-8"))
    }
    name = requirement.name
    assert asked.get(name) == requirement.specifier, (
        f"{path} has {requirement}: write the same into {OLDEST}/requirements.in, then {UPDATE}"
    )
    oldest = read_lock(Path(OLDEST, "requirements_lock.txt").read_text(encoding="utf-8"))[name]
    (least,) = (one.version for one in requirement.specifier if one.operator == ">=")
    assert Version(str(oldest.version)) == Version(least), f"{oldest} is not the oldest: {UPDATE}"
    newest = read_lock(Path(NEWEST, "requirements_lock.txt").read_text(encoding="utf-8"))[name]
    assert requirement.specifier.contains(str(newest.version)), (
        f"{path} has {requirement}, and all other tests run on {newest.version}: widen the range"
    )
