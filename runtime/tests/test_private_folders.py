"""A data_dir is for this user alone, and follows no link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import ECHO
from stepflow_runtime import StepflowRuntime, errors
from stepflow_runtime._data_dir import DataDir

FILES = [
    *("stepflow.db", "stepflow.db-wal", "stepflow.db-shm", "stepflow.db-journal"),
    *("stepflow.db.lock", "server.json"),
]


def refused(folder: Path, match: str) -> None:
    """Check that a folder is refused, on one line that says what to do, and is not changed."""
    before = {path.name: path.lstat() for path in folder.iterdir()}
    with pytest.raises(errors.DataDirUnusable, match=match) as caught:
        DataDir(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)
    after = {path.name: path.lstat() for path in folder.iterdir() if path.name in before}
    assert [(one.st_ino, one.st_mode) for one in after.values()] == [
        (one.st_ino, one.st_mode) for one in before.values()
    ]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_a_new_folder_whatever_the_umask(mask: int, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = os.umask(mask)
    try:
        with StepflowRuntime.start(data_dir=folder) as runtime:
            assert runtime.sync_client.run(ECHO, 1).output == 1
            files = {path.name: path.stat().st_mode for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(files) >= {"stepflow.db", "stepflow.db.lock", "server.json"}
    assert {stat.S_IMODE(mode) for mode in files.values()} == {0o600}


def test_parents_are_writable_by_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created: list[int] = []
    mkdir = Path.mkdir

    def recorded(path: Path, *args: Any, **options: Any) -> None:
        mkdir(path, *args, **options)
        created.append(stat.S_IMODE(path.stat().st_mode))

    monkeypatch.setattr(Path, "mkdir", recorded)
    before = os.umask(0)
    try:
        DataDir(tmp_path / "one" / "two" / "three").release()
    finally:
        os.umask(before)
    # At no moment can others open the folder itself.
    assert created == [0o755, 0o755, 0o700]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "one").rglob("*")]
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o755
    assert sorted(modes) == [0o600, 0o600, 0o700, 0o755]


def test_files_of_earlier_releases_become_private(tmp_path: Path) -> None:
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        run_id = runtime.sync_client.submit(ECHO, 7).id
        runtime.sync_client.handle(run_id).result()
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    tmp_path.chmod(0o755)
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        assert runtime.sync_client.handle(run_id).result().output == 7
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    # Others may read the folder, since its owner has decided so.
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert modes["stepflow.db"] == modes["server.json"] == 0o600


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777, 0o2775])
def test_a_folder_that_others_can_write(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    refused(folder, "other users can write to it; run: chmod go-w .*, or use a folder in it")
    assert stat.S_IMODE(folder.stat().st_mode) == mode
    DataDir(folder / "inner").release()
    folder.chmod(0o755)
    DataDir(folder).release()


def test_files_of_another_user_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If root shares them, this user may write them, but not change their mode."""

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    DataDir(tmp_path).release()
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "fchmod", refuse)
    DataDir(tmp_path).release()


@pytest.mark.parametrize("name", ["parent", "data"])
def test_a_folder_that_another_process_creates_at_the_same_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def late(path: Path, *args: Any, **options: Any) -> None:
        if path.name == name:
            mkdir(path, 0o755)
        mkdir(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", late)
    DataDir(tmp_path / "parent" / "data").release()
    # Its creator decides who may read it.
    assert stat.S_IMODE((tmp_path / "parent" / "data").stat().st_mode) == (
        0o755 if name == "data" else 0o700
    )


@pytest.mark.parametrize("name", ["stepflow.db.lock", "stepflow.db"])
def test_a_link_that_appears_after_the_check(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / name).symlink_to(target)
    for module in ("_private", "_database"):
        monkeypatch.setattr(f"stepflow_runtime.{module}.check_file", lambda *_, **__: None)
    with contextlib.suppress(errors.DataDirUnusable):
        DataDir(folder).release()
    assert not target.exists()


def test_a_folder_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: owner + 1)
        refused(tmp_path, f"it belongs to user {owner}, not to user {owner + 1}; use a folder in")
    DataDir(tmp_path).release()


@pytest.mark.parametrize("has_database", [False, True])
def test_a_folder_that_this_user_cannot_write(
    has_database: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of `os.access` is replaced, since root may write everything."""
    if has_database:
        DataDir(tmp_path).release()
    target = tmp_path / "stepflow.db" if has_database else tmp_path
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda path, mode: Path(path) != target or mode != os.W_OK)
        refused(tmp_path, f"{target} is not writable; use a folder that this user can write")
    DataDir(tmp_path).release()


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free space on that disk"),
        (errno.EROFS, "use a folder that this user can write"),
    ],
)
def test_a_database_that_cannot_be_created(
    number: int, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = os.open

    def refuse(path: Any, *arguments: Any) -> int:
        if Path(path).name == "stepflow.db":
            raise OSError(number, os.strerror(number))
        return open_file(path, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        refused(tmp_path, f"data_dir .* cannot be used: {os.strerror(number)}; {advice}$")
    DataDir(tmp_path).release()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize("name", FILES)
def test_nothing_but_files(name: str, kind: str, tmp_path: Path) -> None:
    folder, target = tmp_path / "data", tmp_path / "target"
    folder.mkdir()
    path = folder / name
    if kind == "link":
        target.write_bytes(b"")
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to(target)
    refused(folder, f"{name} is (a symbolic link|not a file); (remove|replace) it")
    assert not target.exists() or target.read_bytes() == b""
    (path.rmdir if kind == "folder" else path.unlink)()
    DataDir(folder).release()


def test_a_link_in_the_place_of_a_new_stamp(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"kept")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / ".server.json.new").symlink_to(target)
    with StepflowRuntime.start(data_dir=folder):
        pass
    assert target.read_bytes() == b"kept" and not (folder / "server.json").is_symlink()


def test_a_database_with_two_names(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with StepflowRuntime.start(data_dir=one):
        pass
    other.mkdir()
    os.link(one / "stepflow.db", other / "stepflow.db")
    for folder in (one, other):
        refused(folder, r"stepflow\.db has 2 names \(hard links\); replace it by a copy")
    storage = {"type": "sqlite", "databaseUrl": f"sqlite:{other}/stepflow.db"}
    with pytest.raises(errors.DataDirUnusable, match="has 2 names"):
        StepflowRuntime.start({"plugins": {}, "routes": {}, "storageConfig": storage})
    (other / "stepflow.db").unlink()
    # No server writes to the others elsewhere.
    for name in ("stepflow.db.lock", "server.json"):
        os.link(one / name, other / name)
    DataDir(one).release()


def test_a_removed_lock_lets_nobody_in(tmp_path: Path) -> None:
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        for _ in range(2):
            (tmp_path / "stepflow.db.lock").unlink()
            with pytest.raises(errors.DataDirLocked, match="is in use by another server") as caught:
                StepflowRuntime.start(data_dir=tmp_path)
            assert caught.value.pid is None
        assert runtime.sync_client.run(ECHO, 1).output == 1
    # Nor is anything left of the attempts.
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
