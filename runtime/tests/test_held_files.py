"""File descriptors of the runtime in forked children."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from stepflow_runtime import StepflowRuntime
from stepflow_runtime._fork import Held, held_pipe


def in_child(check: Callable[[], object]) -> None:
    """Fork, and check something in the child; a deadlock there ends it."""
    if not (child := os.fork()):
        signal.alarm(60)
        try:
            check()
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_child_of_a_child_keeps_its_files(tmp_path: Path) -> None:
    """In the child, the numbers of the runtime's files are free for others."""

    def child() -> None:
        files = [os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT) for _ in range(50)]

        def grandchild() -> None:
            for one in files:
                os.fstat(one)
            os._exit(0)

        in_child(grandchild)
        os._exit(0)

    with StepflowRuntime.start(data_dir=tmp_path / "data"):
        in_child(child)


def test_a_child_can_open_some_although_one_was_closed_behind_our_back() -> None:
    reading, writing = held_pipe()

    def open_and_close() -> None:
        for one in held_pipe():
            one.close()
        os._exit(0)

    def child() -> None:
        # Whatever thread does so.
        thread = threading.Thread(target=open_and_close)
        thread.start()
        thread.join()

    os.close(reading.descriptor)
    in_child(child)
    # Its number is free, and must not be closed again.
    assert os.open("/", os.O_RDONLY) == reading.descriptor
    for one in (reading, writing):
        one.close()
        one.close()


def test_a_signal_handler_may_fork_while_a_file_is_opened() -> None:
    def open_and_fork() -> int:
        in_child(lambda: os._exit(0))
        return os.open("/", os.O_RDONLY)

    Held(open_and_fork).close()
