"""The client's tests of faults, with a runtime in the client's place.

Left out are those whose client has a transport or a timeout of its own, where a runtime's clients
have the runtime's, those that create a run again on request, which no executor offers, and those of
a server that ends, which test_crashes.py has.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.tests import test_fault_matrix, test_faults
from client.tests.fault_proxy import LOSING, Fault, FaultProxy, once
from client.tests.support import AT_ONCE, Driver, release
from client.tests.test_fault_matrix import (
    CALLS,
    CREATING,
    RIGHT,
    Faulty,
    Given,
    direct,
    ended,
    faulty,
    given,
)
from client.tests.test_faults import (
    PASSING,
    flow,
    test_a_cut_while_cancelling_does_not_surface,
    test_a_cut_while_waiting_does_not_surface,
    test_a_deadline_holds_while_the_server_is_away,
    test_a_request_that_was_cut_off_creates_nothing,
    test_a_stored_flow_is_not_sent_again,
    test_a_wait_without_a_deadline_gives_up_a_server_that_stays_away,
    test_creating_is_sent_again_when_the_server_refuses_it,
)
from runtime.tests.support import binary_with, leaving_nothing
from stepflow_client import RetryPolicy, SyncStepflowClient
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime

__all__ = [
    "direct",
    "ended",
    "faulty",
    "flow",
    "given",
    "test_a_cut_while_cancelling_does_not_surface",
    "test_a_cut_while_waiting_does_not_surface",
    "test_a_deadline_holds_while_the_server_is_away",
    "test_a_request_that_was_cut_off_creates_nothing",
    "test_a_stored_flow_is_not_sent_again",
    "test_a_wait_without_a_deadline_gives_up_a_server_that_stays_away",
    "test_creating_is_sent_again_when_the_server_refuses_it",
]


class InPlaceOfClient:
    """The methods of a client: the runtime's own, and those of its client for the rest."""

    def __init__(self, runtime: StepflowRuntime, *, is_async: bool) -> None:
        self._runtime = runtime
        self._is_async = is_async

    def close(self) -> None:
        """Leave the runtime's clients to the next test."""

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


class InPlaceOfDriver(Driver):
    """Return a runtime in place of a client for the client's tests."""

    def __init__(self, kind: str, runtime: StepflowRuntime) -> None:
        super().__init__(kind)
        self._runtime = runtime

    def client(self, url: str | list[str] | None, **options: Any) -> Any:
        """Makes no client: the runtime has its own, with the default options."""
        assert options in ({}, {"timeout": 30}), options
        return InPlaceOfClient(self._runtime, is_async=self.is_async)


@pytest.fixture(autouse=True)
def retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the client's tests have it; a runtime has no option for it."""
    delay = RetryPolicy.delay
    monkeypatch.setattr(
        RetryPolicy, "delay", lambda policy, failures, error: delay(AT_ONCE, failures, error)
    )


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """The module leaves no process or thread of the runtime behind."""
    with leaving_nothing():
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A runtime whose clients reach its server through a proxy; the rest is past the proxy.

    The server is the real one, behind a filter that has it announce the proxy's port.
    """
    folder = tmp_path_factory.mktemp("server")
    announced = folder / "announced.json"

    def port() -> int:
        return int(json.loads(announced.read_text(encoding="utf-8"))["port"])

    with FaultProxy(port) as proxy:
        line = json.dumps({"port": int(proxy.url.rpartition(":")[2])})
        binary = binary_with(
            folder / "stepflow-server",
            f"""sed -u -e '/^{{"port":/w {announced}' -e 's/^{{"port":.*/{line}/'""",
        )
        with StepflowRuntime.start(ALL_BUILTINS, binary=binary) as runtime:
            assert runtime.url == proxy.url
            url = f"http://127.0.0.1:{port()}"
            yield SimpleNamespace(port=port(), url=url, runtime=runtime, proxy=proxy)


@pytest.fixture(params=["sync", "async"])
def do(request: pytest.FixtureRequest, server: SimpleNamespace) -> Iterator[Driver]:
    """Either kind of use."""
    driver = InPlaceOfDriver(request.param, server.runtime)
    yield driver
    driver.close()


@pytest.fixture
def proxy(server: SimpleNamespace) -> Iterator[FaultProxy]:
    """The proxy, without a fault yet."""
    proxy: FaultProxy = server.proxy
    # It has seen the requests of the start and of earlier tests.
    proxy.seen.clear()
    yield proxy
    proxy.plan = lambda seen: Fault.NONE


@pytest.fixture
def library() -> None:
    """Requests go over the runtime's own connections."""


@pytest.fixture
def proxied(do: Driver, proxy: FaultProxy) -> Any:
    """The runtime behind the proxy."""
    return do.client(proxy.url)


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


@pytest.mark.parametrize("fault", [fault for fault in LOSING if fault is not Fault.HALF_OPEN])
def test_a_lost_answer_to_creating_is_told_and_not_sent_again(
    do: Driver, server: Any, proxy: FaultProxy, flow: dict[str, Any], fault: Fault
) -> None:
    test_faults.test_a_lost_answer_to_creating_is_told_and_not_sent_again(
        do, server, proxy, flow, fault
    )


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("name", CREATING)
def test_a_fault_at_any_request_of_creating_is_outlived_or_told(
    do: Driver,
    direct: SyncStepflowClient,
    proxy: FaultProxy,
    faulty: Faulty,
    given: Callable[[], Given],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fault: Fault,
    lasting: bool,
) -> None:
    test_fault_matrix.test_a_fault_at_any_request_is_outlived_or_told(
        do, direct, proxy, faulty, given, monkeypatch, name, fault, lasting
    )
