"""State that outlives a server, locked for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepflow_runtime._constants import ORCHESTRATOR_ID
from stepflow_runtime._database import DatabaseLock, has_lease_manager, sqlite_databases
from stepflow_runtime._recovery import warn_of_periodic_check

if TYPE_CHECKING:
    from stepflow_runtime._data_dir import DataDir


class Storage:
    """The data_dir, or the SQLite databases that a config names, locked.

    Attributes:
        data_dir: The data_dir.

    Raises:
        DataDirUnusable: The data_dir or a database cannot be used.
        DataDirLocked: Another server uses the data_dir or a database.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        data_dir: str | os.PathLike[str] | None,
        *,
        upgrade: bool,
        servers: Sequence[str] = (ORCHESTRATOR_ID,),
    ) -> None:
        self.data_dir: DataDir | None = None
        self._locks: list[DatabaseLock] = []
        if data_dir is not None:
            # Imported here, since most programs have no data_dir.
            from stepflow_runtime._data_dir import DataDir

            self.data_dir = DataDir(data_dir, upgrade=upgrade, servers=servers)
            return
        databases = sqlite_databases(config)
        if not databases:
            return
        shared = has_lease_manager(config)
        try:
            for database in {Path(os.path.realpath(one)) for one in databases}:
                name = f"the config's database {database}"
                self._locks.append(DatabaseLock(database, name, shared=shared))
        except BaseException:
            self.release()
            raise
        warn_of_periodic_check(config)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """File descriptors of the locks, for the server to inherit."""
        if self.data_dir is not None:
            return self.data_dir.descriptors
        return tuple(lock.descriptor for lock in self._locks)

    def release(self) -> None:
        """Let other servers use the state."""
        if self.data_dir is not None:
            self.data_dir.release()
        for lock in self._locks:
            lock.release()
