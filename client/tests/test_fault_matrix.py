"""Every method meets every fault, at each of the requests that it sends."""

from __future__ import annotations

import inspect
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.tests.fault_proxy import OF_STREAMS, Fault, FaultProxy, Seen
from client.tests.support import ECHO, READ_FILE, Driver, release, wait_until
from stepflow_api.models import ExecutionStatus
from stepflow_client import StepflowClient, SyncStepflowClient, errors
from stepflow_client.handle import RunHandle
from tools.pytest.httpx_libraries import LIBRARIES, client_class
from tools.spec.server import StepflowServer


@dataclass
class Given:
    """What a call is made with.

    Attributes:
        flow: A flow that no other call has used.
        flow_id: A stored flow.
        blob_id: A stored blob.
        run_id: A run that has ended.
        start: Starts a run that does not end on its own, and returns its id.
    """

    flow: dict[str, Any]
    flow_id: str
    blob_id: str
    run_id: uuid.UUID
    start: Callable[[], uuid.UUID]


CALLS: dict[str, Callable[[Any, Given], Any]] = {
    "run": lambda client, given: client.run(given.flow, 7),
    "submit": lambda client, given: client.submit(given.flow, 7),
    "run_batch": lambda client, given: client.run_batch(given.flow, [7, 8]),
    "run_batch watched": lambda client, given: client.run_batch(
        given.flow, [7, 8], on_progress=lambda progress: None
    ),
    "submit_batch": lambda client, given: client.submit_batch(given.flow, [7, 8]),
    "validate": lambda client, given: client.validate(given.flow),
    "validate by id": lambda client, given: client.validate(given.flow_id),
    "store_flow": lambda client, given: client.store_flow(given.flow),
    "get_flow": lambda client, given: client.get_flow(given.flow_id),
    "get_variables": lambda client, given: client.get_variables(given.flow_id),
    "list_runs": lambda client, given: client.list_runs(limit=101),
    "list_components": lambda client, given: client.list_components(),
    "put_blob bytes": lambda client, given: client.put_blob(b"bytes"),
    "put_blob json": lambda client, given: client.put_blob({"a": 1}),
    "get_blob": lambda client, given: client.get_blob(given.blob_id),
    "health": lambda client, given: client.health(),
    "server_version": lambda client, given: client.server_version(),
    "handle.result": lambda client, given: client.handle(given.run_id).result(),
    "handle.results": lambda client, given: client.handle(given.run_id).results(),
    "handle.status": lambda client, given: client.handle(given.run_id).status(),
    "handle.items": lambda client, given: client.handle(given.run_id).items(),
    "handle.steps": lambda client, given: client.handle(given.run_id).steps(),
    "handle.cancel": lambda client, given: client.handle(given.start()).cancel(),
}

CREATING = ("run", "submit", "run_batch", "run_batch watched", "submit_batch")

#: What shows that a call did what it says.
RIGHT: dict[str, Callable[[Any], bool]] = {
    "run": lambda value: value.output == 7,
    "run_batch": lambda value: [result.output for result in value] == [7, 8],
    "run_batch watched": lambda value: [result.output for result in value] == [7, 8],
    "list_runs": lambda value: len(value) == 101,
    "get_blob": lambda value: value == b"bytes",
    "handle.result": lambda value: value.output == 1,
    "handle.results": lambda value: [result.output for result in value] == [1],
    "handle.items": lambda value: [item.result.output for item in value] == [1],
    "handle.cancel": lambda value: value.status is ExecutionStatus.CANCELLED,
}

FAULTS = [fault for fault in Fault if fault not in (Fault.NONE, *OF_STREAMS)]


@pytest.fixture(scope="module")
def direct(server: StepflowServer) -> Iterator[SyncStepflowClient]:
    """A client past the proxy."""
    with SyncStepflowClient(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def ended(direct: SyncStepflowClient) -> dict[str, Any]:
    """What reads can be asked for."""
    for number in range(101):
        direct.submit(ECHO, number)
    handle = direct.submit(ECHO, 1)
    handle.result()
    return {
        "flow_id": direct.store_flow(ECHO),
        "blob_id": direct.put_blob(b"bytes"),
        "run_id": handle.id,
    }


@pytest.fixture
def given(
    direct: SyncStepflowClient, ended: dict[str, Any], fifo: Callable[[], Path]
) -> Iterator[Callable[[], Given]]:
    """Makes what one call is made with."""
    paths: list[Path] = []

    def start() -> uuid.UUID:
        paths.append(fifo())
        return direct.submit(READ_FILE, {"path": str(paths[-1])}).id

    def make() -> Given:
        # A step that is blocked keeps one of the server's threads.
        for path in paths:
            wait_until(partial(release, path), "the step reads the file")
        paths.clear()
        return Given({**ECHO, "name": f"echo-{uuid.uuid4()}"}, start=start, **ended)

    yield make
    make()


class Faulty:
    """A client behind a proxy that fails at one of its requests, or from that one on.

    Args:
        do: Makes the client.
        proxy: Fails.
        fault: How.
        lasting: Whether all further requests fail as well.
        library: What requests go through, httpx or httpx2; None for connections of the SDK's own.
    """

    def __init__(
        self, do: Driver, proxy: FaultProxy, fault: Fault, *, lasting: bool, library: Any
    ) -> None:
        self._proxy = proxy
        self._fault = fault
        self._lasting = lasting
        self._first = 0
        options: dict[str, Any] = {}
        self.given: Any = None
        if fault is Fault.HALF_OPEN:
            self.given = impatient(library or httpx, self, is_async=do.is_async)
            options["transport"] = self.given
        elif fault is Fault.REFUSED:
            # Only a new connection can be refused.
            options["limits"] = (library or httpx).Limits(max_keepalive_connections=0)
        elif library is not None:
            # Without TLS: to load the certificates takes longer than the test.
            self.given = client_class(library, is_async=do.is_async)(verify=False)
            options["http_client"] = self.given
        self.client = do.client(proxy.url, **options)

    def plan(self, number: int) -> None:
        """Plans the fault for the request before which the client sends so many more."""
        self._first = len(self._proxy.seen) + number
        self._proxy.plan = self._next
        self._proxy.admit()
        if number == 0:
            self._refuse()

    def fails(self, number: int) -> bool:
        """Whether the fault happens to the request with this number."""
        return number >= self._first if self._lasting else number == self._first

    def before_next_try(self, record: logging.LogRecord) -> bool:
        """Lets connections in again, since the client says that it will try again."""
        if not self._lasting and "sending it again" in record.getMessage():
            self._proxy.admit()
        return True

    def shorten(self, request: Any) -> None:
        """Shorten the client's wait for a response that never arrives."""
        if self.fails(len(self._proxy.seen)):
            request.extensions["timeout"]["read"] = 0.05

    def _next(self, seen: Seen) -> Fault:
        if seen.number == self._first - 1:
            self._refuse()
        return self._fault if self.fails(seen.number) else Fault.NONE

    def _refuse(self) -> None:
        if self._fault is Fault.REFUSED:
            self._proxy.refuse()


def impatient(library: Any, faulty: Faulty, *, is_async: bool) -> Any:
    """Return a transport that notifies `Faulty` of each request."""
    base = library.AsyncHTTPTransport if is_async else library.HTTPTransport
    name = "handle_async_request" if is_async else "handle_request"

    def handle(self: Any, request: Any) -> Any:
        faulty.shorten(request)
        return getattr(base, name)(self, request)

    # Without TLS: to load the certificates takes longer than the test.
    return type("Impatient", (base,), {name: handle})(verify=False)


@pytest.fixture
def faulty(
    do: Driver,
    proxy: FaultProxy,
    fault: Fault,
    lasting: bool,
    library: Any,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Faulty]:
    """A client that meets a fault."""
    made = Faulty(do, proxy, fault, lasting=lasting, library=library)
    logger = logging.getLogger("stepflow_client")
    caplog.set_level(logging.INFO, logger=logger.name)
    logger.addFilter(made.before_next_try)
    yield made
    logger.removeFilter(made.before_next_try)
    do(made.client.close())
    if made.given is not None:
        do(made.given.aclose() if do.is_async else made.given.close())


def documented(name: str) -> tuple[type[Exception], ...]:
    """Return the errors that the docstrings of a method and its class name."""
    method = name.partition(" ")[0]
    owner: Any = StepflowClient
    if method.startswith("handle."):
        owner, method = RunHandle, method.removeprefix("handle.")
    of_all = re.search(r"^Methods raise ([^.]*)\.", inspect.getdoc(owner) or "", re.M)
    assert of_all is not None
    raises = (inspect.getdoc(getattr(owner, method)) or "").partition("Raises:\n")[2]
    names = re.findall(r"`(\w+)`", of_all[1]) + re.findall(r"^ {4}(\w+): ", raises, re.M)
    return tuple(getattr(errors, name) for name in names)


# Through a library, a fault that lasts is no other than on own connections.
@pytest.mark.parametrize(
    ("lasting", "library"),
    [(False, None), (True, None), *((False, library) for library in LIBRARIES)],
    ids=["once", "lasting", *(library.__name__ for library in LIBRARIES)],
)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("name", CALLS)
def test_a_fault_at_any_request_is_outlived_or_told(
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
    if lasting:
        # Rather than for five minutes.
        monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.05)
    for number in range(10):
        one = given()
        first = len(proxy.seen)
        faulty.plan(number)
        error: errors.StepflowError | None = None
        try:
            value = do(CALLS[name](faulty.client, one))
        except errors.StepflowError as caught:
            error = caught
        else:
            assert RIGHT.get(name, lambda value: value is not None)(value)
        created = list(direct.list_runs(flow_name=one.flow["name"]))
        assert len(created) <= (name in CREATING)
        if error is None and len(proxy.seen) <= first + number:
            # There is no such request, so that the fault did not come.
            assert number > 0
            return
        at_creating = name in CREATING and (
            fault is not Fault.REFUSED and proxy.seen[first + number].creates_run
        )
        if fault is Fault.SLOW:
            assert error is None
        elif at_creating and fault is not Fault.BUSY:
            assert isinstance(error, errors.RunOutcomeUnknown)
            assert "Look for a run of flow" in str(error)
        else:
            assert (error is not None) == lasting
        if error is not None:
            assert isinstance(error, documented(name))
            assert "\n" not in str(error)
            assert proxy.url in str(error)
    pytest.fail("the fault comes for ever")
