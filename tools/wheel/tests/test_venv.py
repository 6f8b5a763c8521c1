"""The environment for editors: the packages' own modules are linked, and the rest is installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stepflow_api import __version__
from tools.python.tests.planted import Index

ROOT = Path.cwd()
PACKAGES = {"api": "stepflow_api", "client": "stepflow_client", "runtime": "stepflow_runtime"}
WHEELS = {wheel.name: wheel.resolve() for wheel in ROOT.parent.glob("**/*.whl")}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with a lock of what the client needs, and nothing else."""
    links = tmp_path / "links"
    links.mkdir()
    lock = []
    for name, wheel in WHEELS.items():
        if not name.startswith("stepflow_"):
            (links / name).symlink_to(wheel)
            package, version = name.split("-")[:2]
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            lock.append(f"{package}=={version} --hash=sha256:{digest}\n")
    assert lock
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "lock.txt").write_text("".join(lock), encoding="utf-8")
    return folder


def venv(workspace: Path) -> subprocess.CompletedProcess[str]:
    wheels = [
        f"--wheel={folder}/{package}-{__version__}-py3-none-any.whl"
        for folder, package in PACKAGES.items()
    ]
    return subprocess.run(
        [
            *(sys.executable, "-m", "tools.wheel.venv", f"--uv={os.environ['UV']}"),
            *("--lock=lock.txt", *wheels),
        ],
        env={
            **os.environ,
            "BUILD_WORKSPACE_DIRECTORY": str(workspace),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "HOME": str(workspace.parent),
            "UV_CACHE_DIR": str(workspace.parent / "cache"),
            "UV_FIND_LINKS": str(workspace.parent / "links"),
            "UV_OFFLINE": "1",
            "UV_NO_INDEX": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def python(workspace: Path, code: str) -> str:
    done = subprocess.run(
        [str(workspace / ".venv/bin/python"), "-I", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_modules_are_where_they_are_made(workspace: Path) -> None:
    for _ in range(2):
        done = venv(workspace)
        assert (done.returncode, done.stderr) == (0, "")
    for module in (
        "stepflow_api.client",
        "stepflow_api.models.step",
        "stepflow_client.client",
    ):
        folder = "api" if module.startswith("stepflow_api") else "client"
        made = (ROOT / folder / "src" / (module.replace(".", "/") + ".py")).resolve()
        code = f"import {module}, os; print(os.path.realpath({module}.__file__))"
        assert python(workspace, code) == str(made)
    assert python(workspace, "import stepflow_runtime as s; print(s.__version__)") == __version__
    command = subprocess.run(
        [str(workspace / ".venv/bin/stepflow-client"), "--help"], capture_output=True, check=False
    )
    assert command.returncode == 0


def test_what_is_no_longer_there_is_removed(workspace: Path) -> None:
    assert venv(workspace).returncode == 0
    (site,) = workspace.glob(".venv/lib/python3*/site-packages")
    link = site / "stepflow_client/client.py"
    link.unlink()
    link.symlink_to("/nowhere")
    other = site / "my_own.py"
    other.touch()
    assert venv(workspace).returncode == 0
    assert link.exists()
    assert other.exists()


def test_what_is_no_environment_is_left_alone(workspace: Path) -> None:
    note = workspace / ".venv" / "note.txt"
    note.parent.mkdir()
    note.touch()
    done = venv(workspace)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is there and is no virtual environment: move it away" in done.stderr
    assert note.exists()


def test_what_cannot_be_installed_is_told(workspace: Path) -> None:
    shutil.rmtree(workspace.parent / "links")
    (workspace.parent / "links").mkdir()
    done = venv(workspace)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("then run again: tools/bazel run //:venv")
    assert "Traceback" not in done.stderr


def test_what_has_no_hash_is_refused(workspace: Path) -> None:
    lock = workspace / "lock.txt"
    first, *others = lock.read_text(encoding="utf-8").splitlines()
    lock.write_text("\n".join([first.partition(" --hash")[0], *others]), encoding="utf-8")
    done = venv(workspace)
    assert done.returncode == 1
    assert "must have a hash" in done.stderr
    assert not list(workspace.glob(".venv/lib/python3*/site-packages/stepflow_*"))


def test_what_has_another_hash_is_refused(workspace: Path) -> None:
    lock = workspace / "lock.txt"
    text = lock.read_text(encoding="utf-8")
    digest = text.partition("sha256:")[2][:64]
    lock.write_text(text.replace(digest, "0" * 64), encoding="utf-8")
    done = venv(workspace)
    assert done.returncode == 1
    assert "Hash mismatch" in done.stderr
    assert not list(workspace.glob(".venv/lib/python3*/site-packages/stepflow_*"))


@pytest.mark.parametrize("settings", ["", "[pip]\nno-binary = ['sourced']"])
def test_nothing_is_built(workspace: Path, settings: str) -> None:
    file = workspace.parent / ".config/uv/uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text(settings, encoding="utf-8")
    index = Index(workspace.parent / "index")
    with (workspace / "lock.txt").open("a", encoding="utf-8") as lock:
        lock.write(index.source("sourced"))
    for path in index.folder.glob("*.tar.gz"):
        path.rename(workspace.parent / "links" / path.name)

    done = venv(workspace)

    assert (done.returncode, index.ran) == (1, False)
    assert "sourced==1.0 has no usable wheels" in done.stderr


def test_a_lock_with_an_option_is_refused(workspace: Path) -> None:
    lock = workspace / "lock.txt"
    lock.write_text(f"--no-binary sourced\n{lock.read_text(encoding='utf-8')}", encoding="utf-8")

    done = venv(workspace)

    assert done.returncode == 1
    assert done.stderr == (
        f"venv: {lock}: line 1 is not an exact pin: --no-binary sourced: lock it again,"
        " then run again: tools/bazel run //:venv\n"
    )
