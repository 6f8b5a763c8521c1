"""What installed_test runs installs wheels, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.python.tests.planted import Index
from tools.wheel.installed import install

[PIP] = [path.absolute() for path in Path.cwd().parent.glob("**/pip-*.whl")][:1]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def test_a_wheel_is_installed(tmp_path: Path, index: Index) -> None:
    index.wheel("wheeled")
    index.source("wheeled", "2.0")

    install(tmp_path / "environment", PIP, index.folder, ["wheeled"])

    [installed] = tmp_path.glob("environment/lib/*/site-packages/wheeled-*")
    assert installed.name == "wheeled-1.0.dist-info"
    assert not index.ran


def test_a_source_distribution_is_refused(
    tmp_path: Path, index: Index, capfd: pytest.CaptureFixture[str]
) -> None:
    index.source("sourced")

    with pytest.raises(SystemExit, match="cannot install sourced"):
        install(tmp_path / "environment", PIP, index.folder, ["sourced"])

    assert "No matching distribution found for sourced" in capfd.readouterr().err
    assert not index.ran


def test_a_python_that_is_missing_is_named(tmp_path: Path, index: Index) -> None:
    with pytest.raises(SystemExit, match=r"^cannot find python3\.1 on PATH: install it, or leave"):
        install(tmp_path / "environment", PIP, index.folder, [], python="python3.1")
