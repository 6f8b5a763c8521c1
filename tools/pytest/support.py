"""Helpers that the tests of all packages share."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until a condition holds; fail if that takes so long that it never will."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting until {what}"
        time.sleep(0.005)


def release(fifo: Path, document: Any = 42) -> bool:
    """Write a document to the FIFO that a step loads, which ends the step; False if none does."""
    try:
        with open(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK), "wb") as stream:
            stream.write(json.dumps(document).encode())
    except OSError:
        # Nobody reads it yet, or nobody any more: a step that was cancelled.
        return False
    return True


def check_frames(error: BaseException, *secrets: str) -> None:
    """Check that no variable of a traceback's frames, besides those of tests, shows a secret."""
    frames = list(_frames(error))
    assert frames
    for frame in frames:
        for name, value in frame.f_locals.items():
            where = f"{name} in {frame.f_code.co_name} of {frame.f_code.co_filename}"
            assert not any(secret in repr(value) for secret in secrets), where


def _frames(error: BaseException) -> Iterator[FrameType]:
    """Iterate over the frames of an exception and of all its causes and contexts."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__]
        traceback = one.__traceback__
        while traceback is not None:
            if "/tests/" not in traceback.tb_frame.f_code.co_filename:
                yield traceback.tb_frame
            traceback = traceback.tb_next
