"""Writes the CycloneDX SBOM of a wheel: an action of the rule python_wheel.

It lists all that an installation brings along, in the versions that are locked and tested here. The
same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tomllib
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The least time that a zip archive can hold, as in the wheel.
_TIME = datetime(1980, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://stepflow.org/python")


class SbomError(Exception):
    """The list would not be complete; the message is one line that says why."""


@dataclass(frozen=True)
class Wheel:
    """What a wheel says about itself."""

    path: Path
    metadata: Message

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Reads the metadata of a wheel."""
        with zipfile.ZipFile(path) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            return cls(path, BytesParser().parsebytes(archive.read(name)))

    @property
    def name(self) -> str:
        """The name that it is installed by."""
        return canonicalize_name(self.metadata["Name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.metadata["Version"])

    def requires(self, extras: Iterable[str]) -> Iterator[Requirement]:
        """Yields what it needs here."""
        for line in self.metadata.get_all("Requires-Dist", []):
            requirement = Requirement(line)
            marker = requirement.marker
            if not marker or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                yield requirement


def describe(
    pyproject: Mapping[str, Any],
    version: str,
    *,
    siblings: Sequence[Path] = (),
    wheels: Sequence[Path] = (),
    program: Path | None = None,
    program_of: str = "",
) -> Bom:
    """Lists what a package brings along.

    Args:
        pyproject: The pyproject.toml of the package.
        version: Its version.
        siblings: Wheels of this repository that it needs.
        wheels: Wheels of all else that it needs, in the locked versions.
        program: A program that one of the wheels carries.
        program_of: The name of that wheel's distribution.

    Raises:
        SbomError: A wheel is missing.
    """
    project = pyproject["project"]
    known = {wheel.name: wheel for wheel in map(Wheel.read, [*siblings, *wheels])}
    package = _component(project["name"], version, project["license"])
    package.description = project["description"]
    bom = Bom(metadata=BomMetaData(component=package, timestamp=_TIME))
    required = [Requirement(one) for one in project.get("dependencies", [])]
    optional = [
        Requirement(one)
        for extra in project.get("optional-dependencies", {}).values()
        for one in extra
    ]
    components: dict[str, Component] = {}

    def visit(requirement: Requirement, scope: ComponentScope) -> Component:
        name = canonicalize_name(requirement.name)
        if name in components:
            return components[name]
        if name not in known:
            raise SbomError(
                f"{name} is missing: add it to `requirements` (or `siblings`) of the python_wheel"
                " target, and to third_party/python/requirements.in if it is not there"
            )
        wheel = known[name]
        component = components[name] = _wheel_component(wheel)
        component.scope = scope
        if wheel.path in siblings:
            component.hashes.add(_sha256(wheel.path))
        if program and name == canonicalize_name(program_of):
            component.hashes.add(_sha256(wheel.path))
            component.components.add(_program_component(program, wheel))
        needs = [visit(one, scope) for one in wheel.requires(requirement.extras)]
        bom.register_dependency(component, needs)
        return component

    needs = [visit(one, ComponentScope.REQUIRED) for one in required if _applies(one)]
    needs += [visit(one, ComponentScope.OPTIONAL) for one in optional if _applies(one)]
    bom.components.update(components.values())
    bom.register_dependency(package, needs)
    if program and canonicalize_name(program_of) not in components:
        raise SbomError(f"{program_of} carries {program.name}, and the package does not need it")
    content = f"{package.purl} {sorted(str(one.purl) for one in components.values())}"
    bom.serial_number = uuid.uuid5(_NAMESPACE, content)
    return bom


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _component(name: str, version: str, license_expression: str | None) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(name), version=version)
    component = Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
    )
    if license_expression:
        component.licenses.add(LicenseFactory().make_from_string(license_expression))
    return component


def _wheel_component(wheel: Wheel) -> Component:
    return _component(
        wheel.metadata["Name"], wheel.version, wheel.metadata.get("License-Expression")
    )


def _program_component(program: Path, wheel: Wheel) -> Component:
    component = Component(
        name=program.name,
        version=wheel.version,
        type=ComponentType.APPLICATION,
        bom_ref=f"{program.name}@{wheel.version}",
    )
    component.hashes.add(_sha256(program))
    component.properties.add(Property(name="stepflow:wheel", value=wheel.path.name))
    return component


def _sha256(path: Path) -> HashType:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyproject", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--sibling", type=Path, action="append", default=[])
    parser.add_argument("--wheel", type=Path, action="append", default=[])
    parser.add_argument("--program", type=Path)
    parser.add_argument("--program-of", default="")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        bom = describe(
            tomllib.loads(options.pyproject.read_text(encoding="utf-8")),
            options.version,
            siblings=options.sibling,
            wheels=options.wheel,
            program=options.program,
            program_of=options.program_of,
        )
    except SbomError as error:
        print(f"cannot list what {options.pyproject} brings along: {error}", file=sys.stderr)
        return 1
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    options.output.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
