"""Builds a wheel and a source distribution: an action of the rule python_wheel.

The files are copied into a project of their own, so that hatchling finds nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import hatchling.build
import tomlkit
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

# The least time that a zip archive can hold, and the same for every build.
_TIMESTAMP = "315532800"
_NOTICES = "THIRD_PARTY_NOTICES.txt"


class ProjectError(Exception):
    """The pyproject.toml cannot be built; the message is one line that says why."""


def release_project(text: str, version: str, siblings: Iterable[str], sbom: str) -> str:
    """Return the pyproject.toml of a release.

    Args:
        text: The pyproject.toml of the repository, which leaves the version to the build.
        version: The version of the package and of its siblings.
        siblings: Distributions of this repository that it depends on.
        sbom: Name of the SBOM beside it.

    Raises:
        ProjectError: It states a version of its own, or does not name a sibling.
    """
    document = tomlkit.parse(text).unwrap()
    project = document["project"]
    if "version" in project or "version" not in project.get("dynamic", []):
        raise ProjectError(
            'states a version of its own: write dynamic = ["version"] under [project]; the version'
            " is in api/src/stepflow_api/_version.py"
        )
    project["dynamic"].remove("version")
    project["version"] = version
    project.setdefault("license-files", []).append(_NOTICES)
    pins = {canonicalize_name(name): SpecifierSet(f"=={version}") for name in siblings}
    for dependencies in (
        project.get("dependencies", []),
        *project.get("optional-dependencies", {}).values(),
    ):
        for number, dependency in enumerate(dependencies):
            requirement = Requirement(dependency)
            pin = pins.get(canonicalize_name(requirement.name))
            if pin and requirement.specifier:
                raise ProjectError(
                    f"states a version in {dependency!r}: leave it out; the build pins it"
                )
            if pin:
                requirement.specifier = pin
                dependencies[number] = str(requirement)
    named = {canonicalize_name(Requirement(one).name) for one in project.get("dependencies", [])}
    if missing := sorted(pins.keys() - named):
        raise ProjectError(
            f"does not depend on {missing[0]}: add it to `dependencies`, or take it out of"
            " `siblings` in the python_wheel target"
        )
    build = document.setdefault("tool", {}).setdefault("hatch", {}).setdefault("build", {})
    document["tool"]["hatch"].pop("version", None)
    # An ignore file in any folder above could hide modules, here and where the sdist is built.
    build["ignore-vcs"] = True
    build["targets"]["wheel"]["sbom-files"] = [sbom]
    return tomlkit.dumps(document)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyproject", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--sibling", action="append", default=[])
    parser.add_argument("--sbom", type=Path, required=True)
    parser.add_argument("--notices", type=Path, required=True)
    parser.add_argument("--file", action="append", default=[], metavar="PLACE=SOURCE")
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--sdist", type=Path, required=True)
    options = parser.parse_args(arguments)
    text = options.pyproject.read_text(encoding="utf-8")
    try:
        project = release_project(text, options.version, options.sibling, options.sbom.name)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            # Here hatchling's search for ignore files ends, which go into a source distribution.
            (root / ".git").mkdir()
            (root / "pyproject.toml").write_text(project, encoding="utf-8")
            made = [f"{options.sbom.name}={options.sbom}", f"{_NOTICES}={options.notices}"]
            for file in [*options.file, *made]:
                place, _, source = file.partition("=")
                (root / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, root / place)
            _build(root, options.wheel.absolute(), options.sdist.absolute())
    except ProjectError as error:
        print(f"cannot build {options.wheel.name}: {options.pyproject} {error}", file=sys.stderr)
        return 1
    return 0


def _build(root: Path, wheel: Path, sdist: Path) -> None:
    os.environ["SOURCE_DATE_EPOCH"] = _TIMESTAMP
    before = Path.cwd()
    os.chdir(root)
    try:
        for build, output in (
            (hatchling.build.build_sdist, sdist),
            (hatchling.build.build_wheel, wheel),
        ):
            name = build(str(root / "dist"))
            if name != output.name:
                raise ProjectError(
                    f"makes {name}: let `package` in the python_wheel target and `name` in"
                    " pyproject.toml agree"
                )
            shutil.copyfile(root / "dist" / name, output)
    finally:
        os.chdir(before)


if __name__ == "__main__":
    sys.exit(main())
