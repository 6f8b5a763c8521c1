"""The client's tests of faults, with a runtime in the client's place.

Left out are those whose client has a policy or a timeout of its own, where a runtime's clients have
the runtime's, those that create a run again on request, which no executor offers, and those of a
server that ends, which test_crashes.py has.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.tests.fault_proxy import Fault, FaultProxy
from client.tests.support import ECHO, Driver, release
from client.tests.test_fault_matrix import CALLS, CREATING, RIGHT, Given
from client.tests.test_faults import (
    PASSING,
    flow,
    once,
    test_a_cut_while_cancelling_does_not_surface,
    test_a_cut_while_waiting_does_not_surface,
    test_a_deadline_holds_while_the_server_is_away,
    test_a_request_that_was_cut_off_creates_nothing,
    test_a_stored_flow_is_not_sent_again,
    test_a_wait_without_a_deadline_gives_up_a_server_that_stays_away,
    test_creating_is_sent_again_when_the_server_refuses_it,
)
from stepflow_client import SyncStepflowClient
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime

__all__ = [
    "flow",
    "test_a_cut_while_cancelling_does_not_surface",
    "test_a_cut_while_waiting_does_not_surface",
    "test_a_deadline_holds_while_the_server_is_away",
    "test_a_request_that_was_cut_off_creates_nothing",
    "test_a_stored_flow_is_not_sent_again",
    "test_a_wait_without_a_deadline_gives_up_a_server_that_stays_away",
    "test_creating_is_sent_again_when_the_server_refuses_it",
]


class BehindProxy(StepflowRuntime):
    """A runtime whose clients reach its server through a proxy."""

    proxy_url = ""

    def _address(self) -> str:
        return self.proxy_url


class InPlaceOfClient:
    """Has a client's methods: the runtime's own, and those of its client for the rest."""

    def __init__(self, runtime: StepflowRuntime, *, is_async: bool) -> None:
        self._runtime = runtime
        self._is_async = is_async

    def __getattr__(self, name: str) -> Any:
        if not self._is_async:
            return getattr(self._runtime.sync_client, name)
        if name in ("handle", "list_runs"):
            return getattr(self._runtime.client, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            # Inside of the event loop, whose client this is.
            is_own = name in ("run", "submit", "run_batch", "validate")
            owner = self._runtime if is_own else self._runtime.client
            return await getattr(owner, name)(*arguments, **options)

        return call


@pytest.fixture(autouse=True)
def nothing_is_left() -> None:
    """Not asked here, since the server is the module's."""


@pytest.fixture(params=["sync", "async"])
def do(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Either kind of use."""
    driver = Driver(request.param)
    yield driver
    driver.close()


@pytest.fixture(scope="module")
def server() -> Iterator[SimpleNamespace]:
    """The server, past the proxy."""
    with BehindProxy.start(ALL_BUILTINS) as runtime:
        url = f"http://127.0.0.1:{runtime.port}"
        with FaultProxy(runtime.port) as proxy:
            runtime.proxy_url = proxy.url
            yield SimpleNamespace(port=runtime.port, url=url, runtime=runtime, proxy=proxy)


@pytest.fixture
def proxy(server: SimpleNamespace) -> FaultProxy:
    """The proxy, without a fault yet."""
    server.proxy.plan = lambda seen: Fault.NONE
    server.proxy.seen.clear()
    return server.proxy  # type: ignore[no-any-return]


@pytest.fixture
def proxied(do: Driver, server: SimpleNamespace, proxy: FaultProxy) -> InPlaceOfClient:
    """The runtime behind the proxy, with clients that have stored no flow yet."""
    if server.runtime._clients is not None:
        server.runtime._clients.close()
        server.runtime._clients = None
    return InPlaceOfClient(server.runtime, is_async=do.is_async)


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


@pytest.fixture(scope="module")
def ended(server: SimpleNamespace) -> dict[str, Any]:
    """What reads can be asked for."""
    with SyncStepflowClient(server.url) as client:
        for number in range(101):
            client.submit(ECHO, number)
        handle = client.submit(ECHO, 1)
        handle.result()
        ids = {"flow_id": client.store_flow(ECHO), "blob_id": client.put_blob(b"bytes")}
        return {**ids, "run_id": handle.id}


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize(
    "name", [name for name in CALLS if name not in (*CREATING, "handle.cancel")]
)
def test_a_safe_call_outlives_a_fault(
    do: Driver,
    server: SimpleNamespace,
    proxied: Any,
    proxy: FaultProxy,
    flow: dict[str, Any],
    ended: dict[str, Any],
    name: str,
    fault: Fault,
) -> None:
    def start() -> uuid.UUID:
        raise AssertionError("nothing is cancelled here")

    proxy.plan = once(fault)
    value = do(CALLS[name](proxied, Given(flow, start=start, **ended)))
    assert RIGHT.get(name, lambda value: value is not None)(value)
    assert len(proxy.seen) >= (1 if fault is Fault.SLOW else 2)
