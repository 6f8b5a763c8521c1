"""No code of a package runs while it is fetched, whatever the user's pip settings say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.python.tests.planted import Index
from tools.python.tests.starlark import calls

HUBS = {
    one["hub_name"]: one
    for function in ("pip.parse", "dev_pip.parse")
    for one in calls("MODULE.bazel", function)
}
ONLY_WHEELS = ["--only-binary=:all:"]
ALL_FROM_SOURCE = "no-binary = :all:"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


class Fetch:
    """What a hub does for one line of its lock: rules_python calls pip like this."""

    def __init__(self, folder: Path, index: Index, place: str, setting: str) -> None:
        self.folder = folder / "fetched"
        self.folder.mkdir()
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PIP_CONFIG_FILE": str(folder / "named.conf"),
        }
        where = f"index-url = {index.url}\n"
        files = {place: setting, "pip/pip.conf": "", "named.conf": ""}
        if place == "environment":
            name, _, value = setting.partition(" = ")
            self.environment["PIP_" + name.upper().replace("-", "_")] = value
            del files[place]
        for name, text in files.items():
            file = folder / name.replace("pip/", ".config/pip/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"[global]\n{where}[wheel]\n{text}\n")

    def __call__(self, requirement: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        lock = self.folder / "line"
        lock.write_text(requirement)
        return subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--no-deps", *arguments, "-r", str(lock)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def wheels(self) -> list[str]:
        return [path.name for path in self.folder.glob("*.whl")]


@pytest.mark.parametrize("name", HUBS)
def test_a_hub_takes_wheels_alone_from_where_the_user_says(name: str) -> None:
    assert HUBS[name]["extra_pip_args"][:1] == ONLY_WHEELS
    # Isolated from the user's settings, pip would not know the user's index either.
    assert HUBS[name]["isolated"] is False
    assert "environment" not in HUBS[name]


@pytest.mark.parametrize(
    ("place", "setting"),
    [
        ("environment", ALL_FROM_SOURCE),
        ("environment", "no-binary = sourced,wheeled"),
        ("pip/pip.conf", ALL_FROM_SOURCE),
        ("named.conf", ALL_FROM_SOURCE),
    ],
)
def test_settings_do_not_bring_source_distributions_back(
    tmp_path: Path, index: Index, place: str, setting: str
) -> None:
    fetch = Fetch(tmp_path, index, place, setting)

    done = fetch(index.source("sourced"), ONLY_WHEELS)
    assert (done.returncode, index.ran) == (1, False)
    assert "No matching distribution found for sourced" in done.stderr

    index.source("wheeled")
    done = fetch(index.wheel("wheeled"), ONLY_WHEELS)
    assert done.returncode == 0, done.stderr
    assert (fetch.wheels, index.ran) == (["wheeled-1.0-py3-none-any.whl"], False)


def test_without_the_argument_the_code_runs(tmp_path: Path, index: Index) -> None:
    Fetch(tmp_path, index, "environment", ALL_FROM_SOURCE)(index.source("sourced"), [])

    assert index.ran


def test_a_wheels_hash_keeps_out_the_source_distribution(tmp_path: Path, index: Index) -> None:
    # What older pips do at `global-option`, whatever their arguments say.
    fetch = Fetch(tmp_path, index, "environment", ALL_FROM_SOURCE)
    index.source("both")

    done = fetch(index.wheel("both"), [])

    assert (done.returncode, fetch.wheels, index.ran) == (1, [], False)
