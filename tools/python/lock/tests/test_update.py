"""The update locks with the real uv, from wheels that lie in a folder."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.python.tests.planted import Index

REQUIREMENTS = "third_party/python/requirements.in"
LOCK = "third_party/python/requirements_lock.txt"


class Workspace:
    """A repository with requirements, and a folder of wheels that stands for the package index."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index = Index(root / "index")
        self.lock = root / LOCK
        self.lock.parent.mkdir(parents=True)

    def require(self, *lines: str) -> None:
        (self.root / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines))

    def publish(self, name: str, version: str, requires: Sequence[str] = ()) -> None:
        self.index.wheel(name, version, [f"Requires-Dist: {one}" for one in requires])

    def command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "tools.python.lock.update",
            f"--uv={os.environ['UV']}",
            f"--requirements={REQUIREMENTS}",
            f"--lock={LOCK}",
            "--target=//third_party/python:update",
        ]

    def environment(self) -> dict[str, str]:
        return {
            "BUILD_WORKSPACE_DIRECTORY": str(self.root),
            "HOME": str(self.root),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TMPDIR": str(self.temporary),
            "UV_CACHE_DIR": str(self.root / "cache"),
        }

    @property
    def temporary(self) -> Path:
        path = self.root / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def update(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command(), *arguments, f"--default-index={self.index.url}"],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def pins(self) -> list[str]:
        return [line.split()[0] for line in self.lock.read_text().splitlines() if "==" in line]

    def assert_nothing_left_behind(self) -> None:
        assert {path.name for path in self.lock.parent.iterdir()} <= {
            Path(REQUIREMENTS).name,
            Path(LOCK).name,
        }
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.publish("leaf", "1.0")
    workspace.publish("tree", "1.0", requires=["leaf"])
    workspace.require("tree")
    return workspace


def test_first_lock(workspace: Workspace) -> None:
    done = workspace.update()

    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"added leaf 1.0\nadded tree 1.0\n{LOCK} is written\n",
        "",
    )
    text = workspace.lock.read_text()
    assert "\n#    tools/bazel run //third_party/python:update\n" in text
    assert f"\n    # via -r {REQUIREMENTS}\n" in text
    assert text.count("--hash=sha256:") == 2
    assert str(workspace.root) not in text
    workspace.assert_nothing_left_behind()


def test_pins_stay_until_an_upgrade(workspace: Workspace) -> None:
    workspace.update()
    workspace.publish("leaf", "2.0")
    workspace.publish("new", "1.0")
    workspace.require("tree", "new")

    kept = workspace.update()
    assert kept.stdout == f"added new 1.0\n{LOCK} is written\n"
    assert workspace.pins() == ["leaf==1.0", "new==1.0", "tree==1.0"]

    upgraded = workspace.update("--upgrade")
    assert upgraded.stdout == f"changed leaf 1.0 -> 2.0\n{LOCK} is written\n"
    assert workspace.pins() == ["leaf==2.0", "new==1.0", "tree==1.0"]


def test_further_arguments_reach_uv(workspace: Workspace) -> None:
    workspace.update()
    workspace.publish("leaf", "2.0")
    workspace.publish("tree", "2.0", requires=["leaf"])

    workspace.update("--upgrade-package=leaf")

    assert workspace.pins() == ["leaf==2.0", "tree==1.0"]


def test_what_nobody_needs_goes(workspace: Workspace) -> None:
    workspace.update()
    workspace.require("leaf")

    assert workspace.update().stdout == f"removed tree 1.0\n{LOCK} is written\n"
    assert workspace.update().stdout == f"{LOCK} was up to date\n"


def test_extras_are_kept_in_the_lock(workspace: Workspace) -> None:
    workspace.publish("extra", "1.0", requires=["leaf; extra == 'more'"])
    workspace.require("extra[more]")

    workspace.update()

    assert workspace.pins() == ["extra[more]==1.0", "leaf==1.0"]


def test_the_hashes_are_those_of_wheels(workspace: Workspace) -> None:
    workspace.index.source("tree", "1.0")
    workspace.index.source("leaf", "1.0")

    workspace.update()

    wheels = workspace.index.folder.glob("*.whl")
    lines = [line.strip() for line in workspace.lock.read_text().splitlines()]
    assert [line for line in lines if line.startswith("--hash")] == [
        f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
        for wheel in sorted(wheels)
    ]


@pytest.mark.parametrize(
    "settings",
    [
        "no-binary-package = ['sourced', 'tree']",
        "[pip]\nno-binary = [':all:']",
        "[pip]\nno-binary = ['sourced', 'tree']",
    ],
)
def test_nothing_is_built_whatever_uvs_settings_say(workspace: Workspace, settings: str) -> None:
    file = workspace.root / ".config/uv/uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text(settings)
    workspace.index.source("tree", "2.0")
    assert workspace.update().returncode == 0
    assert workspace.pins() == ["leaf==1.0", "tree==1.0"]
    workspace.index.source("sourced")
    workspace.require("sourced")

    done = workspace.update()

    assert (done.returncode, workspace.index.ran) == (1, False)
    assert "sourced==1.0 has no usable wheels" in done.stderr


def test_an_option_among_the_requirements(workspace: Workspace) -> None:
    workspace.index.source("sourced")
    workspace.require("--no-binary sourced", "sourced")

    done = workspace.update()

    assert (done.returncode, workspace.index.ran) == (1, False)
    assert done.stderr == (
        f"update: {REQUIREMENTS}: line 1 is not a requirement: --no-binary sourced: correct it,"
        " then run again: tools/bazel run //third_party/python:update\n"
    )


def test_a_requirement_that_nothing_answers(workspace: Workspace) -> None:
    workspace.update()
    before = workspace.lock.read_bytes()
    workspace.require("tree>=9")

    done = workspace.update()

    assert done.returncode != 0
    assert "tree" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"update: uv could not lock {REQUIREMENTS}, for the reason above, and {LOCK} is as it was:"
        " correct the requirement, or see that the package index is reachable, then run again:"
        " tools/bazel run //third_party/python:update"
    )
    assert workspace.lock.read_bytes() == before
    workspace.assert_nothing_left_behind()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_in_the_middle(workspace: Workspace, number: signal.Signals) -> None:
    workspace.update()
    before = workspace.lock.read_bytes()
    workspace.require("other")
    # An index that takes the call and never answers.
    with socket.create_server(("127.0.0.1", 0)) as index:
        port = index.getsockname()[1]
        with subprocess.Popen(
            [*workspace.command(), f"--default-index=http://127.0.0.1:{port}/simple"],
            env=workspace.environment(),
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process:
            connection, _ = index.accept()
            # As a terminal does: to uv as well.
            os.killpg(process.pid, number)
            _, errors = process.communicate()
        connection.close()

    assert process.returncode != 0
    assert "Traceback" not in errors
    assert workspace.lock.read_bytes() == before
    workspace.assert_nothing_left_behind()


def test_outside_bazel_run(workspace: Workspace) -> None:
    environment = workspace.environment()
    del environment["BUILD_WORKSPACE_DIRECTORY"]

    done = subprocess.run(
        workspace.command(), env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (
        1,
        "update: not told where the repository is: run it as"
        " tools/bazel run //third_party/python:update\n",
    )
