"""`timeout=` and `headers=` of one call: every method has them, and every request carries them."""

from __future__ import annotations

import inspect
import math
import random
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from client.tests.calls import CALLS, FLOW_ID
from client.tests.support import ECHO, Driver
from stepflow_api.testing import MockServer, finished_run
from stepflow_client import (
    RetryPolicy,
    RunHandle,
    StepflowClient,
    SyncRunHandle,
    SyncStepflowClient,
    errors,
    options,
)
from tools.spec.server import StepflowServer

TENANT = {"x-tenant": "one"}


@pytest.mark.parametrize(
    "classes", [(StepflowClient, RunHandle), (SyncStepflowClient, SyncRunHandle)], ids=str
)
def test_every_method_has_both(classes: tuple[type, type]) -> None:
    found: set[str] = set()
    for cls, prefix in zip(classes, ("", "handle."), strict=True):
        for name in dir(cls):
            member = getattr(cls, name)
            if name.startswith("_") or name in ("close", "handle") or not callable(member):
                continue
            found.add(prefix + name)
            parameters = inspect.signature(member).parameters
            for option in ("timeout", "headers"):
                assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY, name
                assert parameters[option].default is None, name
    assert found == CALLS.keys()


def test_every_request_of_a_call_has_its_header_fields(do: Driver, server: StepflowServer) -> None:
    seen: list[tuple[str, str | None]] = []

    def record(request: httpx.Request) -> None:
        seen.append((request.url.path.removeprefix("/api/v1"), request.headers.get("x-tenant")))

    async def record_async(request: httpx.Request) -> None:
        record(request)

    http: Any = (
        httpx.AsyncClient(event_hooks={"request": [record_async]})
        if do.is_async
        else httpx.Client(event_hooks={"request": [record]})
    )
    client = do.client(server.url, http_client=http, server_version=None)
    do(client.run(ECHO, 1, headers=TENANT))
    # The version, the flow, the run, its end and its items.
    assert [path for path, _ in seen[:3]] == ["/health", "/flows", "/runs"]
    assert len(seen) >= 5
    flow_id = do(client.store_flow(ECHO, headers=TENANT))
    do(client.get_flow(flow_id, headers=TENANT))
    do(client.get_blob(do(client.put_blob(1, headers=TENANT)), headers=TENANT))
    handle = do(client.submit_batch(flow_id, [1, 2], headers=TENANT))
    do(handle.results(headers=TENANT, on_progress=lambda progress: None))
    do(handle.events(headers=TENANT))
    do(client.list_runs(headers=TENANT))
    assert {tenant for _, tenant in seen} == {"one"}
    seen.clear()
    do(handle.status())
    assert {tenant for _, tenant in seen} == {None}
    do(client.close())
    do(http.aclose() if do.is_async else http.close())


@pytest.mark.parametrize("name", CALLS)
def test_every_method_sends_its_header_fields(do: Driver, name: str) -> None:
    seen: list[str | None] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("x-tenant"))
        return httpx.Response(403)

    client = do.client("http://server", transport=httpx.MockTransport(refuse))
    with pytest.raises(errors.StepflowError):
        do(CALLS[name](client, headers=TENANT))
    assert set(seen) == {"one"}
    do(client.close())


@pytest.mark.parametrize("name", ["run", "submit", "run_batch", "submit_batch"])
def test_an_option_that_does_not_exist(do: Driver, name: str) -> None:
    client = do.client("http://server", transport=httpx.MockTransport(unreachable))
    with pytest.raises(TypeError, match=r"^unexpected .* 'tmeout'; .*Options lists"):
        do(CALLS[name](client, tmeout=3))
    do(client.close())


KINDS = {
    "run": options.RunOptions,
    "submit": options.SubmitOptions,
    "run_batch": options.RunBatchOptions,
    "submit_batch": options.SubmitBatchOptions,
}


@pytest.mark.parametrize("name", KINDS)
def test_an_option_of_another_method(do: Driver, name: str) -> None:
    client = do.client("http://server", transport=httpx.MockTransport(unreachable))
    every = {option for kind in KINDS.values() for option in kind.__annotations__}
    others = every - KINDS[name].__annotations__.keys()
    assert others or name == "run_batch"
    for other in [*others, "flow_id", "wait"]:
        with pytest.raises(TypeError, match=f"^unexpected .* '{other}'; .*Options lists"):
            do(CALLS[name](client, **{other: None}))
    do(client.close())


@pytest.mark.parametrize("key", [None, "a key"])
@pytest.mark.parametrize("name", KINDS)
def test_a_run_is_created_with_all_its_options(do: Driver, name: str, key: str | None) -> None:
    routes: dict[str, Any] = finished_run("done")
    flow = {"GET /flows/{flow_id}": {"flow": ECHO, "flowId": FLOW_ID}}
    server = MockServer({**routes, **flow})
    client = do.client("http://server", server_version="0.11.1", transport=server)

    def created(**given: Any) -> dict[str, Any]:
        server.requests.clear()
        do(CALLS[name](client, idempotency_key=key, **given))
        found = [one for one in server.requests if (one.method, one.path) == ("POST", "/runs")]
        body: dict[str, Any] = found[0].json()
        assert (len(found), body.pop("flowId"), body.pop("input")) == (1, FLOW_ID, [1])
        return body

    assert created() == {}
    kinds = {**KINDS[name].__annotations__}
    del kinds["idempotency_key"]
    assert created(**dict.fromkeys(kinds)) == {}
    overrides = {"step": {"input": {"a": None}}}
    expected: dict[str, Any] = {
        "overrides": {"steps": {"step": {"value": {"input": {"a": None}}}}},
        "variables": {"a": 0, "b": None},
    }
    if name.endswith("batch"):
        expected["maxConcurrency"] = 1
    given: dict[str, Any] = {"overrides": overrides, "variables": expected["variables"]}
    if name.endswith("batch"):
        given["max_concurrency"] = 1
    assert created(**given) == expected
    # Something that is empty was passed as well.
    assert created(variables={}) == {"variables": {}}
    do(client.close())


def test_a_run_is_not_created_again_without_a_request(do: Driver) -> None:
    server = MockServer({"POST /runs": errors.ConnectionLost})
    client = do.client("http://server", server_version="0.11.1", transport=server)
    for given in ({}, {"retry_create": False}, {"retry_create": None}, {"idempotency_key": None}):
        server.requests.clear()
        message = (
            rf"\. Look for a run of flow {FLOW_ID} created since 20[-\dT:]+\.\d{{3}}\+00:00 with"
        )
        with pytest.raises(errors.RunOutcomeUnknown, match=message):
            do(client.submit(FLOW_ID, 1, **given))
        assert len(server.requests) == 1
    do(client.close())


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down", request=request)


@pytest.mark.parametrize("name", CALLS)
def test_a_timeout_ends_the_retries_of_a_call(do: Driver, name: str) -> None:
    transport = httpx.MockTransport(unreachable)
    retry = RetryPolicy(max_retries=10**6, first_delay=0.001, last_delay=0.01)
    client = do.client("http://server", transport=transport, retry=retry)
    with pytest.raises(errors.Timeout, match=r"within timeout=0\.1 s; .*raise the timeout") as one:
        do(CALLS[name](client, timeout=0.1))
    waits = name in ("handle.result", "handle.results", "handle.events")
    assert ("was not seen to end" in str(one.value)) is waits
    with pytest.raises(errors.InvalidInput, match=r"^timeout is -1; pass seconds"):
        do(CALLS[name](client, timeout=-1))
    do(client.close())


@pytest.mark.parametrize("later", [errors.ConnectionFailed, 400, 404, 429, 503])
def test_an_earlier_attempt_may_have_created_the_run(do: Driver, later: Any) -> None:
    answers = iter([errors.ConnectionLost])
    server = MockServer({"POST /runs": lambda request: next(answers, later)})
    client = do.client("http://server", server_version="0.11.1", transport=server)
    with pytest.raises(errors.RunOutcomeUnknown, match="Look for a run"):
        do(client.submit(FLOW_ID, 1, retry_create=True))
    kind = errors.ConnectionFailed if later is errors.ConnectionFailed else errors.StatusError
    with pytest.raises((kind, errors.Unreachable)):
        do(client.submit(FLOW_ID, 1, retry_create=True))
    do(client.close())


def test_a_run_that_may_exist_when_its_time_is_over(do: Driver) -> None:
    server = MockServer({"POST /runs": errors.ConnectionLost})
    retry = RetryPolicy(max_retries=10**6, first_delay=0.001, last_delay=0.01)
    client = do.client("http://server", server_version="0.11.1", transport=server, retry=retry)
    with pytest.raises(errors.RunOutcomeUnknown, match=r"timeout=1 s.*; the last") as caught:
        do(client.submit(FLOW_ID, 1, retry_create=True, timeout=1))
    error = caught.value
    assert (error.method, error.url) == ("POST", "http://server/api/v1/runs")
    assert error.flow_id == FLOW_ID
    assert isinstance(error.__cause__, errors.Timeout)
    do(client.close())


def test_what_holds_for_a_client_without_options(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    timeouts: list[dict[str, float]] = []
    monkeypatch.setattr("stepflow_api._exchange.driver.time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(random, "random", lambda: 1.0)
    after: dict[str, str] = {}

    def busy(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(503, headers=after)

    transport = httpx.MockTransport(busy)
    # With it, no request for the version precedes.
    with SyncStepflowClient("http://h", server_version="0.11.1", transport=transport) as client:
        with pytest.raises(errors.ServerError):
            client.health()
        assert pauses == [0.1, 0.2, 0.4, 0.8]
        assert timeouts[-1].pop("connect") == 5
        assert all(50 < seconds <= 60 for seconds in timeouts[-1].values())
        pauses.clear()
        after["retry-after"] = "999"
        with pytest.raises(errors.ServerError):
            client.health()
        assert pauses == [60] * 4


@pytest.mark.parametrize("timeout", [10**400, 1e300, math.inf])
def test_a_timeout_beyond_what_the_system_can_wait_is_none(do: Driver, timeout: Any) -> None:
    server: Any = MockServer(finished_run("done"))
    client = do.client("http://server", transport=server, timeout=timeout)
    assert do(client.run(ECHO, 1, timeout=timeout)).output == "done"
    do(client.close())


@pytest.mark.parametrize("name", CALLS)
def test_header_fields_that_cannot_be_sent(do: Driver, name: str) -> None:
    client = do.client("http://server", transport=httpx.MockTransport(unreachable))
    with pytest.raises(errors.InvalidRequest, match=r"^headers cannot be sent: .*line break"):
        do(CALLS[name](client, headers={"x-tenant": "one\n"}))
    do(client.close())
