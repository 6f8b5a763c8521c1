"""Helpers of the runtime's tests."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from stepflow_runtime._binary import find_binary
from tools.pytest.support import release as release
from tools.pytest.support import wait_until as wait_until

#: Returns its input.
ECHO: dict[str, Any] = {"name": "echo", "steps": [], "output": {"$input": "$"}}

#: Stores its input as a blob, with a builtin component that is always there.
PUT_BLOB: dict[str, Any] = {
    "name": "put-blob",
    "steps": [
        {
            "id": "put",
            "component": "/put_blob",
            "input": {"data": {"$input": "$"}, "blob_type": "data"},
        }
    ],
    "output": {"$step": "put", "path": "blob_id"},
}

#: Reads the file that its input names: a FIFO makes it slow, a missing file makes it fail.
READ_FILE: dict[str, Any] = {
    "name": "read-file",
    "steps": [{"id": "read", "component": "/load_file", "input": {"path": {"$input": "path"}}}],
    "output": {"$step": "read", "path": "data"},
}


def exists(pid: int) -> bool:
    """Whether there is a process with this id that has not ended."""
    return pid in {one for one, _, _ in processes()}


def session(sid: int) -> set[int]:
    """Return the processes of a session that have not ended."""
    return {pid for pid, _, its_session in processes() if its_session == sid}


def descendants(pid: int | None = None) -> set[int]:
    """Return the processes that a process has started, and that these have started."""
    children: dict[int, list[int]] = {}
    for child, parent, _ in processes():
        children.setdefault(parent, []).append(child)
    found: set[int] = set()
    queue = [os.getpid() if pid is None else pid]
    while queue:
        new = children.get(queue.pop(), [])
        found.update(new)
        queue.extend(new)
    return found


@contextmanager
def leaving_nothing() -> Iterator[None]:
    """Check that a block leaves no process and no thread of the runtime behind."""
    before = descendants()
    yield
    wait_until(lambda: descendants() <= before, "the processes have exited")
    wait_until(
        lambda: not [t for t in threading.enumerate() if t.name.startswith("stepflow-")],
        "the threads have exited",
    )


def processes() -> list[tuple[int, int, int]]:
    """Return process id, parent and session of every process that has not ended."""
    found: list[tuple[int, int, int]] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            state, parent, _, its_session = stat.rpartition(")")[2].split()[:4]
            if state not in ("Z", "X"):
                found.append((int(entry.name), int(parent), int(its_session)))
    return found


def command_line(pid: int) -> bytes:
    """Return a process's command line; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def completed_tasks(database: Path) -> int:
    """Count the steps that a server with a data_dir has completed, in all runs."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM journal_entries WHERE event_type = 'task_completed'"
        ).fetchone()
    return int(count)


def binary_with(path: Path, output_filter: str) -> Path:
    """Makes a binary that is the real server with its output passed through a command."""
    path.write_text(f'#!/bin/sh\n"{find_binary(None)}" "$@" | {output_filter}\n', encoding="utf-8")
    path.chmod(0o755)
    return path
