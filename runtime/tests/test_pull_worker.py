"""A worker that pulls its tasks, and servers that restart, refuse, or respond in parts."""

from __future__ import annotations

import contextlib
import http.client
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.tests.gateways import Response, calls, gateway, grpc, nothing, task
from runtime.tests.support import wait_until
from stepflow_runtime import ComponentContext
from stepflow_runtime._components import protobuf
from stepflow_runtime._components.calls import Calls
from stepflow_runtime._components.functions import find_components
from stepflow_runtime._components.pull import PullWorker

TEXT = {"text": "a"}
GRPC = {"Content-Type": "application/grpc"}


@contextlib.contextmanager
def working(url: str, function: Callable[..., Any]) -> Iterator[PullWorker]:
    """Serve a function to a server."""
    worker = PullWorker(Calls(find_components([function])), "queue", "")
    worker.start(url.removeprefix("http://"))
    # Only the first counts.
    worker.start(url.removeprefix("http://"))
    try:
        yield worker
    finally:
        worker.close()


def one_task(assignment: bytes) -> Callable[[str, int], Response]:
    """Return the responses of a server with one task."""

    def respond(method: str, before: int) -> Response:
        if method == "PullTasks":
            return grpc(assignment) if before == 0 else nothing()
        return grpc()

    return respond


def fields(body: bytes) -> dict[int, Any]:
    """Return the fields of a request's message."""
    assert body[0] == 0 and int.from_bytes(body[1:5]) == len(body) - 5
    return dict(protobuf.fields(body[5:]))


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_server_is_sent_and_a_function_receives(is_known: bool) -> None:
    contexts: list[ComponentContext] = []

    def shout(text: str, context: ComponentContext) -> str:
        contexts.append(context)
        return text.upper()

    observed = b"".join(protobuf.text(n, one) for n, one in ((3, "r"), (4, "f"), (5, "s")))
    call = (protobuf.integer(3, 2), protobuf.message(4, observed)) if is_known else ()
    with (
        gateway(one_task(task("/python/shout", TEXT, call=call))) as (url, seen),
        working(url, shout),
    ):
        wait_until(lambda: calls(seen, "CompleteTask"), "the result is sent")
        pull, claim, result = (
            next(fields(body) for method, body in seen if method == name)
            for name in ("PullTasks", "TaskHeartbeat", "CompleteTask")
        )
        streams = [one for one in threading.enumerate() if one.name == "stepflow-components"]
        assert len(streams) == 1
    assert pull[1] == b"queue" and len(pull[2]) == 36
    run = b"r" if is_known else None
    assert (claim.pop(5, None), claim) == (run, {1: b"task-1", 2: pull[2]})
    output = protobuf.message(1, protobuf.encode_value("A"))
    assert (result.pop(4, None), result) == (run, {1: b"task-1", 2: output})
    expected = ComponentContext(run_id=None, flow_id=None, step_id=None, attempt=1)
    if is_known:
        expected = ComponentContext(run_id="r", flow_id="f", step_id="s", attempt=2)
    assert contexts == [expected]


def test_the_result_goes_to_the_orchestrator_of_the_task() -> None:
    def shout(text: str) -> str:
        return text.upper()

    with gateway(lambda *_: grpc()) as (orchestrator, results):
        address = protobuf.message(4, protobuf.text(1, orchestrator.removeprefix("http://")))
        with (
            gateway(one_task(task("shout", TEXT, address))) as (url, seen),
            working(url, shout),
        ):
            wait_until(lambda: calls(results, "CompleteTask"), "the result is sent")
    assert {method for method, _ in seen} == {"PullTasks"}
    assert {method for method, _ in results} == {"TaskHeartbeat", "CompleteTask"}


def test_tasks_of_several_orchestrators(monkeypatch: pytest.MonkeyPatch) -> None:
    # Connections to orchestrators that may be gone are kept only as far as calls may need some.
    monkeypatch.setattr("stepflow_runtime._components.pull._MAX_CALLS", 2)

    def shout(text: str) -> str:
        return text.upper()

    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(gateway(lambda *_: grpc())) for _ in range(4)]
        addresses = [url.removeprefix("http://") for url, _ in servers]
        # The first twice in a row, and once more after all others.
        waiting = [0, 0, 1, 2, 3, 0]
        wanted = [waiting.count(number) for number in range(4)]

        def respond(method: str, before: int) -> Response:
            done = sum(calls(seen, "CompleteTask") for _, seen in servers)
            # One after the other.
            if not waiting or done < sum(wanted) - len(waiting):
                return nothing()
            address = protobuf.text(1, addresses[waiting.pop(0)])
            return grpc(task("shout", TEXT, protobuf.message(4, address)))

        def sent(method: str) -> list[int]:
            return [calls(seen, method) for _, seen in servers]

        url, _ = stack.enter_context(gateway(respond))
        stack.enter_context(working(url, shout))
        wait_until(lambda: sent("CompleteTask") == wanted, "each result is where it belongs")
        assert sent("TaskHeartbeat") == wanted
        wait_until(
            lambda: sum("process_request" in one.name for one in threading.enumerate()) <= 3,
            "the other connections are closed",
        )


@pytest.mark.parametrize(
    "claim",
    # The task is to be aborted, or the server does not know it.
    [grpc(protobuf.integer(1, 1)), grpc(grpc_status="5")],
    ids=["abort", "unknown"],
)
def test_a_task_that_belongs_to_nobody_is_not_executed(claim: Response) -> None:
    executed: list[str] = []
    tasks = one_task(task("append", TEXT))

    def append(text: str) -> None:
        executed.append(text)

    with (
        gateway(lambda m, n: claim if m == "TaskHeartbeat" else tasks(m, n)) as (url, seen),
        working(url, append),
    ):
        wait_until(lambda: calls(seen, "TaskHeartbeat"), "the task is claimed")
        before = len(seen)
        wait_until(lambda: calls(seen[before:], "PullTasks") > 5, "the worker continues")
    assert not executed
    assert calls(seen, "TaskHeartbeat") == 1 and not calls(seen, "CompleteTask")


@pytest.mark.parametrize("method", ["TaskHeartbeat", "CompleteTask"])
@pytest.mark.parametrize(
    "problem",
    [
        grpc(grpc_status="14"),
        (502, {"Content-Type": "text/html"}, b"<html>"),
        (502, {"Content-Type": "application/grpc"}, b""),
        (200, {"Content-Type": "text/html"}, b"\0\0\0\0\0"),
    ],
    ids=["unavailable", "502", "502 of gRPC", "a page"],
)
def test_a_request_is_repeated_while_the_server_is_not_ready(
    method: str, problem: Response
) -> None:
    executed: list[str] = []
    tasks = one_task(task("append", TEXT))

    def append(text: str) -> None:
        executed.append(text)

    with (
        gateway(lambda m, n: problem if (m, n) == (method, 0) else tasks(m, n)) as (url, seen),
        working(url, append),
    ):
        wait_until(lambda: calls(seen, method) == 2, "the request is repeated")
        wait_until(lambda: calls(seen, "CompleteTask"), "the result is sent")
    assert executed == ["a"]


def test_a_result_is_sent_to_a_server_that_takes_its_time() -> None:
    accepted: list[int] = []

    def respond(method: str, before: int) -> Response:
        if method == "PullTasks":
            return grpc(task("shout", TEXT)) if before == 0 else nothing()
        if method == "CompleteTask":
            # It is asked for tasks many times a second, and for this less often.
            if calls(seen, "PullTasks") < 40:
                return grpc(grpc_status="14")
            accepted.append(before)
        return grpc()

    def shout(text: str) -> str:
        return text.upper()

    with gateway(respond) as (url, seen), working(url, shout):
        wait_until(lambda: accepted, "the result is accepted")


def echo(text: str) -> str:
    return text


def test_disconnecting_while_it_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    connects, disconnected = threading.Event(), threading.Event()
    connect = http.client.HTTPConnection.connect

    def connect_later(connection: http.client.HTTPConnection) -> None:
        connects.set()
        disconnected.wait(60)
        connect(connection)

    monkeypatch.setattr(http.client.HTTPConnection, "connect", connect_later)
    with gateway(lambda *_: nothing()) as (url, seen), working(url, echo) as worker:
        assert connects.wait(60)
        worker.disconnect()
        disconnected.set()
        wait_until(
            lambda: "stepflow-components" not in {one.name for one in threading.enumerate()},
            "it pulls no more",
        )
    assert not seen


def test_disconnecting_while_a_call_waits_for_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepflow_runtime._components.pull._MAX_CALLS", 1)
    free = threading.Event()

    def hang(text: str) -> None:
        free.wait()

    def respond(method: str, before: int) -> Response:
        return grpc(task("hang", TEXT)) if method == "PullTasks" else grpc()

    with gateway(respond) as (url, seen), working(url, hang) as worker:
        try:
            wait_until(lambda: calls(seen, "PullTasks") == 2, "a second call waits")
            worker.disconnect()
            wait_until(
                lambda: "stepflow-components" not in {one.name for one in threading.enumerate()},
                "it pulls no more",
            )
        finally:
            free.set()


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "unusable"])
def test_a_connection_that_the_server_has_closed_is_replaced(is_closed: bool) -> None:
    tasks = one_task(task("append", TEXT))
    executed: list[str] = []

    def append(text: str) -> None:
        executed.append(text)

    def respond(method: str, before: int) -> Response:
        if method == "TaskHeartbeat" and is_closed:
            return grpc(X_Then="close")
        if method == "CompleteTask" and before == 0 and not is_closed:
            # Not a status of HTTP.
            return 9999, GRPC, b""
        return tasks(method, before)

    with gateway(respond) as (url, seen), working(url, append):
        wait_until(lambda: calls(seen, "CompleteTask") == 2 - is_closed, "the result is sent")
    assert executed == ["a"]


@pytest.mark.parametrize("is_reset", [True, False], ids=["reset", "unusable"])
def test_heartbeats_that_fail_are_followed_by_others(is_reset: bool) -> None:
    tasks = one_task(task("hang", TEXT))
    free = threading.Event()

    def hang(text: str) -> None:
        free.wait(60)

    def respond(method: str, before: int) -> Response:
        # The first claims the task, and each is sent again on another connection.
        if method == "TaskHeartbeat" and 0 < before < 5:
            if is_reset:
                raise ConnectionError
            return 9999, GRPC, b""
        return tasks(method, before)

    with gateway(respond) as (url, seen), working(url, hang):
        wait_until(lambda: calls(seen, "TaskHeartbeat") > 6, "heartbeats are sent")
        free.set()
        wait_until(lambda: calls(seen, "CompleteTask"), "the result is sent")


@pytest.mark.parametrize(
    "response",
    [
        (200, GRPC, b"\0\0"),
        (200, GRPC, b"\0\0\0\0\x09ab"),
        (200, GRPC, b"\0\0\0\0\x02\x0f\x0f"),
        # It begins like a message.
        (200, {"Content-Type": "text/html"}, b"\0\0\0\0\x02\x28\x01"),
        # Not a status of HTTP.
        (9999, GRPC, b""),
        # Tasks without an id, without the component, and with ids that are no text.
        grpc(protobuf.integer(5, 1)),
        grpc(protobuf.text(1, "task-1") + protobuf.message(2, b"")),
        grpc(protobuf.integer(1, 1)),
        grpc(protobuf.message(1, b"\xff")),
    ],
    ids=["head", "rest", "kind", "page", "status", "no id", "no component", "number", "no text"],
)
def test_a_stream_that_ends_early_is_opened_again(response: Response) -> None:
    tasks = one_task(task("append", TEXT))
    executed: list[str] = []

    def append(text: str) -> None:
        executed.append(text)

    def respond(method: str, before: int) -> Response:
        if method == "PullTasks" and before == 0:
            return response
        return tasks(method, before - 1)

    with gateway(respond) as (url, seen), working(url, append):
        wait_until(lambda: calls(seen, "CompleteTask"), "the result is sent")
    assert executed == ["a"]


def test_a_task_that_is_assigned_again_is_executed_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its result goes to the orchestrator that has assigned it last."""
    caplog.set_level(logging.DEBUG, "stepflow_runtime")
    started: list[str] = []
    free = threading.Event()

    def hang(text: str) -> str:
        started.append(text)
        free.wait(60)
        return text

    with gateway(lambda *_: grpc()) as (orchestrator, results):
        address = protobuf.message(4, protobuf.text(1, orchestrator.removeprefix("http://")))
        first, second = one_task(task("hang", TEXT)), one_task(task("hang", TEXT, address))

        def respond(method: str, before: int) -> Response:
            if before == 1:
                # The first assignment has arrived.
                wait_until(lambda: started, "it is in progress")
                return second(method, 0)
            return first(method, before)

        with gateway(respond) as (url, seen), working(url, hang):
            again = "a call in progress was assigned again"
            wait_until(lambda: len(started) > 1 or again in caplog.messages, "it is assigned again")
            free.set()
            wait_until(lambda: calls(results + seen, "CompleteTask"), "the result is sent")
    assert started == ["a"]
    assert calls(results, "CompleteTask") == 1 and calls(results, "TaskHeartbeat") >= 1


def test_a_heartbeat_in_progress_when_the_task_is_assigned_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The heartbeat's end does not bring the earlier assignment back."""
    caplog.set_level(logging.DEBUG, "stepflow_runtime")
    free = threading.Event()
    again = "a call in progress was assigned again"

    def hang(text: str) -> str:
        free.wait(60)
        return text

    with gateway(lambda *_: grpc()) as (orchestrator, results):
        address = protobuf.message(4, protobuf.text(1, orchestrator.removeprefix("http://")))

        def respond(method: str, before: int) -> Response:
            if method == "TaskHeartbeat" and before == 1:
                wait_until(lambda: again in caplog.messages, "the task is assigned again")
            if method != "PullTasks":
                return grpc()
            if before == 1:
                wait_until(lambda: calls(seen, "TaskHeartbeat") == 2, "a heartbeat is in progress")
            return grpc(task("hang", TEXT, *([address] * before))) if before < 2 else nothing()

        with gateway(respond) as (url, seen), working(url, hang):
            # The first at the other server is the claim.
            wait_until(
                lambda: calls(results, "TaskHeartbeat") > 1 or calls(seen, "TaskHeartbeat") > 2,
                "the next heartbeat is sent",
            )
            free.set()
            wait_until(lambda: calls(results + seen, "CompleteTask"), "the result is sent")
    assert calls(results, "CompleteTask") == 1 and calls(seen, "TaskHeartbeat") == 2


def test_heartbeats_do_not_wait_for_an_orchestrator_that_is_not_ready() -> None:
    free = threading.Event()

    def hang(text: str) -> None:
        free.wait(60)

    def not_ready(method: str, before: int) -> Response:
        # The first one claims the task.
        return grpc(grpc_status="14") if method == "TaskHeartbeat" and before else grpc()

    with gateway(not_ready) as (one, first), gateway(lambda *_: grpc()) as (other, second):
        tasks = [
            task("hang", TEXT, protobuf.message(4, protobuf.text(1, url.removeprefix("http://"))))
            for url in (one, other)
        ]
        tasks[1] = tasks[1].replace(b"task-1", b"task-2")

        def respond(method: str, before: int) -> Response:
            if before == 1:
                wait_until(lambda: first, "the first task is claimed")
            return grpc(tasks[before]) if before < 2 else nothing()

        with gateway(respond) as (url, _), working(url, hang):
            wait_until(
                lambda: calls(second, "TaskHeartbeat") > 4 or calls(first, "TaskHeartbeat") > 20,
                "heartbeats are sent",
            )
            # One after the other.
            assert calls(first, "TaskHeartbeat") <= 20
            free.set()
            wait_until(lambda: calls(first + second, "CompleteTask") == 2, "the results are sent")


@pytest.mark.parametrize("problem", ["thread", "claim", "exception", "result"])
def test_a_call_that_fails_makes_room_for_the_next(
    problem: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("stepflow_runtime._components.pull._MAX_CALLS", 1)
    refused: list[str] = []
    executed: list[str] = []
    start = threading.Thread.start

    def start_or_refuse(thread: threading.Thread) -> None:
        if problem == "thread" and thread.name == "stepflow-component" and not refused:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    def append(text: str) -> None:
        executed.append(text)
        if problem == "exception" and text == "a":
            raise ValueError(text)

    def respond(method: str, before: int) -> Response:
        if method == "PullTasks":
            return grpc(task("append", {"text": "ab"[before]})) if before < 2 else nothing()
        if problem == "claim" and method == "TaskHeartbeat" and before == 0:
            return grpc(grpc_status="5")
        if problem == "result" and method == "CompleteTask":
            raise ConnectionError
        return grpc()

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)
    with gateway(respond) as (url, _), working(url, append):
        wait_until(lambda: "b" in executed, "the second task is executed")
    assert executed == (["b"] if problem in ("thread", "claim") else ["a", "b"])
    logged = {
        "thread": "a call of a component was refused: [Errno 11] can't start new thread",
        "exception": "component 'append' raised an exception in step None of run None",
        "result": "the result of a component's call could not be sent: ",
    }
    messages = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert bool(messages) is (problem in logged)
    assert all(message.startswith(logged[problem]) for message in messages)


def test_the_end_closes_all_connections(caplog: pytest.LogCaptureFixture) -> None:
    free = threading.Event()
    started: list[str] = []
    tasks = [grpc(task("hang", {"text": text})) for text in "ab"]

    def hang(text: str) -> str:
        started.append(text)
        if text == "b":
            free.wait(60)
        return text

    def respond(method: str, before: int) -> Response:
        if method != "PullTasks":
            return grpc()
        if before > 1:
            # As a server without tasks.
            free.wait()
            return nothing()
        return tasks[before]

    def names() -> set[str]:
        return {one.name for one in threading.enumerate()}

    with gateway(respond) as (url, seen):
        before = threading.active_count()
        with working(url, hang):
            wait_until(lambda: calls(seen, "CompleteTask") and len(started) == 2, "both are called")
            wait_until(lambda: calls(seen, "PullTasks") == 3, "the worker waits for tasks")
        wait_until(
            lambda: names().isdisjoint({"stepflow-components", "stepflow-heartbeats"}), "end"
        )
    # The function continues, and its result is lost.
    free.set()
    # The server has a thread for each connection.
    wait_until(lambda: threading.active_count() < before, "all are closed")
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
