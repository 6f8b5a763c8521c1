"""A data_dir: its lock, its stamp, and how runs in it are resumed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from runtime.tests.support import ECHO
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime, errors
from stepflow_runtime._adoption import adopt_runs
from stepflow_runtime._binary import find_binary
from stepflow_runtime._data_dir import DataDir
from stepflow_runtime._storage import Storage

STORAGE = "storageConfig"


def with_database(url: str, **more: Any) -> dict[str, Any]:
    """Return a config that keeps the server's state in a database."""
    return {**ALL_BUILTINS, STORAGE: {"type": "sqlite", "databaseUrl": url}, **more}


def with_databases(folder: Path, *names: str) -> dict[str, Any]:
    """Return a config that keeps each part of the server's state in a database of a folder."""
    storage = {
        part: {"type": "sqlite", "databaseUrl": f"sqlite:{folder}/{name}?mode=rwc"}
        for part, name in zip(("metadata", "blobs", "journal"), names, strict=True)
    }
    return {**ALL_BUILTINS, STORAGE: storage}


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


def test_refused_starts_leave_no_file_open(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/stepflow.db?mode=rwc"
    refused: list[dict[str, Any]] = [{"data_dir": tmp_path}, {"config": with_database(url)}]
    with StepflowRuntime.start(data_dir=tmp_path):
        for options in refused:
            before = {*os.listdir("/proc/self/fd")}
            with pytest.raises(errors.DataDirLocked):
                StepflowRuntime.start(**options)
            assert {*os.listdir("/proc/self/fd")} <= before


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


@pytest.mark.parametrize(
    "other", ["url", "url of its own", "encoded", "file", "relative", "link", "split"]
)
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
        "file": f"sqlite:file:{database}",
        "relative": "sqlite://a folder/../a%20folder/stepflow.db",
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


@pytest.mark.parametrize("key", ["storageConfig", "stateStore"])
def test_the_database_of_a_config_is_locked_under_its_own_name(key: str, tmp_path: Path) -> None:
    """Servers before 0.10 read the second key."""
    url = f"sqlite:{tmp_path}/a%3Fb.db?mode=rwc"
    config = {**ALL_BUILTINS, key: {"type": "sqlite", "databaseUrl": url}}
    storage = Storage(config, None, upgrade=False)
    try:
        with pytest.raises(errors.DataDirLocked) as caught:
            Storage(config, None, upgrade=False)
    finally:
        storage.release()
    assert f"the config's database {tmp_path}/a?b.db is already in use" in str(caught.value)


def test_the_server_holds_the_locks_as_well(tmp_path: Path) -> None:
    """They last as long as it does, also when the program is gone."""
    folder = tmp_path / "data"
    config = with_database(f"sqlite:{tmp_path}/a.db?mode=rwc")
    cases: list[tuple[dict[str, Any], list[Path]]] = [
        ({"data_dir": folder}, [folder, folder / "stepflow.db.lock"]),
        ({"config": config}, [tmp_path / "a.db.lock"]),
        (
            {"config": with_databases(tmp_path, "b.db", "c.db", "d.db")},
            [tmp_path / f"{name}.db.lock" for name in "bcd"],
        ),
    ]
    for options, locked in cases:
        with StepflowRuntime.start(**options) as runtime:
            opened: set[str] = set()
            for entry in Path(f"/proc/{runtime.pid}/fd").iterdir():
                # The server may have closed it in the meantime.
                with contextlib.suppress(FileNotFoundError):
                    opened.add(os.readlink(entry))
            assert {str(path) for path in locked} <= opened


def test_two_databases_and_memory_are_no_conflict(tmp_path: Path) -> None:
    with (
        StepflowRuntime.start(with_database(f"sqlite:{tmp_path}/a.db?mode=rwc")),
        StepflowRuntime.start(with_database(f"sqlite:{tmp_path}/b.db?mode=rwc")),
        StepflowRuntime.start(with_database("sqlite::memory:")),
        StepflowRuntime.start(with_database("sqlite::memory:")) as last,
    ):
        assert last.sync_client.run(ECHO, 1).output == 1


@pytest.mark.parametrize(
    "url",
    ["sqlite:", "sqlite:a%00b", "sqlite:a.db?mode=memory", "postgres://user:s3cret@127.0.0.1:9/a"],
)
def test_a_database_that_is_no_file_is_left_to_the_server(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.StartFailed, match="Check that its database") as caught:
        StepflowRuntime.start(with_database(url))
    assert "s3cret" not in str(caught.value)


def test_several_databases_of_a_config(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    same = with_databases(tmp_path, "a.db", "link/a.db", "a.db")
    config = with_databases(tmp_path, "b.db", "a.db", "c.db")
    with StepflowRuntime.start(same) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        for _ in range(2):
            with pytest.raises(errors.DataDirLocked, match=f"{tmp_path}/a.db is already in use"):
                StepflowRuntime.start(config)
    # Each is free again after a stop.
    for _ in range(2):
        StepflowRuntime.start(config).stop()


@pytest.mark.parametrize("content", [b"", b"no number"])
def test_a_lock_whose_holder_is_not_known(content: bytes, tmp_path: Path) -> None:
    """Its process id is written after the lock was taken."""
    lock = tmp_path / "stepflow.db.lock"
    lock.write_bytes(content)
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(errors.DataDirLocked) as caught:
            StepflowRuntime.start(data_dir=tmp_path)
    assert caught.value.pid is None
    assert str(caught.value) == (
        f"data_dir {tmp_path} is in use by another server; stop that server, or use another folder"
    )
    StepflowRuntime.start(data_dir=tmp_path).stop()


def test_a_file_system_that_cannot_lock_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def refuse(descriptor: int, operation: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", refuse)
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        # The file's lock is enough, as long as nobody removes it.
        with pytest.raises(errors.DataDirLocked, match="by this process"):
            StepflowRuntime.start(data_dir=tmp_path)


@pytest.mark.parametrize(
    "storage",
    [
        5,
        ["sqlite:a.db"],
        {"metadata": "sqlite:a.db"},
        {"type": "sqlite", "databaseUrl": 5},
        {"type": "sqlite", "databaseUrl": None},
    ],
    ids=str,
)
def test_malformed_storage_is_left_to_the_server(storage: Any, tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start({**ALL_BUILTINS, STORAGE: storage})


def test_a_cluster_that_never_wrote_anything_leaves_no_trace(tmp_path: Path) -> None:
    """Its mark says that runs of other servers may be there."""
    mark = tmp_path / "cluster"
    DataDir(tmp_path, servers=("one", "two")).release()
    assert (tmp_path / "stepflow.db").stat().st_size == 0
    mark.mkdir()
    with pytest.raises(errors.DataDirUnusable, match=f"data_dir {tmp_path} cannot be used: .* dir"):
        StepflowRuntime.start(data_dir=tmp_path)
    mark.rmdir()
    mark.touch()
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        assert not mark.exists()


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


def test_recovery_with_a_lease_manager_is_left_to_the_servers(tmp_path: Path) -> None:
    """Others may resume a run then, once its server no longer renews its lease."""
    seen, binary = tmp_path / "seen.json", tmp_path / "server"
    binary.write_text(f'#!/bin/sh\ncat > "{seen}"\nexit 3\n', encoding="utf-8")
    binary.chmod(0o755)
    manager = {"type": "etcd", "endpoints": ["http://127.0.0.1:9"]}
    config = {**ALL_BUILTINS, "leaseManager": manager}
    with pytest.raises(errors.StartFailed, match="exit code 3"):
        StepflowRuntime.start(config, data_dir=tmp_path / "data", binary=binary)
    assert "recovery" not in json.loads(seen.read_text(encoding="utf-8"))


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


@pytest.mark.parametrize(
    ("problem", "raised", "message"),
    [
        (
            OSError(28, "No space left on device"),
            errors.DataDirUnusable,
            "No space left.*free some space",
        ),
        (
            sqlite3.OperationalError("database or disk is full"),
            errors.DataDirUnusable,
            "database or disk is full",
        ),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
    ids=["system", "sqlite", "ctrl-c"],
)
def test_a_backup_that_is_not_finished_leaves_nothing(
    problem: BaseException,
    raised: type[BaseException],
    message: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    stamp = json.dumps({"version": "0.11.0", "binary": None})
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")

    def full(*arguments: object) -> None:
        raise problem

    monkeypatch.setattr("stepflow_runtime._upgrade.write_stamp", full)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(raised, match=message):
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


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "stepflow.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE notes (text)")
    content = path.read_bytes()
    with pytest.raises(errors.DataDirUnusable, match="it is not a database of a Stepflow server;"):
        StepflowRuntime.start(data_dir=tmp_path)
    assert path.read_bytes() == content


def test_a_crash_in_the_middle_of_a_backup_is_cleaned_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stepflow_runtime")
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    (tmp_path / ".unfinished-1").mkdir()
    (tmp_path / ".unfinished-1" / "stepflow.db").write_bytes(b"half")
    stamp = json.dumps({"version": "0.11.0", "binary": None})
    (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        version = runtime.sync_client.server_version()
    names = [path.name for path in tmp_path.iterdir()]
    (backup,) = tmp_path.glob("backup-0.11.0-*")
    assert [one for one in caplog.messages if one.startswith("data_dir ")] == [
        f"data_dir {tmp_path}: written by Stepflow server 0.11.0, opened with {version}; the backup"
        f" is {backup}"
    ]
    assert not [name for name in names if name.startswith(".")]


def test_two_backups_of_the_same_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder is renamed on its own disk only, so the backup is not made elsewhere.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    clock = SimpleNamespace(gmtime=time.gmtime, strftime=lambda *_: "20260101T000000Z")
    monkeypatch.setattr("stepflow_runtime._upgrade.time", clock)
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}")))
    with StepflowRuntime.start(data_dir=tmp_path):
        pass
    stamp = json.dumps({"version": "0.11.0", "binary": None})
    for _ in range(2):
        (tmp_path / "server.json").write_text(stamp, encoding="utf-8")
        with StepflowRuntime.start(data_dir=tmp_path):
            pass
    name = "backup-0.11.0-20260101T000000Z"
    assert sorted(path.name for path in tmp_path.glob("backup-*")) == [name, f"{name}-2"]
    # Each was on the disk before it got its name.
    parents = [Path(path).parent.name for path in synced if path.endswith("/stepflow.db")]
    assert len(parents) == 2 and all(name.startswith(".unfinished-") for name in parents)


def test_runs_of_servers_that_no_longer_exist(tmp_path: Path) -> None:
    """A cluster with fewer servers than before assigns them to its first one."""
    path = tmp_path / "a?b%20c.db"
    runs = [
        ("none", "running", None),
        ("other", "running", "three"),
        ("own", "running", "two"),
        ("finished", "completed", "three"),
    ]
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE runs (id, status, orchestrator_id)")
        database.executemany("INSERT INTO runs VALUES (?, ?, ?)", runs)
        database.commit()
        adopt_runs(path, "the store", ["one", "two"])
        found = dict(database.execute("SELECT id, orchestrator_id FROM runs"))
    assert found == {"none": "one", "other": "one", "own": "two", "finished": "three"}
    path.write_bytes(b"no database" * 100)
    with pytest.raises(errors.DataDirUnusable, match="the store cannot be used: its database is"):
        adopt_runs(path, "the store", ["one"])
