"""A data_dir: its lock, its stamp, and how runs in it are resumed."""

from __future__ import annotations

import errno
import json
import logging
import os
import pickle
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from runtime.tests.support import ECHO, wait_until
from stepflow_runtime import ALL_BUILTINS, RestartPolicy, StepflowRuntime, errors
from stepflow_runtime._binary import find_binary
from stepflow_runtime._storage import Storage

STORAGE = "storageConfig"


def with_database(url: str, **more: Any) -> dict[str, Any]:
    """Return a config that keeps the server's state in a database."""
    return {**ALL_BUILTINS, STORAGE: {"type": "sqlite", "databaseUrl": url}, **more}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings about periodic recovery, and forget them."""
    found = [
        record.getMessage()
        for record in caplog.records
        if record.name == "stepflow_runtime" and "periodic recovery" in record.getMessage()
    ]
    caplog.clear()
    return found


def test_it_is_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "parent" / "data"
    with StepflowRuntime.start(data_dir=folder):
        pass
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("server.json", "stepflow.db.lock"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_a_second_start_in_this_process_says_so(tmp_path: Path) -> None:
    with (
        StepflowRuntime.start(data_dir=tmp_path),
        pytest.raises(errors.DataDirLocked, match=r"by this process; call stop\(\)") as caught,
    ):
        StepflowRuntime.start(data_dir=tmp_path)
    assert caught.value.pid == os.getpid()
    assert str(os.getpid()) not in str(caught.value).replace(str(tmp_path), "")


def test_another_process_is_named_by_its_id_alone(tmp_path: Path) -> None:
    # Left behind by an earlier holder with a longer id.
    (tmp_path / "stepflow.db.lock").write_text("9" * 19, encoding="ascii")
    script = (
        "import os, sys; from stepflow_runtime import StepflowRuntime, errors\n"
        "try: StepflowRuntime.start(data_dir=sys.argv[1])\n"
        "except errors.DataDirLocked as error: print(error.pid, error)"
    )
    with StepflowRuntime.start(data_dir=tmp_path):
        assert (tmp_path / "stepflow.db.lock").read_text(encoding="ascii") == str(os.getpid())
        output = subprocess.run(
            [sys.executable, "-c", script, tmp_path],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    assert output.startswith(f"{os.getpid()} data_dir {tmp_path} is in use by a server started by")
    assert f"process {os.getpid()};" in output


@pytest.mark.parametrize("other", ["url", "url of its own", "encoded", "relative", "link", "split"])
def test_a_database_belongs_to_one_server(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder"
    database = folder / "stepflow.db"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    url = {
        "url": f"sqlite://{database}?mode=rwc",
        "url of its own": f"sqlite:{database}",
        "encoded": f"sqlite:{quote(str(database))}?mode=rwc&cache=shared",
        "relative": "sqlite:a folder/../a%20folder/stepflow.db",
        "link": f"sqlite:{tmp_path}/link/stepflow.db",
        "split": f"sqlite:{database}",
    }[other]
    config = with_database(url)
    if other == "split":
        config[STORAGE] = {"blobs": {"type": "inMemory"}, "metadata": config[STORAGE]}
    path = tmp_path / "config.yml"
    path.write_text(json.dumps(config), encoding="utf-8")
    with StepflowRuntime.start(data_dir=folder):
        for one in (config, path):
            with pytest.raises(errors.DataDirLocked, match=r"config's database.*this process"):
                StepflowRuntime.start(one)
    with (
        StepflowRuntime.start(path if other == "relative" else config),
        pytest.raises(errors.DataDirLocked, match="data_dir"),
    ):
        StepflowRuntime.start(data_dir=folder)
    with StepflowRuntime.start(data_dir=folder):
        pass


def test_two_databases_and_memory_are_no_conflict(tmp_path: Path) -> None:
    with (
        StepflowRuntime.start(with_database(f"sqlite:{tmp_path}/a.db?mode=rwc")),
        StepflowRuntime.start(with_database(f"sqlite:{tmp_path}/b.db?mode=rwc")),
        StepflowRuntime.start(with_database("sqlite::memory:")),
        StepflowRuntime.start(with_database("sqlite::memory:")) as last,
    ):
        assert last.sync_client.run(ECHO, 1).output == 1


def test_several_databases_of_a_config(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    def stored(*names: str) -> dict[str, Any]:
        parts = ("metadata", "blobs", "journal")
        urls = [f"sqlite:{tmp_path}/{name}?mode=rwc" for name in names]
        storage = {
            part: {"type": "sqlite", "databaseUrl": url}
            for part, url in zip(parts, urls, strict=True)
        }
        return {**ALL_BUILTINS, STORAGE: storage}

    with StepflowRuntime.start(stored("a.db", "link/a.db", "a.db")) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        for _ in range(2):
            with pytest.raises(errors.DataDirLocked, match=f"{tmp_path}/a.db is already in use"):
                StepflowRuntime.start(stored("b.db", "a.db", "c.db"))


def test_servers_with_a_lease_manager_share_a_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:{tmp_path}/a.db?mode=rwc"
    lease = {"leaseManager": {"type": "etcd", "endpoints": ["http://127.0.0.1:9"]}}
    shared, alone = with_database(url, **lease), with_database(url)
    # Without etcd the servers themselves do not start.
    first = Storage(shared, None, upgrade=False)
    second = Storage(shared, None, upgrade=False)
    assert not warnings(caplog)
    try:
        for config in (alone, with_database(url, leaseManager={"type": "none"})):
            with pytest.raises(errors.DataDirLocked):
                StepflowRuntime.start(config)
    finally:
        first.release()
        second.release()
    with StepflowRuntime.start(alone), pytest.raises(errors.DataDirLocked):
        StepflowRuntime.start(shared)


def test_a_database_that_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(errors.DataDirUnusable, match="No such file"):
        StepflowRuntime.start(with_database(f"sqlite:{tmp_path}/none/a.db?mode=rwc"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_by_its_folder(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(errors.DataDirUnusable) as caught:
        StepflowRuntime.start(data_dir=tmp_path)
    assert str(caught.value) == (
        f"data_dir {tmp_path} cannot be used: {os.strerror(number)}; free space on that disk"
    )


@pytest.mark.parametrize(
    ("recovery", "completed"),
    [
        (None, {"enabled": False, "maxStartupRecovery": 1000000}),
        ({}, {"enabled": False, "maxStartupRecovery": 1000000}),
        ({"enabled": False}, {"enabled": False, "maxStartupRecovery": 1000000}),
        ({"maxStartupRecovery": 5}, {"enabled": False, "maxStartupRecovery": 5}),
        ({"enabled": True}, {"enabled": True, "maxStartupRecovery": 1000000}),
        *(
            ({name: 60}, {name: 60, "maxStartupRecovery": 1000000})
            for name in ("checkIntervalSecs", "leaseTtlSecs", "maxClaimsPerCheck")
        ),
    ],
)
def test_settings_of_recovery(
    recovery: dict[str, Any] | None,
    completed: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = dict(ALL_BUILTINS) if recovery is None else {**ALL_BUILTINS, "recovery": recovery}
    # A binary that copies its standard input to a file.
    seen, binary = tmp_path / "seen.json", tmp_path / "server"
    binary.write_text(f'#!/bin/sh\ntee "{seen}" | "{find_binary(None)}" "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    with StepflowRuntime.start(config, data_dir=tmp_path / "data", binary=binary):
        assert json.loads(seen.read_text(encoding="utf-8"))["recovery"] == completed
    assert len(warnings(caplog)) == (completed.get("enabled") is not False)


def test_malformed_settings_of_recovery_are_left_to_the_server(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start({**ALL_BUILTINS, "recovery": 5}, data_dir=tmp_path / "data")


def test_a_periodic_check_in_a_config_of_ones_own_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "stepflow_runtime")
    url = f"sqlite:{tmp_path}/a.db?mode=rwc"
    with StepflowRuntime.start(with_database(url)):
        (message,) = warnings(caplog)
        assert "execute their steps twice" in message and "enabled: false" in message
    with StepflowRuntime.start(with_database(url, recovery={"enabled": False})):
        assert not warnings(caplog)
    with StepflowRuntime.start(data_dir=tmp_path / "data"):
        assert not warnings(caplog)
    with StepflowRuntime.start():
        assert not warnings(caplog)


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
    stamp = json.loads((tmp_path / "server.json").read_text(encoding="utf-8"))
    assert stamp["version"] == version


@pytest.mark.parametrize(
    "version",
    ["0.14.0", "1.0.0", "build 123abc", pytest.param(f"0.{'9' * 5000}", id="long")],
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


def test_a_backup_that_does_not_fit_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    stamp = json.dumps({"version": "0.11.0", "binary": None})
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stepflow_runtime._upgrade.write_stamp", full)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(errors.DataDirUnusable, match=r"No space left.*free some space"):
        StepflowRuntime.start(data_dir=tmp_path)
    left = {path.name for path in tmp_path.iterdir()} - {"stepflow.db-wal", "stepflow.db-shm"}
    assert left == set(before) - {"stepflow.db-wal", "stepflow.db-shm"}


def test_a_first_start_that_was_killed_before_any_data(tmp_path: Path) -> None:
    with StepflowRuntime.start(data_dir=tmp_path / "other"):
        pass
    with closing(sqlite3.connect(tmp_path / "other/stepflow.db")) as database:
        (table,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = '_stepflow_migrations'"
        ).fetchone()
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(folder / "stepflow.db")) as database:
        database.execute(table)
    with StepflowRuntime.start(data_dir=folder) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1


def test_a_crash_in_the_middle_of_a_backup_is_cleaned_up(tmp_path: Path) -> None:
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    (tmp_path / ".unfinished-1").mkdir()
    (tmp_path / ".unfinished-1" / "stepflow.db").write_bytes(b"half")
    stamp = json.dumps({"version": "0.11.0", "binary": None})
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    names = [path.name for path in tmp_path.iterdir()]
    assert len([name for name in names if name.startswith("backup-0.11.0-")]) == 1
    assert not [name for name in names if name.startswith(".")]


def test_two_backups_of_the_same_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(gmtime=time.gmtime, strftime=lambda *_: "20260101T000000Z")
    monkeypatch.setattr("stepflow_runtime._upgrade.time", clock)
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    stamp = json.dumps({"version": "0.11.0", "binary": None})
    for _ in range(2):
        (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
        with StepflowRuntime.start(data_dir=tmp_path):
            pass
    name = "backup-0.11.0-20260101T000000Z"
    assert sorted(path.name for path in tmp_path.glob("backup-*")) == [name, f"{name}-2"]
