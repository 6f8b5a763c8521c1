"""SQLite databases of the server: where a config keeps them, and a lock for each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote

from stepflow_runtime._fork import Held
from stepflow_runtime._private import check_file, open_private, unusable
from stepflow_runtime.errors import DataDirLocked

#: Keys under which a config describes the storage: since server 0.10, and before. Each server
#: ignores the other key.
STORAGE_KEYS: Final = ("storageConfig", "stateStore")


class DatabaseLock:
    """Lock on a SQLite database; with `shared`, others may hold a shared lock too.

    The lock belongs to an open file, which the server inherits. So it lasts as long as either
    process, and nothing is left to clean up.

    Raises:
        DataDirUnusable: The lock file cannot be written.
        DataDirLocked: Another server uses the database.
    """

    def __init__(self, database: Path, name: str, *, shared: bool = False) -> None:
        # Every path to the same database has to lead to the same lock.
        real = Path(os.path.realpath(database))
        lock = real.with_name(f"{real.name}.lock")
        check_file(real, name, only_one_name=True)
        check_file(lock, name)
        try:
            self._file = Held(lambda: open_private(lock, os.O_RDWR | os.O_CREAT))
        except OSError as error:
            raise unusable(name, error) from None
        try:
            self._lock(name, shared)
        except BaseException:
            self._file.close()
            raise

    @property
    def descriptor(self) -> int:
        """File descriptor that holds the lock."""
        return self._file.descriptor

    def release(self) -> None:
        """Release the lock, unless the server still holds it."""
        # The lock ends with the last descriptor of the file; a forked child has closed its own.
        self._file.close()

    def _lock(self, name: str, shared: bool) -> None:
        import fcntl

        operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.descriptor, operation | fcntl.LOCK_NB)
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, str(os.getpid()).encode(), 0)
        except BlockingIOError:
            holder = os.pread(self.descriptor, 20, 0)
            raise locked(name, int(holder) if holder.isdigit() else None) from None
        except OSError as error:
            raise unusable(name, error) from None


def sqlite_databases(config: Mapping[str, Any]) -> set[Path]:
    """Return the SQLite files in which a config keeps the server's state."""
    return {path for key in STORAGE_KEYS for path in _databases(config.get(key))}


def has_lease_manager(config: Mapping[str, Any]) -> bool:
    """Whether a config makes several servers on one database agree on who executes a run."""
    manager = config.get("leaseManager")
    return isinstance(manager, Mapping) and cast("Any", manager).get("type") == "etcd"


def _databases(storage: Any) -> Iterator[Path]:
    # There is one description for everything, or one each for metadata, blobs and journal.
    if not isinstance(storage, Mapping):
        return
    described = cast(Mapping[str, Any], storage)
    url = described.get("databaseUrl")
    if described.get("type") == "sqlite" and isinstance(url, str):
        path = _path_in(url)
        if path is not None:
            yield path
        return
    for part in described.values():
        yield from _databases(part)


def _path_in(url: str) -> Path | None:
    # Like the server, which reads no host and no variables; relative to the working directory.
    location = url.removeprefix("sqlite:").removeprefix("file:").removeprefix("//")
    if "://" in location:
        # Of another database; no file, and possibly with a password.
        return None
    path = unquote(location.partition("?")[0])
    if path in ("", ":memory:") or "\0" in path:
        return None
    return Path(path)


def locked(name: str, pid: int | None) -> DataDirLocked:
    """Return the error for a database that another server uses, with its starter's pid if known."""
    if pid == os.getpid():
        message = f"{name} is already in use by this process; call stop() on the other runtime"
    else:
        by = "another server" if pid is None else f"a server started by process {pid}"
        message = f"{name} is in use by {by}; stop that server"
    return DataDirLocked(f"{message}, or use another folder", pid)
