"""The fixtures of the client's tests: the real server, alone and behind a proxy that fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client.tests.fault_proxy import FaultProxy
from client.tests.support import Driver, release
from tools.spec.server import StepflowServer


@pytest.fixture(params=["sync", "async"])
def do(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Either kind of client."""
    driver = Driver(request.param)
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def binary() -> str:
    """The real server's executable."""
    return os.environ["STEPFLOW_SERVER"]


@pytest.fixture(scope="module")
def server(binary: str) -> Iterator[StepflowServer]:
    """The real server."""
    with StepflowServer(binary) as server:
        yield server


@pytest.fixture
def lasting_server(binary: str, tmp_path: Path) -> Iterator[StepflowServer]:
    """The real server, with what it holds kept over a restart."""
    config = {
        "plugins": {"builtin": {"type": "builtin"}},
        "routes": {"/{*component}": [{"plugin": "builtin"}]},
        "retry": {"transportMaxRetries": 0},
        "storageConfig": {"type": "sqlite", "databaseUrl": f"sqlite:{tmp_path}/db?mode=rwc"},
    }
    arguments = ("--orchestrator-id", "test")
    with StepflowServer(binary, config=config, arguments=arguments) as server:
        yield server


@pytest.fixture
def proxy(server: StepflowServer) -> Iterator[FaultProxy]:
    """A proxy before the real server, without a fault yet."""
    with FaultProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def client(do: Driver, server: StepflowServer) -> Iterator[Any]:
    """A client of the real server."""
    client = do.client(server.url)
    yield client
    do(client.close())


@pytest.fixture
def proxied(do: Driver, proxy: FaultProxy) -> Iterator[Any]:
    """A client behind the proxy."""
    client = do.client(proxy.url)
    yield client
    do(client.close())


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Makes FIFOs: a step that loads one blocks until `release` or the test's end."""
    made: list[Path] = []

    def make() -> Path:
        path = tmp_path / f"fifo-{len(made)}.json"
        os.mkfifo(path)
        made.append(path)
        return path

    yield make
    for path in made:
        release(path)
