"""A data_dir that one server version has written, opened by each other version."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from runtime.tests.support import completed_tasks, release, wait_until
from stepflow_api.support import Hidden
from stepflow_client import SyncStepflowClient
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime, errors
from stepflow_runtime._data_dir import DataDir
from stepflow_runtime._process import Launch

BINARIES = dict(one.split("=") for one in os.environ["STEPFLOW_SERVERS"].split())
VERSIONS = [*BINARIES]

ECHO = {
    "name": "echo",
    "steps": [
        {"id": "msg", "component": "/create_messages", "input": {"user_prompt": {"$input": "p"}}}
    ],
    "output": {"$step": "msg", "path": "messages[0].content"},
}

#: The second step waits until something is written to the FIFO.
WAITING = {
    "name": "waiting",
    "steps": [
        {
            "id": "put",
            "component": "/put_blob",
            "input": {"data": {"$input": "$"}, "blob_type": "data"},
        },
        {
            "id": "read",
            "component": "/load_file",
            "input": {"path": {"$input": "path"}, "after": {"$step": "put"}},
        },
    ],
    "output": {"first": {"$step": "put", "path": "blob_id"}, "second": {"$step": "read"}},
}

CELLS = [
    (old, new, is_running)
    for old in VERSIONS
    for new in VERSIONS
    # A 0.9 server answers when the run has ended, and resumes none.
    for is_running in ((False,) if old == "0.9.0" else (False, True))
]


@dataclass(frozen=True)
class Made:
    """A data_dir and its contents."""

    folder: Path
    fifo: Path
    finished: str
    running: str | None


def line_of(version: str) -> str:
    """Return the line of releases that a version belongs to, such as `0.11`."""
    return version.rpartition(".")[0]


@cache
def documented() -> dict[tuple[str, str], list[str]]:
    """Return the table of the runtime's README.

    Returns:
        By the lines of the version that has written the data and of the one that opens it: what
        happens with finished runs alone, and with a run in progress.
    """
    text = Path("runtime/README.md").read_text(encoding="utf-8")
    table = text.partition("| written by ")[2].partition("\n\n")[0]
    (_, *lines), _, *rows = (
        [cell.strip() for cell in row.strip(" |").split("|")] for row in table.splitlines()
    )
    return {
        (old, new): (cell.split(" / ") * 2)[:2]
        for old, *cells in rows
        for new, cell in zip(lines, cells, strict=True)
    }


def start(version: str, folder: Path, *, upgrade: bool = False) -> StepflowRuntime:
    """Start a server of a version on a data_dir."""
    return StepflowRuntime.start(
        ALL_BUILTINS, data_dir=folder, binary=BINARIES[version], upgrade=upgrade
    )


@cache
def made(version: str, *, is_running: bool) -> Made:
    """Create a data_dir, once; its server is killed if a run is in progress."""
    base = Path(mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
    fifo = base / "fifo"
    os.mkfifo(fifo)
    running = None
    with start(version, base / "data") as runtime:
        client = runtime.sync_client
        finished = client.submit(ECHO, {"p": "hello"})
        assert finished.result(timeout=60).output == "hello"
        if is_running:
            handle = client.submit(WAITING, {"path": str(fifo)})
            running = str(handle.id)
            database = base / "data" / "stepflow.db"
            wait_until(lambda: completed_tasks(database) == 2, "the first step is completed")
            os.kill(runtime.pid, signal.SIGKILL)
    return Made(base / "data", fifo, str(finished.id), running)


def check_all(client: SyncStepflowClient, data: Made) -> None:
    """Check that a data_dir is complete, and that its run in progress is resumed."""
    assert data.finished in {str(run.run_id) for run in client.list_runs()}
    handle = client.handle(data.finished)
    assert handle.result(timeout=60).output == "hello"
    flow_id = handle.status().flow_id
    assert client.get_flow(flow_id).name == "echo"
    assert client.run(flow_id, {"p": "again"}, timeout=60).output == "again"
    assert client.run(ECHO, {"p": "new"}, timeout=60).output == "new"
    if data.running is not None:
        wait_until(lambda: release(data.fifo), "the step in flight is executed again")
        result = client.handle(data.running).result(timeout=60)
        assert result.is_success
        output: Any = result.output
        assert output["second"]["data"] in (42, "42")


def digests(folder: Path) -> dict[str, str]:
    """Return the contents of a database's files, by their names."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        # Reading a database may leave an empty log.
        if path.name in ("stepflow.db", "stepflow.db-wal", "server.json") and path.stat().st_size
    }


def backups(folder: Path) -> list[Path]:
    """Return the backups in a data_dir."""
    return sorted(folder.glob("backup-*"))


def check_refused(data: Made, folder: Path, old: str, new: str, *, upgrade: bool) -> str:
    """Check that a server is refused and has changed nothing; return the message."""
    before = digests(folder)
    with pytest.raises(errors.DataDirIncompatible) as caught:
        start(new, folder, upgrade=upgrade)
    error, message = caught.value, str(caught.value)
    assert (error.written_by, error.server_version) == (old, new)
    assert error.runs_in_progress == (data.running is not None)
    assert old in message and new in message and "\n" not in message
    assert digests(folder) == before and not backups(folder)
    return message


@pytest.mark.parametrize(("old", "new", "is_running"), CELLS)
def test_the_readme_says_what_another_version_does(
    old: str, new: str, is_running: bool, tmp_path: Path
) -> None:
    expected = documented()[line_of(old), line_of(new)][is_running]
    data = made(old, is_running=is_running)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    needs_upgrade = expected == "`upgrade=True`"
    if expected != "opens":
        message = check_refused(data, folder, old, new, upgrade=False)
        assert ("upgrade=True" in message) == needs_upgrade
    if expected == "refused":
        check_refused(data, folder, old, new, upgrade=True)
        return
    with start(new, folder, upgrade=needs_upgrade) as runtime:
        check_all(runtime.sync_client, data)
    if old == new:
        assert not backups(folder)
        return
    (backup,) = backups(folder)
    assert old in backup.name
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}
    with start(old, backup) as runtime:
        check_all(runtime.sync_client, data)


@pytest.mark.parametrize("name", ["a?b=c", "d#e", "f%20g", "h i é"])
def test_a_folder_with_odd_letters(name: str, tmp_path: Path) -> None:
    """SQLite takes URLs for paths, and the other way round."""
    data = made("0.11.1", is_running=True)
    folder = tmp_path / name
    shutil.copytree(data.folder, folder)
    check_refused(data, folder, "0.11.1", "0.13.0", upgrade=False)
    with start("0.13.0", folder, upgrade=True) as runtime:
        check_all(runtime.sync_client, data)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_runs_of_0_10_get_to_0_13_over_0_11(tmp_path: Path) -> None:
    data = made("0.10.0", is_running=False)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    with start("0.11.1", folder):
        pass
    with start("0.13.0", folder, upgrade=True) as runtime:
        check_all(runtime.sync_client, data)


def test_a_run_with_a_checkpoint_is_not_converted(tmp_path: Path) -> None:
    """It replaces a part of the run's journal, in a format of that server's own."""
    data = made("0.11.1", is_running=True)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    with closing(sqlite3.connect(folder / "stepflow.db")) as database:
        database.execute(
            "INSERT INTO checkpoints (root_run_id, sequence_number, data) VALUES (?, 1, x'00')",
            (data.running,),
        )
        database.commit()
    for version in ("0.12.0", "0.13.0"):
        message = check_refused(data, folder, "0.11.1", version, upgrade=True)
        assert "let them finish on the server that wrote it" in message


def test_a_run_without_events_is_one_of_the_last_server(tmp_path: Path) -> None:
    """Where it has only just been created, nothing else says whose journal it would be."""
    data = made("0.11.1", is_running=True)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    with closing(sqlite3.connect(folder / "stepflow.db")) as database:
        database.execute("DELETE FROM journal_entries")
        database.commit()
    stamp = folder / "server.json"
    stamp.write_text(json.dumps({"version": "0.10.0", "binary": None}), encoding="utf-8")
    message = check_refused(data, folder, "0.10.0", "0.11.1", upgrade=False)
    assert "server 0.11.1 would fail its 1 run in progress; " in message
    stamp.write_text(json.dumps({"version": "0.11.1", "binary": None}), encoding="utf-8")
    with start("0.11.0", folder):
        assert backups(folder)
    # These two have the same.
    data = made("0.13.0", is_running=True)
    shutil.copytree(data.folder, tmp_path / "newer")
    with closing(sqlite3.connect(tmp_path / "newer" / "stepflow.db")) as database:
        database.execute("DELETE FROM journal_entries")
        database.commit()
    with start("0.12.0", tmp_path / "newer"):
        assert backups(tmp_path / "newer")


def test_only_runs_in_progress_count_and_each_with_its_inner_ones(tmp_path: Path) -> None:
    data = made("0.11.1", is_running=True)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    assert data.running is not None
    with closing(sqlite3.connect(folder / "stepflow.db")) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(runs)")}
        rest = ", ".join(sorted(columns - {"id", "root_run_id", "status"}))
        others = [(status, status, status) for status in ("cancelled", "failed", "paused")]

        def insert(*other: object) -> None:
            database.execute(
                f"INSERT INTO runs (id, root_run_id, status, {rest})"
                f" SELECT ?, ?, ?, {rest} FROM runs WHERE id = ?",
                (*other, data.running),
            )

        for other in (("inner", data.running, "running"), *others):
            insert(*other)
        database.commit()
        message = check_refused(data, folder, "0.11.1", "0.12.0", upgrade=False)
        assert "server 0.12.0 would fail its 1 run in progress; " in message
        insert("second", "second", "running")
        database.commit()
    with pytest.raises(errors.DataDirIncompatible) as caught:
        start("0.12.0", folder)
    assert "server 0.12.0 would fail its 2 runs in progress; " in str(caught.value)
    assert caught.value.runs_in_progress == 2


def journal(folder: Path) -> list[tuple[int, str, str, str, Any]]:
    """Return the events of all runs in a data_dir: number, run, time, kind and data."""
    with closing(sqlite3.connect(folder / "stepflow.db")) as database:
        rows = database.execute(
            "SELECT sequence, run_id, timestamp, event_type, event_data FROM journal_entries"
            " WHERE root_run_id IN (SELECT id FROM runs WHERE status = 'running')"
            " ORDER BY sequence"
        ).fetchall()
    return [
        (number, run, moment, kind, json.loads(data)) for number, run, moment, kind, data in rows
    ]


def test_what_becomes_of_a_journal(tmp_path: Path) -> None:
    data = made("0.11.1", is_running=True)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    with closing(sqlite3.connect(folder / "stepflow.db")) as database:
        # As for a flow that is a step of another one.
        database.execute(
            "UPDATE journal_entries SET run_id = 'inner' WHERE event_type = 'run_initialized'"
        )
        database.commit()
    before = journal(folder)
    expected: list[tuple[str, str, str, Any]] = []
    for _, run, moment, kind, event in before:
        if kind == "run_initialized":
            for item in event["needed_steps"]:
                needed = {"type": "steps_needed", "run_id": run, **item}
                expected.append((run, moment, "steps_needed", needed))
        elif kind != "tasks_started":
            expected.append((run, moment, kind, event))
    kinds = {kind for *_, kind, _ in before}
    assert {"run_initialized", "tasks_started", "task_completed"} <= kinds
    data_dir = DataDir(folder, upgrade=True)
    try:
        data_dir.prepare(Launch(Path(BINARIES["0.13.0"]), (), None, Hidden({})), 60)
    finally:
        data_dir.release()
    after = journal(folder)
    assert [entry[1:] for entry in after] == expected
    assert [number for number, *_ in after] == [before[0][0] + at for at in range(len(after))]


def test_a_server_that_was_killed_while_it_wrote(tmp_path: Path) -> None:
    """What it had not committed does not count, and the data is left as it is."""
    data = made("0.9.0", is_running=False)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    script = (
        "import os, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA journal_mode = DELETE')\n"
        "database.execute('PRAGMA cache_size = 1')\n"
        "database.execute('BEGIN IMMEDIATE')\n"
        "database.execute(\"UPDATE _stepflow_migrations SET name = 'x' || name\")\n"
        "database.execute('CREATE TABLE more (data)')\n"
        "for _ in range(1000): database.execute('INSERT INTO more VALUES (zeroblob(5000))')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, folder / "stepflow.db"], check=False)
    assert done.returncode == -signal.SIGKILL and (folder / "stepflow.db-journal").stat().st_size
    message = check_refused(data, folder, "0.9.0", "0.11.1", upgrade=False)
    assert "cannot use its flows" in message
    with start("0.9.0", folder) as runtime:
        check_all(runtime.sync_client, data)


def test_data_that_a_newer_server_has_opened_without_a_stamp(tmp_path: Path) -> None:
    """Its migrations alone do not make older data readable for it."""
    data = made("0.11.1", is_running=False)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    (folder / "server.json").unlink()

    def name_last_migration(name: str) -> None:
        with closing(sqlite3.connect(folder / "stepflow.db")) as database:
            database.execute(
                "UPDATE _stepflow_migrations SET name = ?"
                " WHERE name = (SELECT max(name) FROM _stepflow_migrations)",
                (name,),
            )
            database.commit()

    name_last_migration("008_create_component_registrations_table")
    message = check_refused(data, folder, "0.13", "0.13.0", upgrade=False)
    assert "cannot read its runs; pass upgrade=True" in message
    name_last_migration("999_of_the_future")
    for stamp, old in ((None, "of an unknown version"), ("0.11.0", "0.11.0")):
        if stamp is not None:
            content = json.dumps({"version": stamp, "binary": None})
            (folder / "server.json").write_text(content, encoding="utf-8")
        message = check_refused(data, folder, old, "0.11.1", upgrade=True)
        assert f"was written by Stepflow server {old}, and server 0.11.1 may not be" in message


def test_a_crash_in_the_middle_of_an_upgrade(tmp_path: Path) -> None:
    data = made("0.11.1", is_running=True)
    folder = tmp_path / "data"
    shutil.copytree(data.folder, folder)
    script = (
        "import os, sys\n"
        "from stepflow_runtime import StepflowRuntime, _upgrade\n"
        "convert = _upgrade._convert_journal\n"
        "def crash(*arguments):\n"
        "    convert(*arguments)\n"
        "    os.kill(os.getpid(), 9)\n"
        "_upgrade._convert_journal = crash\n"
        "StepflowRuntime.start(data_dir=sys.argv[1], binary=sys.argv[2], upgrade=True)\n"
    )
    command = [sys.executable, "-c", script, str(folder), BINARIES["0.13.0"]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(errors.DataDirIncompatible, match=r"0\.11\.1.*upgrade=True"):
        start("0.13.0", folder)
    with start("0.13.0", folder, upgrade=True) as runtime:
        check_all(runtime.sync_client, data)
