"""Folders and files that only this user can change."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from stepflow_runtime._start_errors import remedy
from stepflow_runtime.errors import DataDirUnusable

#: The files of a data_dir besides the database and its lock.
_OTHERS: Final = ("stepflow.db-wal", "stepflow.db-shm", "stepflow.db-journal", "server.json")


def make_private(folder: Path) -> None:
    """Create a folder for this user alone, if it does not exist.

    Raises:
        OSError: The folder cannot be created.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for one in reversed(missing):
        try:
            # The umask may be 0. Others may read the parents, in case these are shared later.
            one.mkdir(mode=0o700 if one == folder else 0o755)
        except FileExistsError:
            # Created by another process in the meantime.
            continue
        if one == folder:
            # The umask may deny even this user.
            one.chmod(0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def check_private(folder: Path, name: str) -> None:
    """Check that only this user can change a folder, and that no file in it is a link.

    Raises:
        DataDirUnusable: Somebody else can change it, or a file is something else.
    """
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise DataDirUnusable(
            f"{name} cannot be used: it belongs to user {found.st_uid}, not to user"
            f" {os.geteuid()}; use a folder in it that does not exist yet, or another one"
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DataDirUnusable(
            f"{name} cannot be used: other users can write to it; run: chmod go-w {folder}, or use"
            " a folder in it that does not exist yet"
        )
    for other in _OTHERS:
        check_file(folder / other, name)
    database = folder / "stepflow.db"
    check_file(database, name, only_one_name=True)
    for path in (database, *(folder / other for other in _OTHERS)):
        # Created by earlier releases, or copied. It may belong to another user, if root shares it.
        if path.exists() and path.stat().st_mode & 0o077:
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)


def check_file(path: Path, name: str, *, only_one_name: bool = False) -> None:
    """Check that a path is a file itself, if it exists.

    With `only_one_name`, it must not be in another folder too, where another server could use it.

    Raises:
        DataDirUnusable: It is a link, or not a file.
    """
    try:
        found = path.lstat()
    except OSError:
        # The code that opens it reports the error.
        return
    if stat.S_ISLNK(found.st_mode):
        problem, advice = "is a symbolic link", "remove it, or replace it by the file"
    elif not stat.S_ISREG(found.st_mode):
        problem, advice = "is not a file", "remove it"
    elif only_one_name and found.st_nlink > 1:
        problem = f"has {found.st_nlink} names (hard links)"
        advice = "replace it by a copy, so that no other server uses it"
    else:
        return
    raise DataDirUnusable(f"{name} cannot be used: {path} {problem}; {advice}")


def open_private(path: Path, flags: int) -> int:
    """Open a file, by flags of `os.open`, that only this user can read and write, and no link.

    Raises:
        OSError: It cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW, 0o600)
    # The umask may deny even this user. The file may belong to another one, if root shares it.
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o600)
    return descriptor


def create_private(path: Path, name: str) -> None:
    """Create an empty file for this user alone, if it does not exist.

    Raises:
        DataDirUnusable: It cannot be created.
    """
    try:
        os.close(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        # Not opened: closing it would release the locks that SQLite has on it in this process.
        pass
    except OSError as error:
        raise unusable(name, error) from None


def unusable(name: str, error: OSError) -> DataDirUnusable:
    """Return the error for files that cannot be created or written."""
    advice = remedy(error, "use a folder that this user can write")
    return DataDirUnusable(f"{name} cannot be used: {error.strerror or error}; {advice}")
