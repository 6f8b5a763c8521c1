"""A key with which a call creates one run, whatever becomes of the responses."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.tests.commands import Command
from client.tests.fault_proxy import LOSING, Fault, FaultProxy, Seen, once
from client.tests.support import ECHO, Driver
from stepflow_api.testing import MockServer, finished_run
from stepflow_client import RetryPolicy, SyncStepflowClient, errors
from tools.spec.server import StepflowServer

NO_DIAGNOSTICS = {"diagnostics": [], "numFatal": 0, "numError": 0, "numWarning": 0}

BY_METHOD: dict[str, Callable[[Any, Any, str], Any]] = {
    "run": lambda client, flow, key: client.run(flow, {"a": 1}, idempotency_key=key),
    "submit": lambda client, flow, key: client.submit(flow, {"a": 1}, idempotency_key=key),
    "run_batch": lambda client, flow, key: client.run_batch(flow, [1, 2], idempotency_key=key),
    "submit_batch": lambda client, flow, key: client.submit_batch(
        flow, [1, 2], idempotency_key=key
    ),
}


@pytest.fixture
def key() -> str:
    return f"order {uuid.uuid4()} / 1 & ü"


def runs_of(server: StepflowServer, key: str) -> list[uuid.UUID]:
    """Return the runs of a key, which the server is asked for past any proxy."""
    with SyncStepflowClient(server.url) as client:
        return [run.run_id for run in client.list_runs() if key in (run.flow_name or "")]


@pytest.mark.parametrize("method", BY_METHOD)
def test_the_same_call_with_the_same_key_is_the_same_run(
    do: Driver, server: StepflowServer, client: Any, key: str, method: str
) -> None:
    first = do(BY_METHOD[method](client, ECHO, key))
    other = do.client(server.url)
    again = do(BY_METHOD[method](other, dict(reversed(ECHO.items())), key))
    if method.startswith("submit"):
        assert again.id == first.id
    elif method == "run":
        assert again.output == first.output == {"a": 1}
    else:
        assert [item.output for item in again] == [1, 2]
    assert len(runs_of(server, key)) == 1
    do(other.close())


def test_a_call_is_the_same_with_its_members_in_another_order(
    do: Driver, client: Any, key: str
) -> None:
    # The longest key.
    one, other = (
        do(client.submit(ECHO, input, idempotency_key=key.ljust(200, "x")))
        for input in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    assert one.id == other.id


def test_a_flow_keeps_its_metadata_with_a_key(do: Driver, client: Any, key: str) -> None:
    flow = {**ECHO, "metadata": {"team": "x"}}
    handle = do(client.submit(flow, 1, idempotency_key=key))
    stored = do(client.get_flow(do(handle.status()).flow_id))
    assert (stored.name, stored.metadata["team"]) == (f"{ECHO['name']} [{key}]", "x")
    assert stored.output == ECHO["output"]


def test_keys_that_begin_alike_are_others(
    do: Driver, server: StepflowServer, client: Any, key: str
) -> None:
    ids = {do(client.submit(ECHO, 1, idempotency_key=one)).id for one in (key, key + "1", key * 2)}
    assert len(ids) == 3


def test_a_flow_without_a_name_has_keys_too(
    do: Driver, server: StepflowServer, client: Any, key: str
) -> None:
    flow = {name: value for name, value in ECHO.items() if name != "name"}
    flow_id = do(client.store_flow(flow))
    ids = {do(client.submit(flow_id, 1, idempotency_key=key)).id for _ in range(2)}
    assert ids == set(runs_of(server, key))


@pytest.mark.parametrize(
    ("flow", "input", "options"),
    [
        (ECHO, 2, {}),
        (ECHO, 1, {"variables": {"a": 1}}),
        ({**ECHO, "description": "another"}, 1, {}),
    ],
    ids=["input", "variables", "flow"],
)
def test_a_key_of_another_call_is_refused(
    do: Driver,
    server: StepflowServer,
    client: Any,
    key: str,
    flow: Any,
    input: Any,
    options: dict[str, Any],
) -> None:
    run_id = do(client.submit(ECHO, 1, idempotency_key=key)).id
    with pytest.raises(errors.InvalidInput, match=f"was used for run {run_id}, which has another"):
        do(client.submit(flow, input, idempotency_key=key, **options))
    assert runs_of(server, key) == [run_id]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"idempotency_key": ""}, "idempotency_key is ''; pass a text of 1 to 200 characters"),
        ({"idempotency_key": 7}, "idempotency_key is 7; pass a text"),
        ({"idempotency_key": "k" * 201}, "pass a text of 1 to 200 characters"),
        ({"idempotency_key": "k", "retry_create": True}, "may run the flow twice.*; pass one"),
    ],
    ids=["empty", "number", "long", "retry_create"],
)
def test_bad_keys(do: Driver, client: Any, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(errors.InvalidInput, match=problem):
        do(client.submit(ECHO, 1, **options))


@pytest.mark.parametrize("fault", [*LOSING, Fault.RESET_BEFORE, Fault.RESET_DURING])
def test_a_lost_response_does_not_surface(
    do: Driver, server: StepflowServer, proxy: FaultProxy, key: str, fault: Fault
) -> None:
    client = do.client(proxy.url, timeout=2 if fault is Fault.HALF_OPEN else 30)
    proxy.plan = once(fault, lambda seen: seen.creates_run)
    assert do(client.run(ECHO, 1, idempotency_key=key)).output == 1
    assert len(runs_of(server, key)) == 1
    do(client.close())


def test_a_key_costs_two_requests(do: Driver, proxied: Any, proxy: FaultProxy, key: str) -> None:
    do(proxied.run(ECHO, 1))
    proxy.seen.clear()
    do(proxied.run(ECHO, 1))
    without = len(proxy.seen)
    proxy.seen.clear()
    do(proxied.run(ECHO, 1, idempotency_key=key))
    assert len(proxy.seen) == without + 2


def test_a_server_that_is_gone_leaves_the_key_to_the_next_call(
    do: Driver, server: StepflowServer, proxy: FaultProxy, key: str
) -> None:
    client = do.client(proxy.url)

    def plan(seen: Seen) -> Fault:
        is_lost = any(one.creates_run for one in [*proxy.seen, seen])
        return Fault.CUT_WAITING if is_lost else Fault.NONE

    proxy.plan = plan
    with pytest.raises(errors.RunOutcomeUnknown, match="again with the same idempotency_key"):
        do(client.run(ECHO, 1, idempotency_key=key, timeout=2))
    proxy.plan = lambda seen: Fault.NONE
    assert do(client.run(ECHO, 1, idempotency_key=key)).output == 1
    assert len(runs_of(server, key)) == 1
    do(client.close())


def test_another_call_with_the_key_while_the_response_is_lost(
    do: Driver, server: StepflowServer, proxied: Any, proxy: FaultProxy, key: str
) -> None:
    created: list[Seen] = []

    def plan(seen: Seen) -> Fault:
        if created or not seen.creates_run:
            return Fault.NONE
        created.append(seen)
        with SyncStepflowClient(server.url) as client:
            client.submit(ECHO, 2, idempotency_key=key)
        return Fault.RESET_BEFORE

    proxy.plan = plan
    with pytest.raises(errors.InvalidInput, match="was used for run"):
        do(proxied.run(ECHO, 1, idempotency_key=key))


def test_the_search_for_a_run_outlasts_the_retries(
    do: Driver, server: StepflowServer, proxy: FaultProxy, key: str
) -> None:
    client = do.client(proxy.url, retry=RetryPolicy(max_retries=0))
    faults: list[Fault] = []

    def plan(seen: Seen) -> Fault:
        if not faults and seen.creates_run:
            faults.extend([Fault.BUSY] * 3)
            return Fault.CUT_WAITING
        return faults.pop() if len(faults) > 1 else Fault.NONE

    proxy.plan = plan
    assert do(client.run(ECHO, 1, idempotency_key=key)).output == 1
    assert len(runs_of(server, key)) == 1
    do(client.close())


def test_a_restart_keeps_the_key(do: Driver, lasting_server: StepflowServer, key: str) -> None:
    client = do.client(lasting_server.url)
    first = do(client.submit(ECHO, 1, idempotency_key=key))
    lasting_server.restart()
    assert do(client.submit(ECHO, 1, idempotency_key=key)).id == first.id
    do(client.close())


def test_a_restart_that_forgets_the_flow_creates_the_run(do: Driver, binary: str, key: str) -> None:
    """The server has no storage, and restarts between the flow and the run."""
    with StepflowServer(binary) as server:
        restarted: list[Seen] = []

        def plan(seen: Seen) -> Fault:
            if seen.creates_run and not restarted:
                restarted.append(seen)
                server.restart()
            return Fault.NONE

        with FaultProxy(lambda: server.port, plan) as proxy:
            client = do.client(proxy.url)
            assert do(client.run(ECHO, 1, idempotency_key=key)).output == 1
            do(client.close())
        assert len(runs_of(server, key)) == 1


def test_the_command_takes_a_key(
    server: StepflowServer,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    command = Command(capfd)
    flow = tmp_path / "flow.json"
    flow.write_text(json.dumps(ECHO), encoding="utf-8")
    ids = {command("submit", str(flow), "--input", "1", "--idempotency-key", key) for _ in range(2)}
    assert ids == {f"{run_id}\n" for run_id in runs_of(server, key)}
    assert "--idempotency-key is ''; pass" in command(
        "run", str(flow), "--input", "1", "--idempotency-key", "", code=2
    )


def test_a_flow_of_the_same_name_is_not_one_with_the_key(do: Driver, client: Any, key: str) -> None:
    do(client.run({**ECHO, "name": f"{ECHO['name']} [{key}]"}, 1))
    with pytest.raises(errors.InvalidInput, match=r"was used for run .*, which has another flow"):
        do(client.submit(ECHO, 1, idempotency_key=key))


def test_of_two_runs_the_older_one_counts(do: Driver, key: str) -> None:
    """As two calls leave them that were made at the same moment."""
    name = f"echo [{key}]"
    summary: Any = finished_run(1)["GET /runs/{run_id}"]
    runs = [
        {**summary, "runId": str(uuid.UUID(int=number)), "flowName": flow_name}
        for number, flow_name in ((2, name), (1, name), (3, f"{name}2"))
    ]
    stored: list[Any] = []

    def store(request: Any) -> Any:
        stored.append(request.json()["flow"])
        return {"flowId": "f", "stored": True, "diagnostics": NO_DIAGNOSTICS}

    server = MockServer(
        {
            "GET /runs": lambda request: {
                "runs": runs[: int(request.query["limit"])] if stored else []
            },
            "POST /flows": store,
            "POST /runs": {**runs[0], "runId": str(uuid.UUID(int=9))},
            "GET /flows/{flow_id}": lambda request: {"flow": stored[0], "flowId": "f"},
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    flow = {**ECHO, "name": "echo"}
    ids = [do(client.submit(flow, 1, idempotency_key=key)).id for _ in range(2)]
    assert ids == [uuid.UUID(int=9), uuid.UUID(int=1)]
    # In each process and version, or the same call would be refused there.
    digest = "d9280f6d530267ea0d2b9754cf8e85f01d66579335af498fc530a711edcacc8b"
    assert stored[0]["metadata"] == {"stepflowClient": {"key": key, "call": digest}}
    do(client.close())


def test_a_server_that_forgets_each_flow_is_asked_twice(do: Driver, key: str) -> None:
    server = MockServer(
        {
            "GET /runs": {"runs": []},
            "POST /flows": {"flowId": "f", "stored": True, "diagnostics": NO_DIAGNOSTICS},
            "POST /runs": 404,
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    with pytest.raises(errors.NotFound):
        do(client.submit(ECHO, 1, idempotency_key=key, timeout=20))
    assert [request.path for request in server.requests if request.method == "POST"] == [
        "/flows",
        "/runs",
    ] * 2
    do(client.close())


def test_a_run_that_the_server_creates_late_is_found(do: Driver, key: str) -> None:
    summary: Any = finished_run(1)["GET /runs/{run_id}"]
    flows: list[Any] = []

    def runs(request: Any) -> Any:
        # Before the call, and twice after its response was lost, there is none.
        lists = [one for one in server.requests if (one.method, one.path) == ("GET", "/runs")]
        return {"runs": [{**summary, "flowName": f"late [{key}]"}] if len(lists) > 3 else []}

    def store(request: Any) -> Any:
        flows.append(request.json()["flow"])
        return {"flowId": "f", "stored": True, "diagnostics": NO_DIAGNOSTICS}

    server = MockServer(
        {
            "GET /runs": runs,
            "POST /flows": store,
            "POST /runs": errors.ConnectionLost,
            "GET /flows/{flow_id}": lambda request: {"flow": flows[0], "flowId": "f"},
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    do(client.submit({**ECHO, "name": "late"}, 1, idempotency_key=key))
    assert [one.path for one in server.requests if one.method == "POST"] == ["/flows", "/runs"]
    do(client.close())


def server_of(runs: Any, create: Any) -> MockServer:
    """Return a server that lists runs and creates them in these ways."""
    stored = {"flowId": "f", "stored": True, "diagnostics": NO_DIAGNOSTICS}
    return MockServer({"GET /runs": runs, "POST /flows": stored, "POST /runs": create})


@pytest.mark.parametrize("late", [False, True])
def test_a_deadline_ends_the_search_for_a_run(
    do: Driver, key: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(passed))
    monkeypatch.setattr("stepflow_client._requests.deadline.time", clock)

    def runs(request: Any) -> Any:
        passed.append(100)
        return {"runs": []}

    def create(request: Any) -> type[errors.ConnectionLost]:
        passed.append(900 if late else 0)
        return errors.ConnectionLost

    server = server_of(runs, create)
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    with pytest.raises(errors.RunOutcomeUnknown, match="again with the same idempotency_key"):
        do(client.submit(ECHO, 1, idempotency_key=key, timeout=450))
    # One before the run was created, and then one for each delay.
    asked = [request.method for request in server.requests].count("GET")
    assert asked == 1 if late else 1 < asked < 10
    do(client.close())


@pytest.mark.parametrize("timeout", [None, 10_000])
def test_a_server_that_loses_each_response_is_given_up(
    do: Driver, key: str, timeout: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("stepflow_client._core.once.time", clock)
    created: list[float] = []

    def runs(request: Any) -> Any:
        nonlocal now
        now += 10
        return {"runs": []}

    def create(request: Any) -> type[errors.ConnectionLost]:
        created.append(now)
        assert len(created) < 100
        return errors.ConnectionLost

    server = server_of(runs, create)
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    monkeypatch.setattr("stepflow_client._core.once.FIRST_DELAY", 0.0)
    with pytest.raises(errors.RunOutcomeUnknown, match="again with the same idempotency_key"):
        do(client.submit(ECHO, 1, idempotency_key=key, timeout=timeout))
    # Five minutes after the first, whatever the deadline.
    assert created[-1] - created[0] == 300
    do(client.close())
