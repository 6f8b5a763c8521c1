"""The fixtures of the runtime's tests."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator

import pytest

from runtime.tests.programs import marked
from runtime.tests.support import leaving_nothing, wait_until
from runtime.tests.workers import logged


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No test leaves a process or a thread of the runtime behind."""
    with leaving_nothing():
        yield


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[str]]]:
    """Kill the programs that a test has started, and check that nothing of them is left."""
    programs: list[subprocess.Popen[str]] = []
    yield programs
    for one in programs:
        one.kill()
        one.communicate()
    wait_until(lambda: not marked(), "nothing that the test has started is left")


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """The records of the workers' logger."""
    records: list[logging.LogRecord] = []
    with logged(records.append):
        yield records
