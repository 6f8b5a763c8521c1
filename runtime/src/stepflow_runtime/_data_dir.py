"""The folder in which a server keeps what outlives it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from urllib.parse import quote

from stepflow_runtime._fork import Held
from stepflow_runtime.errors import DataDirLocked, DataDirUnusable


class DataDir:
    """A data_dir, locked for one server.

    The lock belongs to an open file, which the server inherits: as long as one of the two is there,
    no other server starts here, and no lock is left behind by those that are gone.

    Args:
        path: The folder; made, for this user alone, where it does not exist.

    Raises:
        DataDirUnusable: It cannot be made or written.
        DataDirLocked: Another server uses it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._file = Held(lambda: os.open(self.path / "lock", flags, 0o600))
        except OSError as error:
            raise _unusable(self.path, error) from None
        try:
            self._lock()
            self._check_writable()
        except BaseException:
            self._file.close()
            raise

    @property
    def descriptor(self) -> int:
        """The open file that the lock belongs to."""
        return self._file.descriptor

    @property
    def database_url(self) -> str:
        """Where the server keeps its flows and runs."""
        return f"sqlite:{quote(str(self.path / 'stepflow.db'))}?mode=rwc"

    def release(self) -> None:
        """Lets other servers use it."""
        # The lock goes with the last descriptor of the file; a forked child has closed its own.
        self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = None
            with contextlib.suppress(ValueError):
                pid = int(os.pread(self._file.descriptor, 20, 0))
            who = "another server" if pid is None else f"a server that process {pid} has started"
            raise DataDirLocked(
                f"data_dir {self.path} is in use by {who}; stop that one, or give another folder",
                pid,
            ) from None
        except OSError as error:
            raise _unusable(self.path, error) from None
        os.ftruncate(self._file.descriptor, 0)
        os.pwrite(self._file.descriptor, str(os.getpid()).encode(), 0)

    def _check_writable(self) -> None:
        database = self.path / "stepflow.db"
        target = database if database.exists() else self.path
        if not os.access(target, os.W_OK):
            raise DataDirUnusable(
                f"data_dir {self.path} cannot be used: {target} is not writable; give a folder that"
                " this user may write"
            )


def _unusable(path: Path, error: OSError) -> DataDirUnusable:
    return DataDirUnusable(
        f"data_dir {path} cannot be used: {error.strerror or error}; give a folder that this user"
        " may write"
    )
