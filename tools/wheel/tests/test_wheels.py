"""What the wheels have in them, and what they say about themselves."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stepflow_api import __version__

PROJECTS = {
    file.parent.name: tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    for file in Path().glob("*/pyproject.toml")
}
FOLDERS = {project["name"].replace("-", "_"): folder for folder, project in PROJECTS.items()}
PACKAGES = sorted(FOLDERS)


def wheel(package: str) -> Path:
    return Path(FOLDERS[package], f"{package}-{__version__}-py3-none-any.whl")


def sdist(package: str) -> Path:
    return Path(FOLDERS[package], f"{package}-{__version__}.tar.gz")


def info(package: str, name: str) -> bytes:
    with zipfile.ZipFile(wheel(package)) as archive:
        return archive.read(f"{package}-{__version__}.dist-info/{name}")


def metadata(package: str) -> Message:
    return BytesParser().parsebytes(info(package, "METADATA"))


def requirements(package: str) -> list[Requirement]:
    return [Requirement(line) for line in metadata(package).get_all("Requires-Dist", [])]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_has_its_package_and_nothing_else(package: str) -> None:
    with zipfile.ZipFile(wheel(package)) as archive:
        names = set(archive.namelist())
    dist_info = f"{package}-{__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {package, dist_info}
    assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
    modules = {name for name in names if name.startswith(f"{package}/")}
    # The schema is read at each start with a config.
    schema = (
        {"stepflow_runtime/config.schema.json"} if package == "stepflow_runtime" else set[str]()
    )
    assert schema <= modules
    assert {Path(name).suffix for name in modules - schema} == {".py", ".typed"}
    # What this test itself has imported or could import of the package, from Bazel's libraries.
    source = Path(FOLDERS[package], "src")
    files = {str(path.relative_to(source)) for path in source.glob(f"{package}/**/*.py")}
    assert {name for name in modules if name.endswith(".py")} == files
    with zipfile.ZipFile(wheel(package)) as archive:
        for name in files:
            assert archive.read(name) == (source / name).read_bytes(), name


def test_generated_modules_are_in_the_wheel() -> None:
    with zipfile.ZipFile(wheel("stepflow_api")) as archive:
        names = archive.namelist()
        generated = archive.read("stepflow_api/models/_generated/run_details.py").decode()
    assert "class GeneratedRunDetails(" in generated
    assert "stepflow_api/api/run/create_run.py" in names
    assert "stepflow_api/api/batch/create_batch.py" in names


@pytest.mark.parametrize("package", PACKAGES)
def test_bytes_depend_on_nothing_but_the_files(package: str) -> None:
    with zipfile.ZipFile(wheel(package)) as archive:
        for member in archive.infolist():
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.external_attr >> 16 & 0o777 == 0o644, member.filename
    with tarfile.open(sdist(package)) as archive:
        for entry in archive:
            assert (entry.mtime, entry.uid, entry.gid, entry.mode) == (315532800, 0, 0, 0o644)


@pytest.mark.parametrize("package", PACKAGES)
def test_metadata_says_what_people_look_for(package: str) -> None:
    found = metadata(package)
    assert found["Name"] == package.replace("_", "-")
    assert found["Version"] == __version__
    assert found["Requires-Python"] == ">=3.11"
    assert found["License-Expression"] == "Apache-2.0"
    assert info(package, "licenses/LICENSE") == Path("LICENSE").read_bytes()
    assert len(found["Summary"]) > 20
    assert "Typing :: Typed" in found.get_all("Classifier", [])
    assert "Programming Language :: Python :: 3.11" in found.get_all("Classifier", [])
    readme = Path(FOLDERS[package], "README.md").read_text(encoding="utf-8")
    assert found.get_payload(decode=True) == readme.encode()
    # A link into the repository leads nowhere from the page of a package.
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", readme) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_siblings_are_pinned_to_the_one_version(package: str) -> None:
    own = {project["name"] for project in PROJECTS.values()}
    pinned = {one.name: str(one.specifier) for one in requirements(package) if one.name in own}
    asked = own.intersection(PROJECTS[FOLDERS[package]]["dependencies"])
    assert pinned == dict.fromkeys(asked, f"=={__version__}")


def test_the_client_brings_its_command_and_its_extras() -> None:
    assert info("stepflow_client", "entry_points.txt").decode().split("\n")[:2] == [
        "[console_scripts]",
        "stepflow-client = stepflow_client.cli:main",
    ]
    assert metadata("stepflow_client").get_all("Provides-Extra") == ["httpx2", "tracing"]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_source_distribution_builds_the_same_wheel(package: str, tmp_path: Path) -> None:
    with tarfile.open(sdist(package)) as archive:
        archive.extractall(tmp_path)
    (root,) = tmp_path.iterdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=root,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(Path(one).absolute()) for one in sys.path if one),
            "SOURCE_DATE_EPOCH": "315532800",
        },
        check=True,
    )
    (built,) = (root / "dist").iterdir()
    assert built.name == wheel(package).name
    assert built.read_bytes() == wheel(package).read_bytes()


def test_twine_finds_nothing() -> None:
    files = [str(path) for package in PACKAGES for path in (wheel(package), sdist(package))]
    done = subprocess.run(
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == len(files)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_sbom_is_valid_and_complete(package: str) -> None:
    name = f"{package}-{__version__}.cdx.json"
    text = info(package, f"sboms/{name}").decode()
    assert Path(FOLDERS[package], name).read_text(encoding="utf-8") == text
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    own = document["metadata"]["component"]
    assert (own["name"], own["version"]) == (package.replace("_", "-"), __version__)
    assert own["purl"] == f"pkg:pypi/{own['name']}@{__version__}"
    components = {canonicalize_name(one["name"]): one for one in document["components"]}
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in document["dependencies"]}
    for requirement in requirements(package):
        component = components[canonicalize_name(requirement.name)]
        assert component["bom-ref"] in needs[own["bom-ref"]]
        assert requirement.specifier.contains(component["version"])
        assert component["scope"] == ("optional" if requirement.marker else "required")
    # Everything that is listed is needed by something, and is what is locked here.
    needed = set[str]().union(*needs.values())
    assert {one["bom-ref"] for one in components.values()} == needed
    for name, component in components.items():
        if not name.startswith("stepflow-") or name == "stepflow-orchestrator":
            assert component["version"] == importlib.metadata.version(name)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_sbom_has_licences_and_hashes_of_all_parts(package: str) -> None:
    document = json.loads(info(package, f"sboms/{package}-{__version__}.cdx.json"))
    for component in document["components"]:
        assert component["licenses"], component["name"]
        assert {one["alg"] for one in component["hashes"]} == {"SHA-256"}, component["name"]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_has_the_notices_of_third_parties(package: str) -> None:
    text = info(package, "licenses/THIRD_PARTY_NOTICES.txt").decode()
    document = json.loads(info(package, f"sboms/{package}-{__version__}.cdx.json"))
    own = {name.replace("_", "-") for name in PACKAGES}
    for component in document["components"]:
        heading = f"\n{component['name']} {component['version']}: "
        assert (heading in text) is (component["name"] not in own), heading
    assert "Copyright (c) 2017 to present Pydantic Services Inc." in text
    assert metadata(package).get_all("License-File") == ["LICENSE", "THIRD_PARTY_NOTICES.txt"]


def test_the_runtime_brings_its_pytest_plugin() -> None:
    text = info("stepflow_runtime", "entry_points.txt").decode()
    assert "[pytest11]\nstepflow = stepflow_runtime.pytest_plugin" in text


def test_the_sbom_of_the_runtime_has_the_server() -> None:
    document = json.loads(Path(f"runtime/stepflow_runtime-{__version__}.cdx.json").read_bytes())
    (carrier,) = (one for one in document["components"] if one["name"] == "stepflow-orchestrator")
    (pinned,) = (one for one in requirements("stepflow_runtime") if one.name == carrier["name"])
    assert str(pinned.specifier) == f"=={carrier['version']}"
    (server,) = carrier["components"]
    assert (server["type"], server["name"]) == ("application", "stepflow-server")
    assert server["version"] == carrier["version"]
    binary = Path(os.environ["STEPFLOW_SERVER"])
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()
    assert server["hashes"] == [{"alg": "SHA-256", "content": digest}]
    properties = {one["name"]: one["value"] for one in server["properties"]}
    name = properties["stepflow:wheel"]
    assert name.startswith(f"stepflow_orchestrator-{carrier['version']}-")
    # The binaries have no data of cargo-auditable so far; what they name is listed.
    assert properties["stepflow:crates"].startswith("incomplete: the program has no data")
    crates = {one["name"]: one for one in server["components"]}
    assert crates["tokio"]["purl"] == f"pkg:cargo/tokio@{crates['tokio']['version']}"
    assert len(crates) > 100
