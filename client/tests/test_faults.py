"""Runs through a proxy that fails: none is created twice, none whose id is known is lost."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.tests.fault_proxy import LOSING, OF_STREAMS, Fault, FaultProxy, Seen, once
from client.tests.support import AT_ONCE, ECHO, READ_FILE, Driver, release, wait_until
from stepflow_api.models import ExecutionStatus
from stepflow_client import RetryPolicy, SyncStepflowClient, errors
from tools.spec.server import StepflowServer

#: Faults after which sending again leads to an answer.
PASSING = [
    fault
    for fault in Fault
    if fault not in (Fault.NONE, Fault.REFUSED, Fault.HALF_OPEN, *OF_STREAMS)
]


def ids_of(server: StepflowServer, name: str) -> list[uuid.UUID]:
    """Asks the server, past the proxy, for the runs of flows with this name."""
    with SyncStepflowClient(server.url) as client:
        return [run.run_id for run in client.list_runs(flow_name=name)]


@pytest.fixture
def flow() -> dict[str, Any]:
    """A flow that no other test uses."""
    return {**ECHO, "name": f"echo-{uuid.uuid4()}"}


def test_a_safe_call_gives_up_in_the_end(do: Driver, proxied: Any, proxy: FaultProxy) -> None:
    proxy.plan = lambda seen: Fault.RESET_BEFORE
    with pytest.raises(errors.Unreachable, match="tried 5 times: the connection was cut") as caught:
        do(proxied.health())
    assert caught.value.attempts == 5
    assert len(proxy.seen) == 5


def test_no_server_is_unreachable(do: Driver, server: StepflowServer) -> None:
    with FaultProxy(server.port) as proxy:
        url = proxy.url
    client = do.client(url)
    for call, *arguments in ((client.run, ECHO, 1), (client.run, "0" * 64, 1), (client.health,)):
        with pytest.raises(errors.Unreachable, match="tried 5 times: no connection") as caught:
            do(call(*arguments))
        assert "\n" not in str(caught.value)
    do(client.close())


@pytest.mark.parametrize("fault", LOSING)
def test_a_lost_answer_to_creating_is_told_and_not_sent_again(
    do: Driver, server: StepflowServer, proxy: FaultProxy, flow: dict[str, Any], fault: Fault
) -> None:
    client = do.client(proxy.url, timeout=2 if fault is Fault.HALF_OPEN else 30)
    flow_id = do(client.store_flow(flow))
    proxy.plan = once(fault, lambda seen: seen.creates_run)
    with pytest.raises(errors.RunOutcomeUnknown, match="Look for a run of flow") as caught:
        do(client.run(flow, 1))
    assert caught.value.flow_id == flow_id
    # A response with an error has its own place in it.
    assert str(caught.value).count(proxy.url) == (2 if fault is Fault.BAD_GATEWAY else 1)
    assert sum(seen.creates_run for seen in proxy.seen) == 1
    wait_until(lambda: len(ids_of(server, flow["name"])) == 1, "the run is there, once")
    # What the error says is enough to find it.
    found = [
        run
        for run in do(client.list_runs(flow_name=flow["name"]))
        if run.flow_id == flow_id and run.created_at >= caught.value.since
    ]
    assert len(found) == 1
    do(client.close())


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.RESET_DURING])
def test_a_request_that_was_cut_off_creates_nothing(
    do: Driver,
    server: StepflowServer,
    proxied: Any,
    proxy: FaultProxy,
    flow: dict[str, Any],
    fault: Fault,
) -> None:
    do(proxied.store_flow(flow))
    proxy.plan = once(fault, lambda seen: seen.creates_run)
    # From here it cannot be told from a request that arrived.
    with pytest.raises(errors.RunOutcomeUnknown):
        do(proxied.run(flow, 1))
    assert sum(seen.creates_run for seen in proxy.seen) == 1
    assert ids_of(server, flow["name"]) == []


def test_creating_is_sent_again_when_the_server_refuses_it(
    do: Driver, server: StepflowServer, proxied: Any, proxy: FaultProxy, flow: dict[str, Any]
) -> None:
    proxy.plan = once(Fault.BUSY, lambda seen: seen.creates_run)
    assert do(proxied.run(flow, 1)).output == 1
    assert sum(seen.creates_run for seen in proxy.seen) == 2
    assert len(ids_of(server, flow["name"])) == 1


@pytest.mark.parametrize("fault", [fault for fault in LOSING if fault is not Fault.HALF_OPEN])
def test_creating_is_sent_again_on_request(
    do: Driver,
    server: StepflowServer,
    proxied: Any,
    proxy: FaultProxy,
    flow: dict[str, Any],
    fault: Fault,
) -> None:
    proxy.plan = once(fault, lambda seen: seen.creates_run)
    assert do(proxied.run(flow, 1, retry_create=True)).output == 1
    wait_until(lambda: len(ids_of(server, flow["name"])) == 2, "both runs are there")


def test_creating_on_request_that_fails_to_the_end_is_unknown(
    do: Driver, proxied: Any, proxy: FaultProxy, flow: dict[str, Any]
) -> None:
    proxy.plan = lambda seen: Fault.RESET_AFTER if seen.creates_run else Fault.NONE
    with pytest.raises(errors.RunOutcomeUnknown):
        do(proxied.run(flow, 1, retry_create=True))


WAITS: dict[str, Callable[[Any, Any], Any]] = {
    "run": lambda client, input: client.run(READ_FILE, input),
    "run_batch": lambda client, input: client.run_batch(READ_FILE, [input]),
    "result": lambda client, input: client.handle(input["run_id"]).result(timeout=60),
    "results": lambda client, input: client.handle(input["run_id"]).results(timeout=60),
}


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("fault", [*PASSING, Fault.HALF_OPEN])
def test_a_cut_while_waiting_does_not_surface(
    do: Driver,
    proxied: Any,
    proxy: FaultProxy,
    name: str,
    fault: Fault,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The server answers a wait of no seconds at once; only one that is to be cut needs its second.
    seconds = 1 if fault is Fault.CUT_WAITING else 0
    monkeypatch.setattr("stepflow_client._core.status.LONG_POLL_SECONDS", seconds)
    monkeypatch.setattr("stepflow_client._core.status.LONG_POLL_GRACE", 0.2)
    path = fifo()
    input = {"path": str(path)}
    if name.startswith("result"):
        input["run_id"] = str(do(proxied.submit(READ_FILE, input)).id)
    faults: Iterator[Fault] = iter([fault, fault])
    released = False

    def plan(seen: Seen) -> Fault:
        nonlocal released
        now = next(faults, Fault.NONE) if seen.waits else Fault.NONE
        # Once: a reader would take two values for one.
        if seen.waits and now is Fault.NONE and not released:
            released = release(path)
        return now

    proxy.plan = plan
    value = do(WAITS[name](proxied, input))
    outputs = [one.output for one in value] if "batch" in name or name == "results" else None
    assert (outputs or [value.output]) == [42]


@pytest.mark.parametrize("fault", PASSING)
def test_a_cut_while_cancelling_does_not_surface(
    do: Driver, proxied: Any, proxy: FaultProxy, fault: Fault, fifo: Callable[[], Path]
) -> None:
    handle = do(proxied.submit(READ_FILE, {"path": str(fifo())}))
    proxy.plan = once(fault)
    assert do(handle.cancel()).status is ExecutionStatus.CANCELLED


def test_a_cut_while_cancelling_a_finished_run_does_not_hide_that_it_has_finished(
    do: Driver, proxied: Any, proxy: FaultProxy
) -> None:
    handle = do(proxied.submit(ECHO, 1))
    do(handle.result())
    proxy.plan = once(Fault.RESET_AFTER)
    with pytest.raises(errors.Conflict, match="status: Completed"):
        do(handle.cancel())


def test_a_deadline_holds_while_the_server_is_away(
    do: Driver, proxied: Any, proxy: FaultProxy
) -> None:
    handle = do(proxied.submit(ECHO, 1))
    proxy.plan = lambda seen: Fault.RESET_BEFORE
    with pytest.raises(errors.Timeout, match="the last attempt: GET") as caught:
        do(handle.result(timeout=1))
    assert caught.value.run_id == handle.id


def test_a_wait_without_a_deadline_gives_up_a_server_that_stays_away(
    do: Driver, proxied: Any, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.2)
    handle = do(proxied.submit(ECHO, 1))
    proxy.plan = lambda seen: Fault.RESET_BEFORE
    with pytest.raises(errors.Unreachable, match=r"what became of run .* is unknown") as caught:
        do(handle.result())
    assert caught.value.run_id == handle.id


def test_a_run_outlives_a_restart_of_the_server(
    do: Driver, lasting_server: StepflowServer, fifo: Callable[[], Path]
) -> None:
    path = fifo()

    def restart() -> None:
        proxy.waiting.wait(30)
        lasting_server.kill()
        lasting_server.start()
        # The server takes the run up again, and its step opens the file.
        wait_until(lambda: release(path), "the step is run again")

    with FaultProxy(lasting_server.port) as proxy:
        client = do.client(proxy.url)
        handle = do(client.submit(READ_FILE, {"path": str(path)}))
        thread = threading.Thread(target=restart)
        thread.start()
        assert do(handle.result(timeout=60)).output == 42
        thread.join()
        do(client.close())


def test_a_flow_that_the_server_has_forgotten_is_stored_anew(do: Driver, binary: str) -> None:
    with StepflowServer(binary) as server:
        client = do.client(server.url)
        assert do(client.run(ECHO, 1)).output == 1
        server.restart()
        assert do(client.run(ECHO, 2)).output == 2
        server.restart()
        assert do(client.get_flow(do(client.store_flow(ECHO)))).name == "echo"
        server.restart()
        results = do(client.run_batch(ECHO, [3, 4], variables_from_env=True))
        assert [result.output for result in results] == [3, 4]
        with pytest.raises(errors.NotFound):
            do(client.run(do(client.store_flow({**ECHO, "name": "other"}))[::-1], 3))
        do(client.close())


def test_a_stored_flow_is_not_sent_again(
    do: Driver, proxied: Any, proxy: FaultProxy, flow: dict[str, Any]
) -> None:
    for number in range(3):
        assert do(proxied.run(flow, number)).output == number
        do(proxied.store_flow(flow))
    assert sum(seen.target.endswith("/flows") for seen in proxy.seen) == 1


def test_retry_after_is_honoured_and_capped(
    do: Driver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="stepflow_client")
    answers = iter(
        [
            ("0", 429),
            ("0.1", 503),
            ("soon", 503),
            ("²", 503),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 503),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 503),
            ("1", 429),
        ]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        after, status = next(answers, ("", 200))
        if status != 200:
            return httpx.Response(status, headers={b"retry-after": after.encode("latin-1")})
        healthy = {"status": "healthy", "timestamp": "", "version": "0.11.1"}
        return httpx.Response(200, json=healthy)

    # What is no number of whole seconds and no date counts as not given.
    monkeypatch.setattr(random, "random", lambda: 1)
    policy = RetryPolicy(max_retries=7, first_delay=0.02, last_delay=0.02, retry_after_limit=0.1)
    client = do.client("http://server.invalid", transport=httpx.MockTransport(answer), retry=policy)
    assert do(client.health()).status == "healthy"
    delays = re.findall(r"again in ([\d.]+) s", caplog.text)
    assert delays == ["0.00", "0.02", "0.02", "0.02", "0.00", "0.10", "0.10"]
    do(client.close())


def drip(listener: socket.socket, end: float) -> None:
    """Answer each connection by a byte now and then, up to a time by the monotonic clock."""
    with contextlib.suppress(OSError):
        while True:
            with contextlib.suppress(ConnectionError, BrokenPipeError), listener.accept()[0] as one:
                while time.monotonic() < end:
                    one.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    time.sleep(0.01)


@pytest.mark.parametrize("limit", ["of the call", "of the client"])
def test_a_server_that_sends_a_byte_now_and_then_is_not_waited_for(do: Driver, limit: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        arguments = (listener, started + 20)
        threading.Thread(target=drip, args=arguments, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if limit == "of the call":
            client = do.client(url)
            with pytest.raises(errors.Timeout, match=r"timeout=0\.5 s"):
                do(client.run(ECHO, 1, timeout=0.5))
        else:
            client = do.client(url, timeout=0.5, retry=RetryPolicy(max_retries=0))
            with pytest.raises(errors.Unreachable, match="within the timeout"):
                do(client.run(ECHO, 1))
        assert time.monotonic() - started < 15
        do(client.close())


def test_connecting_takes_no_longer_than_its_own_timeout(do: Driver) -> None:
    seen: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(404)

    client = do.client("http://server.invalid", transport=httpx.MockTransport(answer), timeout=90)
    with pytest.raises(errors.Unsupported):
        do(client.run(ECHO, 1))
    assert seen[0]["connect"] <= 10 and seen[0]["read"] > 80
    do(client.close())


def test_a_deadline_bounds_the_delay_before_a_retry(do: Driver) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, headers={"retry-after": "20"})

    client = do.client("http://server.invalid", transport=httpx.MockTransport(answer))
    started = time.monotonic()
    with pytest.raises(errors.Timeout, match=r"timeout=1 s; .*the last attempt: .* 503"):
        do(client.run(ECHO, 1, timeout=1))
    assert time.monotonic() - started < 15
    do(client.close())


def test_delays_grow_to_their_bound_and_are_jittered(monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors.ConnectionFailed("no", method="GET", url="http://h")
    policy = RetryPolicy(first_delay=1, last_delay=5)
    with monkeypatch.context() as patched:
        patched.setattr(random, "random", lambda: 0.5)
        delays = [policy.delay(n, error) for n in (1, 2, 3, 4, 10_000)]
        # The system cannot sleep for some centuries.
        centuries = RetryPolicy(first_delay=1e300, last_delay=1e300)
        assert centuries.delay(1, error) == 1e8
    assert delays == [0.5, 1, 2, 2.5, 2.5]
    assert len({AT_ONCE.delay(5, error) for _ in range(20)}) > 1
    for name in ("max_retries", "first_delay", "last_delay", "retry_after_limit"):
        options: dict[str, Any] = {name: 0}
        RetryPolicy(**options)
        for wrong in (-1, float("nan"), None, "3"):
            message = rf"^RetryPolicy: {name} is {wrong!r}; pass 0 or more"
            with pytest.raises(errors.InvalidInput, match=message):
                RetryPolicy(**{**options, name: wrong})
