"""What the tests of generated requests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.tests.schemathesis.generated_requests import Known, operations
from api.tests.support.world import World


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test that takes an `operation` once for each operation of the stored spec."""
    if "operation" in metafunc.fixturenames:
        found = operations(Path(os.environ["SPEC"]))
        metafunc.parametrize("operation", [pytest.param(one, id=one.label) for one in found])


@pytest.fixture(scope="session")
def spec() -> Path:
    """The stored spec."""
    return Path(os.environ["SPEC"])


@pytest.fixture(scope="module")
def known(world: World) -> Known:
    """Ids that the server knows, by what they are of; of runs, those that have ended."""
    return {
        "run": [world.done, world.failed, world.batch],
        "flow": [world.flow, world.rich_flow, world.bare_flow],
        "blob": [world.blob, world.named_blob, world.binary_blob],
    }
