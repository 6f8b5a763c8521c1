"""A pretended machine for each test."""

from pathlib import Path

import pytest

from tools.debian.tests.debian import Debian
from tools.debian.tests.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def debian(machine: Machine) -> Debian:
    return Debian(machine)
