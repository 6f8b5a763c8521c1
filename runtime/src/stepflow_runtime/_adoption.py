"""Runs in progress of servers that no longer exist."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from stepflow_runtime.errors import DataDirUnusable


def adopt_runs(database: Path, name: str, servers: Sequence[str]) -> None:
    """Assign runs in progress of other servers to the first of these.

    A server resumes only runs of its own name. No server may use the database, of version 0.13 or
    later, meanwhile.

    Raises:
        DataDirUnusable: It cannot be read or written.
    """
    places = ", ".join("?" * len(servers))
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(database))}?mode=rw", uri=True)
        ) as connection:
            connection.execute(
                "UPDATE runs SET orchestrator_id = ? WHERE status = 'running' AND"
                f" (orchestrator_id IS NULL OR orchestrator_id NOT IN ({places}))",
                (servers[0], *servers),
            )
            connection.commit()
    except sqlite3.Error as error:
        raise DataDirUnusable(
            f"{name} cannot be used: its database is not one of a Stepflow cluster: {error};"
            " restore a backup, or use another folder"
        ) from None
