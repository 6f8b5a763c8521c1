"""The real uv resolves packages of a folder, and its output is understood."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.python.tests.planted import Index
from tools.wheel import neighbours
from tools.wheel.neighbours import Uv, examine

OURS = ["middle>=1", "shared>=2,<3"]


class Packages(Index):
    """The packages that uv knows of."""

    def publish(self, name: str, version: str, *requires: str) -> None:
        self.wheel(name, version, [f"Requires-Dist: {one}" for one in requires])


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    index = Packages(tmp_path / "index")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    index.publish("middle", "1.0")
    for version in ("1.0", "2.0", "2.5", "3.0"):
        index.publish("shared", version)
    return index


def row(name: str, ours: Sequence[str] = OURS) -> tuple[str, str]:
    found = examine(Uv(os.environ["UV"], "3.11"), name, ours)
    return found.version, found.result


def test_a_package_that_goes_with_ours(packages: Packages) -> None:
    packages.publish("guest", "1.0", "shared<2.5")

    found = examine(Uv(os.environ["UV"], "3.11"), "guest", OURS)

    assert (found.version, found.result) == ("1.0", "yes")
    assert found.versions == {"guest": "1.0", "middle": "1.0", "shared": "2.0"}


def test_shared_versions_are_in_the_row(packages: Packages) -> None:
    packages.publish("pydantic", "2.8")
    packages.publish("guest", "1.0")

    found = examine(Uv(os.environ["UV"], "3.11"), "guest", ["pydantic>=2.8"])

    assert found.row() == "| `guest` | 1.0 | yes | 2.8 | – | – |"


def test_an_old_version_does_not_hide_a_conflict(packages: Packages) -> None:
    packages.publish("guest", "1.0")
    packages.publish("guest", "2.0", "shared<2")

    assert row("guest") == ("2.0", "**no**: `guest` requires `shared<2`, ours `shared>=2,<3`")


def test_a_conflict_further_down(packages: Packages) -> None:
    packages.publish("base", "1.0", "shared>=3,<4")
    packages.publish("base", "1.1", "shared>=3")
    packages.publish("guest", "1.0", "base[all]>=1")

    version, result = row("guest")

    assert (version, result.startswith("**no**: `base` requires `shared>=3")) == ("1.0", True)
    assert result.endswith(", ours `shared>=2,<3`")


def test_a_conflict_that_does_not_name_our_requirement(packages: Packages) -> None:
    packages.publish("own", "1.0", "deep<2")
    packages.publish("guest", "1.0", "deep>=2")
    packages.publish("deep", "1.0")
    packages.publish("deep", "2.0")

    version, result = row("guest", ["own"])

    assert (version, result[:8]) == ("1.0", "**no**: ")
    assert "deep>=2" in result
    assert "deep<2" in result
    assert "\n" not in result


def test_a_dependency_that_is_older_because_of_ours(packages: Packages) -> None:
    packages.publish("guest", "1.0", "shared>=2")

    assert row("guest") == ("1.0", "yes; `shared` 2.5 instead of 3.0")


def test_dependencies_without_a_wheel_are_left_out(packages: Packages) -> None:
    packages.source("sourced")
    packages.source("another")
    packages.publish("base", "1.0", "another")
    packages.publish("guest", "1.0")
    packages.publish("guest", "2.0", "sourced", "base", "shared<2")

    version, result = row("guest")

    assert version == "2.0"
    assert result.startswith("**no**: `guest` requires `shared<2`")
    assert result.endswith("; not checked, for lack of a wheel: `sourced`, `another`")
    assert not packages.ran


def test_a_release_that_is_incomplete(packages: Packages) -> None:
    packages.publish("guest", "1.0")
    packages.publish("guest", "2.0", "shared==99")

    assert row("guest") == ("1.0", "yes; 2.0 cannot be installed even alone")


def test_a_package_that_cannot_be_installed(packages: Packages) -> None:
    packages.publish("guest", "1.0", "shared==99")

    assert row("guest") == ("1.0", "cannot be installed even alone")


def test_our_requirements_are_those_of_the_three_packages() -> None:
    ours = neighbours.own_requirements(Path())

    assert "pydantic>=2.8,<3" in ours
    assert any(one.startswith("stepflow-orchestrator==") for one in ours)
    assert not {"stepflow-api", "stepflow-client", "stepflow-runtime"} & {*ours}


def test_the_table_is_written_into_the_page(
    packages: Packages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packages.publish("guest", "1.0", "shared<2")
    monkeypatch.setattr(neighbours, "own_requirements", lambda root: OURS)
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(tmp_path))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{neighbours.BEGIN}\n\nold\n\n{neighbours.END}\nafter\n")

    for _ in range(2):
        assert neighbours.main([f"--uv={os.environ['UV']}", "--page=page.md", "guest"]) == 0

        table = capsys.readouterr().out
        assert "With Python 3.11 on " in table
        assert page.read_text() == (
            f"before\n{neighbours.BEGIN}\n\n{table}\n{neighbours.END}\nafter\n"
        )


def test_failures_are_one_line(
    packages: Packages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(tmp_path))
    (tmp_path / "page.md").write_text("nothing\n")
    uv = f"--uv={os.environ['UV']}"

    assert neighbours.main([uv, "--page=page.md", "guest"]) == 1
    assert "add the lines" in capsys.readouterr().err
    assert neighbours.main([uv, "--page=other.md", "guest"]) == 1
    assert "No such file or directory" in capsys.readouterr().err
    assert neighbours.main([uv, "not a name"]) == 1
    assert "'not a name'" in capsys.readouterr().err
    packages.source("sourced")
    assert neighbours.main([uv, "sourced"]) == 1
    assert "sourced was not found, or has no wheel" in capsys.readouterr().err
    assert not packages.ran
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
    assert neighbours.main([uv, "guest"]) == 1
    assert "uv could not resolve guest" in capsys.readouterr().err.splitlines()[-1]
