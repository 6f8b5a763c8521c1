"""The fixtures of the runtime's tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from runtime.tests.programs import marked
from runtime.tests.support import leaving_nothing, wait_until


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
