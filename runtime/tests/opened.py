"""Counter for opened files: a step that loads a file opens it once per execution."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

_IN_OPEN = 0x20
_IN_Q_OVERFLOW = 0x4000
_EVENT = struct.Struct("iIII")
_LAST = "last"


class Opened:
    """Count how often each file of a folder is opened, with inotify.

    Args:
        folder: The folder.

    Attributes:
        times: How often each file has been opened; complete once `close` has returned.
    """

    def __init__(self, folder: Path) -> None:
        self.times: Counter[str] = Counter()
        self._folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC)
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _IN_OPEN)
        assert self._descriptor >= 0 and watch >= 0, os.strerror(ctypes.get_errno())
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        """Stop once everything opened so far is counted."""
        (self._folder / _LAST).touch()
        self._thread.join()
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> None:
        while True:
            data, at = os.read(self._descriptor, 1 << 20), 0
            while at < len(data):
                _, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size
                name = data[at : at + length].rstrip(b"\0").decode()
                at += length
                assert not mask & _IN_Q_OVERFLOW, "the kernel has dropped events"
                if name == _LAST:
                    return
                # Without a name it is the folder itself.
                if name:
                    self.times[name] += 1
