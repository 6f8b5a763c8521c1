"""The folder in which flows and runs outlive the server."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from stepflow_runtime._constants import ORCHESTRATOR_ID
from stepflow_runtime._database import DatabaseLock, locked
from stepflow_runtime._fork import Held
from stepflow_runtime._private import (
    check_private,
    create_private,
    make_private,
    open_private,
    unusable,
)
from stepflow_runtime._process import Launch
from stepflow_runtime._server_version import binary_version, version_in_health
from stepflow_runtime._stamp import Fingerprint, Stamp, read_stamp, write_stamp
from stepflow_runtime.errors import DataDirUnusable


class DataDir:
    """A data_dir, locked for one server.

    Args:
        path: The folder; created, for this user alone, if it does not exist.
        upgrade: Whether data that the server cannot read may be converted.
        servers: Names of the servers that will use it; several are a cluster.

    Raises:
        DataDirUnusable: The folder cannot be created or written, or is not for this user alone.
        DataDirLocked: Another server uses the folder.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        upgrade: bool = False,
        servers: Sequence[str] = (ORCHESTRATOR_ID,),
    ) -> None:
        self.path = Path(path).absolute()
        self._servers = servers
        self._has_adopted = False
        self._upgrade = upgrade
        self._stamp: Stamp | None = None
        # A stop from another thread must not unlock the folder while its data is converted.
        self._busy = threading.RLock()
        self._is_released = False
        try:
            make_private(self.path)
            self._folder = Held(lambda: os.open(self.path, os.O_RDONLY))
        except OSError as error:
            raise unusable(self._name, error) from None
        self._lock: DatabaseLock | None = None
        try:
            check_private(self.path, self._name)
            self._lock = DatabaseLock(self.database, self._name)
            self._lock_folder()
            self._check_writable()
            create_private(self.database, self._name)
        except BaseException:
            self.release()
            raise

    @property
    def descriptors(self) -> tuple[int, ...]:
        """File descriptors of the locks."""
        assert self._lock is not None
        return self._lock.descriptor, self._folder.descriptor

    @property
    def database(self) -> Path:
        """The SQLite database in the folder."""
        return self.path / "stepflow.db"

    @property
    def database_url(self) -> str:
        """URL of the database for the server's config."""
        return f"sqlite:{quote(str(self.database))}?mode=rwc"

    def prepare(self, launch: Launch, startup_timeout: float) -> None:
        """Check that a server can open the data, and convert the data if necessary and allowed.

        The server has `startup_timeout` seconds to report its version.

        Raises:
            DataDirIncompatible: The server would lose or break the data.
            DataDirUnusable: The data cannot be read, or a backup cannot be made.
            StartFailed: The server did not report its version.
        """
        with self._busy:
            if self._is_released:
                return
            self._prepare_for_version(launch, startup_timeout)
            if not self._has_adopted:
                self._adopt_runs()
                self._has_adopted = True

    def confirm(self, binary: Path, health: bytes) -> None:
        """Record which server has opened the data."""
        stamp = Stamp(version_in_health(health), Fingerprint.of(binary))
        with self._busy:
            if stamp != self._stamp and not self._is_released:
                self._write(stamp)

    def release(self) -> None:
        """Let other servers use the folder."""
        with self._busy:
            self._is_released = True
            if self._lock is not None:
                self._lock.release()
            self._folder.close()

    @property
    def _name(self) -> str:
        return f"data_dir {self.path}"

    def _prepare_for_version(self, launch: Launch, startup_timeout: float) -> None:
        self._stamp = stamp = read_stamp(self.path)
        if self.database.stat().st_size == 0:
            return
        fingerprint = Fingerprint.of(launch.binary)
        if stamp is not None and stamp.binary == fingerprint:
            return
        version = binary_version(launch, fingerprint, startup_timeout)
        if stamp is None or stamp.version != version:
            # Neither this module nor sqlite3 is needed at an ordinary start.
            from stepflow_runtime._upgrade import open_with

            open_with(version, self.path, self.database, stamp, upgrade=self._upgrade)
        self._write(Stamp(version, fingerprint))

    def _adopt_runs(self) -> None:
        """Take over runs in progress of a cluster with other servers."""
        mark = self.path / "cluster"
        try:
            if mark.exists() and self.database.stat().st_size > 0:
                from stepflow_runtime._adoption import adopt_runs

                adopt_runs(self.database, self._name, self._servers)
            if len(self._servers) > 1:
                os.close(open_private(mark, os.O_WRONLY | os.O_CREAT))
            else:
                mark.unlink(missing_ok=True)
        except OSError as error:
            raise unusable(self._name, error) from None

    def _write(self, stamp: Stamp) -> None:
        try:
            write_stamp(self.path, stamp)
        except OSError as error:
            raise unusable(self._name, error) from None
        self._stamp = stamp

    def _lock_folder(self) -> None:
        import fcntl

        # The lock file may have been removed while its lock was held.
        try:
            fcntl.flock(self._folder.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise locked(self._name, None) from None
        except OSError:
            # Not every file system can lock a folder.
            pass

    def _check_writable(self) -> None:
        target = self.database if self.database.exists() else self.path
        if not os.access(target, os.W_OK):
            raise DataDirUnusable(
                f"{self._name} cannot be used: {target} is not writable; use a folder that this"
                " user can write"
            )
