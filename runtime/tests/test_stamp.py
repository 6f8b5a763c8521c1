"""The stamp of a data_dir: which server has opened it last."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runtime.tests.support import ECHO, wait_until
from stepflow_api.support import Hidden
from stepflow_runtime import RestartPolicy, StepflowRuntime, errors
from stepflow_runtime._binary import find_binary
from stepflow_runtime._data_dir import DataDir
from stepflow_runtime._process import Launch


def test_the_usual_start_asks_for_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        version = runtime.sync_client.server_version()
    stamp = json.loads((tmp_path / "server.json").read_text(encoding="utf-8"))
    assert stamp["version"] == version
    assert stamp["binary"]["path"] == str(find_binary(None).resolve())
    written = (tmp_path / "server.json").stat().st_ino

    def fail(*arguments: object) -> str:
        raise AssertionError("the server is started twice")

    monkeypatch.setattr("stepflow_runtime._data_dir.binary_version", fail)
    script = (
        "import sys; from stepflow_runtime import StepflowRuntime\n"
        "with StepflowRuntime.start(data_dir=sys.argv[1]): pass\n"
        "print('sqlite3' in sys.modules)"
    )
    with StepflowRuntime.start(data_dir=tmp_path):
        assert (tmp_path / "server.json").stat().st_ino == written
    output = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert output.strip() == "False"


def test_a_stamp_that_a_crash_left_unfinished_is_replaced(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine", encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / ".server.json.new").symlink_to(other)
    with StepflowRuntime.start(data_dir=data) as runtime:
        version = runtime.sync_client.server_version()
    assert json.loads((data / "server.json").read_text(encoding="utf-8"))["version"] == version
    assert other.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": 5, "binary": null}',
        b'{"version": "", "binary": null}',
        b'{"version": "0.11.1"}',
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_a_damaged_stamp_is_replaced(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        run_id = runtime.sync_client.submit(ECHO, 7).id
        runtime.sync_client.handle(run_id).result()
    (tmp_path / "server.json").write_bytes(content)
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        assert runtime.sync_client.handle(run_id).result().output == 7
        version = runtime.sync_client.server_version()
    assert "server.json is damaged" in caplog.text
    assert not list(tmp_path.glob("backup-*"))
    stamp = json.loads((tmp_path / "server.json").read_text(encoding="utf-8"))
    assert stamp["version"] == version


@pytest.mark.parametrize(
    "version",
    ["0.99.0", "1.0.0", "build 123abc", pytest.param(f"0.{'9' * 5000}", id="long")],
)
@pytest.mark.parametrize("upgrade", [False, True])
def test_the_stamp_of_a_newer_server(version: str, upgrade: bool, tmp_path: Path) -> None:
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    stamp = json.dumps({"version": version, "binary": None})
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
    with pytest.raises(errors.DataDirIncompatible, match="may not be able to read it") as caught:
        StepflowRuntime.start(data_dir=tmp_path, upgrade=upgrade)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.written_by, error.runs_in_progress) == (version, 0)
    assert str(error) == str(caught.value) and error.server_version
    assert (tmp_path / "server.json").read_text(encoding="utf-8") == stamp


def test_a_server_that_is_newer_than_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        handle = runtime.sync_client.submit(ECHO, 7)
        assert handle.result().output == 7
        version = runtime.sync_client.server_version()
    stamp = json.dumps({"version": version, "binary": None})
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
    monkeypatch.setattr("stepflow_runtime._data_dir.binary_version", lambda *_: "0.99.0")
    with pytest.raises(errors.DataDirIncompatible) as caught:
        StepflowRuntime.start(data_dir=tmp_path)
    assert str(caught.value) == (
        f"data_dir {tmp_path} was written by Stepflow server {version}, and server 0.99.0 is newer"
        " than this package knows; pass upgrade=True to make a backup and convert the data, or use"
        " the server that wrote it (binary=), or another data_dir"
    )
    assert not list(tmp_path.glob("backup-*"))
    monkeypatch.setattr("stepflow_runtime._data_dir.binary_version", lambda *_: version)
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        assert runtime.sync_client.handle(handle.id).result().output == 7
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
    monkeypatch.setattr("stepflow_runtime._data_dir.binary_version", lambda *_: "0.99.0")
    with StepflowRuntime.start(data_dir=tmp_path, upgrade=True) as runtime:
        assert runtime.sync_client.handle(handle.id).result().output == 7
    assert len(list(tmp_path.glob(f"backup-{version}-*"))) == 1


def test_an_executable_that_is_replaced_while_its_server_runs(tmp_path: Path) -> None:
    data, binary, link = tmp_path / "data", tmp_path / "server", tmp_path / "link"
    link.symlink_to(binary)
    real = find_binary(None)
    binary.write_text(f'#!/bin/sh\nexec "{real}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    with StepflowRuntime.start(
        data_dir=data, binary=link, restart_policy=RestartPolicy.ALWAYS
    ) as runtime:
        handle = runtime.sync_client.submit(ECHO, 7)
        assert handle.result().output == 7
        pid = runtime.pid
        # It could be another server, so its version is determined.
        binary.write_text(f'#!/bin/sh\n\nexec "{real}" "$@"\n', encoding="utf-8")
        os.kill(pid, 9)
        wait_until(lambda: runtime.pid != pid and runtime.is_alive, "the server is started again")
        assert handle.result().output == 7
    stamp = json.loads((data / "server.json").read_text(encoding="utf-8"))
    found = binary.stat()
    identity = {"path": str(binary), "size": found.st_size, "mtime_ns": found.st_mtime_ns}
    assert stamp["binary"] == identity
    # The version is the same, so the data is not backed up.
    assert not list(data.glob("backup-*"))


def test_an_executable_whose_path_is_not_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    binary = tmp_path / os.fsdecode(b"\xff") / "server"
    binary.parent.mkdir()
    binary.write_text(f'#!/bin/sh\nexec "{find_binary(None)}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    data = tmp_path / "data"
    with StepflowRuntime.start(data_dir=data, binary=binary):
        written = (data / "server.json").read_bytes()
    assert b"/\xff/server" in written

    def fail(*arguments: object) -> str:
        raise AssertionError("the server is started twice")

    monkeypatch.setattr("stepflow_runtime._data_dir.binary_version", fail)
    with StepflowRuntime.start(data_dir=data, binary=binary):
        assert (data / "server.json").read_bytes() == written
    assert "is damaged" not in caplog.text


def test_a_stamp_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows then which server has written the data."""
    StepflowRuntime.start(data_dir=tmp_path).stop()
    path, read = tmp_path / "server.json", Path.read_bytes

    def refuse(one: Path) -> bytes:
        if one == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return read(one)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(errors.DataDirUnusable) as caught:
        StepflowRuntime.start(data_dir=tmp_path)
    assert str(caught.value) == (
        f"{path} cannot be used: Permission denied; use a folder that this user can write"
    )


def test_a_stamp_that_cannot_be_written_leaves_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(errors.DataDirUnusable, match="free space on that disk"):
        StepflowRuntime.start(data_dir=tmp_path)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_that_was_released_is_not_touched(tmp_path: Path) -> None:
    """Another thread may stop the runtime at any moment of its start."""
    binary = find_binary(None)
    data_dir = DataDir(tmp_path)
    data_dir.release()
    (tmp_path / "cluster").touch()
    data_dir.prepare(Launch(binary, (), None, Hidden({})), 1.0)
    data_dir.confirm(binary, b"{}")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("stepflow.db", "stepflow.db.lock", "cluster"),
    }


def test_a_folder_stays_locked_while_a_server_reports_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its data may be converted next, although another thread stops the runtime."""
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        version = runtime.sync_client.server_version()
    (tmp_path / "server.json").unlink()
    data_dir = DataDir(tmp_path)
    releasing = threading.Thread(target=data_dir.release)

    def report(*arguments: object) -> str:
        releasing.start()
        # It waits until the folder is prepared.
        releasing.join(0.2)
        with pytest.raises(errors.DataDirLocked):
            DataDir(tmp_path)
        return version

    monkeypatch.setattr("stepflow_runtime._data_dir.binary_version", report)
    data_dir.prepare(Launch(find_binary(None), (), None, Hidden({})), 1.0)
    releasing.join()
    DataDir(tmp_path).release()
