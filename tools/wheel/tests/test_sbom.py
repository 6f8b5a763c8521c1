"""Which packages cannot be listed in an SBOM, and how their licences are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.python.tests.planted import Index
from tools.wheel.dependency import Wheel
from tools.wheel.sbom import main

PYPROJECT = """\
[project]
name = "zoo-keeper"
description = "Keeps a zoo"
license = "Apache-2.0"
dependencies = ["animals>=1"]
"""


class Zoo:
    """A package that needs another one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = Index(folder / "index")
        (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")

    def describe(self, lock: str) -> int:
        (self.folder / "lock.txt").write_text(lock, encoding="utf-8")
        wheels = [f"--wheel={wheel}" for wheel in self.index.folder.glob("*.whl")]
        return main(
            [
                *(f"--pyproject={self.folder}/pyproject.toml", "--version=1.2", *wheels),
                *(f"--lock={self.folder}/lock.txt", f"--notices={self.folder}/notices.txt"),
                f"--output={self.folder}/sbom.json",
            ]
        )


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return Zoo(tmp_path)


def test_licence_hashes_and_notices(zoo: Zoo) -> None:
    pin = zoo.index.wheel("animals", metadata=["License: MIT"], files={"LICENSE": "Be kind.\n"})
    other = f"--hash=sha256:{'0' * 64}"

    assert zoo.describe(f"{pin.strip()} {other}") == 0

    [component] = json.loads((zoo.folder / "sbom.json").read_text(encoding="utf-8"))["components"]
    assert component["licenses"] == [{"license": {"id": "MIT"}}]
    # Those of the wheels for every platform: which one is built on does not show.
    hashes = {f"--hash=sha256:{one['content']}" for one in component["hashes"]}
    assert hashes == {pin.split()[1], other}
    notices = (zoo.folder / "notices.txt").read_text(encoding="utf-8")
    assert notices.endswith("\nanimals 1.0: MIT\n\nBe kind.\n")


@pytest.mark.parametrize(
    "lock", ["", "animals==1.0", f"animals==1.0 --hash=sha256:{'0' * 64}", "animals==2.0 {hash}"]
)
def test_a_wheel_that_is_not_the_locked_one(
    zoo: Zoo, capsys: pytest.CaptureFixture[str], lock: str
) -> None:
    pin = zoo.index.wheel("animals", metadata=["License: MIT"])

    assert zoo.describe(lock.format(hash=pin.split()[1])) == 1

    assert capsys.readouterr().err.endswith(
        "animals-1.0-py3-none-any.whl is not among the hashes of the locks: lock animals again\n"
    )


def test_a_wheel_without_a_licence(zoo: Zoo, capsys: pytest.CaptureFixture[str]) -> None:
    assert zoo.describe(zoo.index.wheel("animals")) == 1

    assert "animals-1.0-py3-none-any.whl does not say its licence" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("metadata", "license"),
    [
        (["License-Expression: MIT OR Apache-2.0", "License: Other"], "MIT OR Apache-2.0"),
        (["License: ISC License"], "ISC"),
        (["License: a text", " of several lines"], None),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["Classifier: License :: OSI Approved :: Own License"], "Own License"),
        (["Classifier: Topic :: Zoo"], None),
    ],
)
def test_where_a_wheel_says_its_licence(
    tmp_path: Path, metadata: list[str], license: str | None
) -> None:
    index = Index(tmp_path / "index")
    index.wheel("animals", metadata=metadata)

    assert Wheel.read(index.folder / "animals-1.0-py3-none-any.whl").license == license
