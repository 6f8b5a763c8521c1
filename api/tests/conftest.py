"""What the tests of the package share: the real server, and clients for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from api.tests.support.exchange import Recorder
from api.tests.support.flows import SlowFlow
from api.tests.support.world import World
from stepflow_api import Client
from tools.spec.server import StepflowServer


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of the async tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def server_binary() -> str:
    """The real server's executable."""
    return os.environ["STEPFLOW_SERVER"]


@pytest.fixture(scope="module")
def server(server_binary: str) -> Iterator[StepflowServer]:
    """A real server for all tests of a file."""
    server = StepflowServer(server_binary).start()
    try:
        yield server
    finally:
        # A run that a test has left blocked would hold a polite end up.
        server.kill()


@pytest.fixture
def own_server(server_binary: str) -> Iterator[StepflowServer]:
    """A real server for one test, which may end it as it likes."""
    server = StepflowServer(server_binary).start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
async def client(server: StepflowServer) -> AsyncIterator[Client]:
    """A client of the real server, for an async test."""
    async with Client(server.url) as client:
        yield client


@pytest.fixture
def sync_client(server: StepflowServer) -> Iterator[Client]:
    """A client of the real server, for a test without an event loop."""
    with Client(server.url) as client:
        yield client


@pytest.fixture
def recorder(client: Client) -> Recorder:
    """What passes between the client's endpoints and its transport."""
    return Recorder(client)


@pytest.fixture
def slow(sync_client: Client, tmp_path: Path) -> Iterator[SlowFlow]:
    """A flow whose runs last until the test ends them."""
    with SlowFlow(sync_client, tmp_path) as flow:
        yield flow


@pytest.fixture(scope="module")
def world(server: StepflowServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Something for each operation to work on, shared by all tests of a file."""
    with (
        Client(server.url) as client,
        SlowFlow(client, tmp_path_factory.mktemp("slow")) as slow,
    ):
        yield World(client, slow)
