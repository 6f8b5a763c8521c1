"""Writes the CycloneDX SBOM and the notices of a wheel: an action of the rule python_wheel.

They list all that an installation includes, in the versions that are locked and tested here,
with licences and hashes. The hashes are those of the lock, of the wheels for each platform, so that
the same input produces the same bytes everywhere.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tomllib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
from packaging.version import Version

from tools.python.lock.lock_file import FileError, read_lock
from tools.wheel.crates import crates_of
from tools.wheel.dependency import Wheel

# The least time that a zip archive can hold, as in the wheel.
_TIME = datetime(1980, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://stepflow.org/python")


_COMPLETE = "complete: from the list that cargo-auditable wrote into the program"
_INCOMPLETE = (
    "incomplete: the program has no data of cargo-auditable; these crates left the path of a source"
    " file in it, and their licences and hashes are not in it"
)


class SbomError(Exception):
    """The list would not be complete; the message is one line that says why."""


@dataclass(frozen=True)
class Description:
    """What a package includes."""

    bom: Bom
    notices: str


def describe(
    pyproject: Mapping[str, Any],
    version: str,
    *,
    siblings: Sequence[Path] = (),
    wheels: Sequence[Path] = (),
    program: Path | None = None,
    program_of: str = "",
    locks: Sequence[Path] = (),
) -> Description:
    """List what a package includes.

    Args:
        pyproject: The pyproject.toml of the package.
        version: Its version.
        siblings: Wheels of this repository that it needs.
        wheels: Wheels of all else that it needs, in the locked versions.
        program: A program that one of the wheels carries.
        program_of: The name of that wheel's distribution.
        locks: The locks that have the hashes of these wheels.

    Raises:
        SbomError: A wheel is missing, is not the locked one, or names no licence.
    """
    project = pyproject["project"]
    own = {wheel.name: wheel for wheel in map(Wheel.read, siblings)}
    known = {wheel.name: wheel for wheel in map(Wheel.read, wheels)} | own
    hashes = _locked_hashes(locks)
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
        digests = (
            {wheel.sha256}
            if name in own
            else hashes.get((name, Version(wheel.version)), set[str]())
        )
        if wheel.sha256 not in digests:
            raise SbomError(
                f"{wheel.path.name} is not among the hashes of the locks: lock {name} again"
            )
        component.hashes.update(map(_sha256, digests))
        if program and name == canonicalize_name(program_of):
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
    others = sorted(components.keys() - own.keys())
    return Description(bom, _notices(project["name"], [known[name] for name in others]))


def _locked_hashes(locks: Iterable[Path]) -> dict[tuple[str, Version], set[str]]:
    hashes: dict[tuple[str, Version], set[str]] = {}
    for lock in locks:
        for pin in read_lock(lock.read_text(encoding="utf-8")).values():
            found = hashes.setdefault((pin.name, pin.version), set())
            found.update(one.removeprefix("--hash=sha256:") for one in pin.hashes)
    return hashes


def _notices(name: str, wheels: Sequence[Wheel]) -> str:
    parts = [
        f"Third parties' notices for {name}\n\n"
        "The models and endpoint functions of stepflow-api, and their documentation, are compiled\n"
        "from the API description of Stepflow (https://stepflow.org), which is licensed under\n"
        "Apache-2.0: see LICENSE. Nothing else of third parties is in this package. It needs the\n"
        "packages below, which are installed beside it under their own licences; the versions are\n"
        "those that it is tested with."
    ]
    for wheel in wheels:
        texts = wheel.notices or ("(It brings no text of its licence.)",)
        heading = f"{wheel.metadata['Name']} {wheel.version}: {wheel.license}"
        parts.append("\n\n".join([f"{'=' * 80}\n{heading}", *texts]))
    return "\n\n".join(parts) + "\n"


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _component(name: str, version: str, license_expression: str) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(name), version=version)
    component = Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
    )
    component.licenses.add(LicenseFactory().make_from_string(license_expression))
    return component


def _wheel_component(wheel: Wheel) -> Component:
    if not wheel.license:
        raise SbomError(f"{wheel.path.name} does not say its licence: tell it in dependency.py")
    return _component(wheel.metadata["Name"], wheel.version, wheel.license)


def _program_component(program: Path, wheel: Wheel) -> Component:
    component = Component(
        name=program.name,
        version=wheel.version,
        type=ComponentType.APPLICATION,
        bom_ref=f"{program.name}@{wheel.version}",
    )
    data = program.read_bytes()
    component.licenses.add(LicenseFactory().make_from_string(str(wheel.license)))
    component.hashes.add(_sha256(hashlib.sha256(data).hexdigest()))
    component.properties.add(Property(name="stepflow:wheel", value=wheel.path.name))
    crates = crates_of(data)
    component.properties.add(
        Property(name="stepflow:crates", value=_COMPLETE if crates.complete else _INCOMPLETE)
    )
    for crate in crates.crates:
        purl = PackageURL("cargo", name=crate.name, version=crate.version)
        component.components.add(
            Component(
                name=crate.name,
                version=crate.version,
                type=ComponentType.LIBRARY,
                bom_ref=purl.to_string(),
                purl=purl,
            )
        )
    return component


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyproject", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--sibling", type=Path, action="append", default=[])
    parser.add_argument("--wheel", type=Path, action="append", default=[])
    parser.add_argument("--program", type=Path)
    parser.add_argument("--program-of", default="")
    parser.add_argument("--lock", type=Path, action="append", default=[])
    parser.add_argument("--notices", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        description = describe(
            tomllib.loads(options.pyproject.read_text(encoding="utf-8")),
            options.version,
            siblings=options.sibling,
            wheels=options.wheel,
            program=options.program,
            program_of=options.program_of,
            locks=options.lock,
        )
    except (SbomError, FileError) as error:
        print(f"cannot list what {options.pyproject} includes: {error}", file=sys.stderr)
        return 1
    options.notices.write_text(description.notices, encoding="utf-8")
    text = JsonV1Dot6(description.bom).output_as_string(indent=2)
    options.output.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
