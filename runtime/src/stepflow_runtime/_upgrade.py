"""Checks, backup and conversion of data when another server version opens it."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never
from urllib.parse import quote

from stepflow_runtime._stamp import Stamp, write_stamp
from stepflow_runtime.errors import DataDirIncompatible, DataDirUnusable

_log = logging.getLogger("stepflow_runtime")

#: The second number of a version: 11 for every 0.11.
_Line = int
_OLDEST: Final = 9
#: A server that this package does not know; treated as newer than all known ones.
_UNKNOWN: Final = 10_000

#: The first version that applied each migration.
_MIGRATIONS: Final[Mapping[str, _Line]] = {
    "001_create_unified_schema": 9,
    "001_create_blob_tables": 10,
    "001_create_metadata_tables": 10,
    "002_create_journal_tables": 10,
    "003_add_step_statuses_to_run_items": 10,
    "004_add_orchestrator_id_to_runs": 10,
    "005_add_created_at_seqno_to_runs": 11,
    "005_create_checkpoint_table": 11,
    "006_add_finished_at_seqno_to_runs": 11,
    "007_create_step_statuses_table": 12,
    "008_create_component_registrations_table": 13,
}

#: Versions by an event of their journals. The earliest one counts, since 0.10 writes two of them.
_JOURNALS: Final[Mapping[str, _Line]] = {
    "run_created": 10,
    "run_initialized": 11,
    "steps_needed": 12,
}

#: The last version that decodes columns declared DATETIME and runs without a sequence number.
_LAST_LENIENT: Final = 12

#: The sequence number that servers since 0.11 store for the first event of a run.
_FIRST_SEQNO: Final = -(2**63)

_TEMPORARY: Final = ".unfinished-"


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a database contains.

    Attributes:
        line: Latest version whose migrations it has; None if no server has written it.
        has_datetime: Whether a column is declared DATETIME.
        lacks_seqno: Whether a run has no sequence number of its creation, as before 0.11.
        running: Version of the journal of each run in progress, by run id.
        checkpointed: Runs in progress with a checkpoint, which replaces a part of their journal.
    """

    line: _Line | None
    has_datetime: bool = False
    lacks_seqno: bool = False
    running: Mapping[str, _Line] | None = None
    checkpointed: frozenset[str] = frozenset()

    def unreadable_runs(self, line: _Line) -> list[str]:
        """Return the runs in progress that a version would fail instead of resuming them."""
        wanted = _journal_of(line)
        return [run for run, journal in (self.running or {}).items() if journal != wanted]

    def needs_repair(self, line: _Line) -> bool:
        """Whether a version could not use all of the data as it is."""
        return self.is_undecodable(line) or bool(self.unreadable_runs(line))

    def is_undecodable(self, line: _Line) -> bool:
        """Whether a version fails every request about runs."""
        return line > _LAST_LENIENT and (self.has_datetime or self.lacks_seqno)

    def can_convert(self, runs: list[str], line: _Line) -> bool:
        """Whether the journals of these runs can be converted for a version."""
        return line >= 12 and all(
            (self.running or {})[run] == 11 and run not in self.checkpointed for run in runs
        )


def open_with(
    version: str, folder: Path, database: Path, stamp: Stamp | None, *, upgrade: bool
) -> None:
    """Prepare a data_dir for another server version, after a backup; `upgrade` allows conversion.

    Raises:
        DataDirIncompatible: The server would lose or break the data.
        DataDirUnusable: The data cannot be read, or a backup cannot be made.
    """
    # Left behind by an attempt that crashed; the data_dir is locked, so nobody uses them.
    for left in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with _snapshot(folder, database) as connection:
            contents = _read(connection, _line(stamp.version) if stamp is not None else None)
            line = _line(version)
            if contents.line is None:
                return
            if stamp is None and contents.line == line and not contents.needs_repair(line):
                return
            old = stamp.version if stamp is not None else _name(contents.line)
            _check(contents, old, version, folder, upgrade=upgrade)
            backup = _back_up(connection, folder, Stamp(old, stamp.binary if stamp else None))
        if contents.needs_repair(line):
            _repair(database, contents, line)
    except sqlite3.Error as error:
        raise DataDirUnusable(
            f"data_dir {folder} cannot be used: {database.name}: {error}; use a folder whose"
            " database was created by a Stepflow server, or restore a backup"
        ) from None
    except OSError as error:
        raise DataDirUnusable(
            f"data_dir {folder} cannot be backed up: {error.strerror or error}; free some space, or"
            " use a folder that this user can write"
        ) from None
    _log.info(
        "data_dir %s: written by Stepflow server %s, opened with %s; the backup is %s",
        folder,
        old,
        version,
        backup,
    )


def _check(contents: _Contents, old: str, new: str, folder: Path, *, upgrade: bool) -> None:
    line = _line(new)
    assert contents.line is not None
    was = max(contents.line, _line(old))
    running = contents.unreadable_runs(line)

    def refuse(problem: str, remedy: str) -> Never:
        raise DataDirIncompatible(
            f"data_dir {folder} was written by Stepflow server {old}, and server {new} {problem};"
            f" {remedy}",
            written_by=old,
            server_version=new,
            runs_in_progress=len(contents.running or {}),
        )

    another = "use the server that wrote it (binary=), or another data_dir"
    convert = "pass upgrade=True to make a backup and convert the data"
    if was == _UNKNOWN:
        refuse("may not be able to read it", another)
    if was != line and _OLDEST in (was, line):
        refuse("cannot use its flows", another)
    if contents.lacks_seqno and contents.line < 11 and line > _LAST_LENIENT:
        refuse("cannot read its runs", f"open it with server 0.11.1 first (binary=), or {another}")
    if running and not contents.can_convert(running, line):
        refuse(
            f"would fail its {_runs(len(running))} in progress",
            "let them finish on the server that wrote it (binary=), or use another data_dir",
        )
    if upgrade:
        return
    if line == _UNKNOWN:
        refuse("is newer than this package knows", f"{convert}, or {another}")
    if contents.is_undecodable(line):
        refuse("cannot read its runs", f"{convert}, or {another}")
    if running:
        refuse(f"would fail its {_runs(len(running))} in progress", f"{convert}, or {another}")


def _read(connection: sqlite3.Connection, last_writer: _Line | None) -> _Contents:
    tables = {
        name: sql or ""
        for name, sql in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        )
    }
    if "_stepflow_migrations" not in tables:
        if tables:
            raise sqlite3.DatabaseError("it is not a database of a Stepflow server")
        return _Contents(None)
    names = [name for (name,) in connection.execute("SELECT name FROM _stepflow_migrations")]
    if not names:
        # Left by a server that did not get further in its first start.
        return _Contents(None)
    line = max(_MIGRATIONS.get(name, _UNKNOWN) for name in names)
    if line in (_OLDEST, _UNKNOWN):
        return _Contents(line)
    if line < 11:
        without: bool = connection.execute("SELECT EXISTS (SELECT 1 FROM runs)").fetchone()[0]
        checkpointed = frozenset[str]()
    else:
        without = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE created_at_seqno IS NULL)"
        ).fetchone()[0]
        checkpointed = frozenset(
            run for (run,) in connection.execute("SELECT root_run_id FROM checkpoints")
        )
    # A run that has only just been created has no event to tell from.
    written_last = _journal_of(last_writer or line)
    running = {
        run: min(
            (_JOURNALS[event] for event in events.split(",") if event in _JOURNALS),
            default=written_last,
        )
        for run, events in connection.execute(
            "SELECT id, (SELECT coalesce(group_concat(DISTINCT event_type), '')"
            " FROM journal_entries WHERE journal_entries.root_run_id = runs.id)"
            " FROM runs WHERE id = root_run_id AND status = 'running'"
        )
    }
    has_datetime = any("DATETIME" in sql for sql in tables.values())
    return _Contents(line, has_datetime, bool(without), running, checkpointed)


def _repair(database: Path, contents: _Contents, line: _Line) -> None:
    # In one transaction, so a crash leaves either the old data or all of the repair.
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if line >= 12:
            for run in contents.unreadable_runs(line):
                _convert_journal(connection, run)
        if contents.lacks_seqno:
            connection.execute(
                "UPDATE runs SET created_at_seqno = ? WHERE created_at_seqno IS NULL",
                (_FIRST_SEQNO,),
            )
        if contents.has_datetime:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'DATETIME', 'TEXT')"
                " WHERE type = 'table'"
            )
            version = connection.execute("PRAGMA schema_version").fetchone()[0]
            connection.execute(f"PRAGMA schema_version = {version + 1}")
        connection.execute("COMMIT")


def _convert_journal(connection: sqlite3.Connection, run: str) -> None:
    # Since 0.12 each item has its own event, and tasks that were started have an id. Without their
    # start, tasks in progress are executed again; completed ones stay completed.
    entries = connection.execute(
        "SELECT run_id, timestamp, event_type, event_data FROM journal_entries"
        " WHERE root_run_id = ? ORDER BY sequence",
        (run,),
    ).fetchall()
    connection.execute("DELETE FROM journal_entries WHERE root_run_id = ?", (run,))
    converted: list[tuple[str, str, str, str]] = []
    for run_id, timestamp, kind, data in entries:
        if kind == "run_initialized":
            for item in json.loads(data)["needed_steps"]:
                event = {"type": "steps_needed", "run_id": run_id, **item}
                converted.append((run_id, timestamp, "steps_needed", json.dumps(event)))
        elif kind != "tasks_started":
            converted.append((run_id, timestamp, kind, data))
    connection.executemany(
        "INSERT INTO journal_entries (root_run_id, sequence, run_id, timestamp, event_type,"
        " event_data) VALUES (?, ?, ?, ?, ?, ?)",
        [(run, number, *entry) for number, entry in enumerate(converted)],
    )


@contextmanager
def _snapshot(folder: Path, database: Path) -> Generator[sqlite3.Connection]:
    """Open a database for reading, with its write-ahead log, and change neither."""
    journal = database.with_name(f"{database.name}-journal")
    if not journal.exists():
        uri = f"file:{quote(str(database))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            yield connection
        return
    # A server before 0.10 was killed during a transaction, which a read-only connection cannot
    # roll back.
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=folder) as copy:
        for path in (database, journal):
            shutil.copyfile(path, Path(copy, path.name))
        with closing(sqlite3.connect(Path(copy, database.name))) as connection:
            yield connection


def _back_up(connection: sqlite3.Connection, folder: Path, stamp: Stamp) -> Path:
    # The backup is a data_dir itself.
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = re.sub(r"[^\w.]+", "-", f"backup-{stamp.version}-{moment}")
    unfinished = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=folder))
    try:
        path = unfinished / "stepflow.db"
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as copy:
            connection.backup(copy)
        write_stamp(unfinished, stamp)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        # There may be another backup of the same second.
        number, target = 1, folder / name
        while target.exists():
            number += 1
            target = folder / f"{name}-{number}"
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return target


def _line(version: str) -> _Line:
    # Imported here to keep imports fast; the client needs the module at its first call anyway.
    from stepflow_api.support import is_known_version

    return int(version.split(".")[1]) if is_known_version(version) else _UNKNOWN


def _name(line: _Line) -> str:
    return "of an unknown version" if line == _UNKNOWN else f"0.{line}"


def _journal_of(line: _Line) -> _Line:
    return max((one for one in _JOURNALS.values() if one <= line), default=_OLDEST)


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
