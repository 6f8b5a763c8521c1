"""The events of a run on servers that tell them, whatever the network does meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from client.tests.fault_proxy import Fault, FaultProxy, Seen
from client.tests.support import CHAIN, READ_FILE, RUNNING, Driver, release, wait_until, watch
from stepflow_api import Client
from stepflow_api.api.run import get_run_events
from stepflow_api.models import ExecutionStatus, StepStatus
from stepflow_client import errors, events
from tools.pytest.httpx_libraries import by_library
from tools.spec.server import DEFAULT_CONFIG, StepflowServer

GATES = (0, 40, 80, 120, 160)


def gated() -> dict[str, Any]:
    """A flow of 200 steps, one after the other, five of which wait for a file each."""
    steps: list[dict[str, Any]] = []
    for number in range(200):
        before = {"$step": f"step{number - 1}"} if number else {"$input": "$"}
        if number in GATES:
            component = "/load_file"
            given: Any = {"path": {"$input": f"path{number}"}, "after": before}
        else:
            component = "/create_messages"
            text = "data" if number - 1 in GATES else "messages[0].content"
            given = {"user_prompt": {**before, "path": text}}
        steps.append({"id": f"step{number}", "component": component, "input": given})
    return {"name": "gated", "steps": steps, "output": {"$step": "step199"}}


@pytest.fixture
def started(client: Any, do: Driver, fifo: Callable[[], Path]) -> Iterator[tuple[Any, Path]]:
    """A run whose only step waits for a file."""
    path = fifo()
    yield do(client.submit(READ_FILE, {"path": str(path)})), path


@pytest.mark.parametrize("is_async", [False, True])
def test_the_operation_streams_them(do: Driver, client: Any, is_async: bool) -> None:
    """`stepflow_api` alone has them as documents, and by its other forms as text."""
    handle = do(client.submit(CHAIN, {"prompt": "x"}))
    expected = [event.kind for event in do(handle.events(timeout=60))]
    with Client(client.url) as api:
        whole = get_run_events.sync(handle.id, client=api, since=0)
        assert whole.count("data: ") == len(expected)
        if is_async:
            seen = asyncio.run(_streamed(handle.id, client.url))
        else:
            with get_run_events.stream(handle.id, client=api) as stream:
                seen = [event["kind"] for event in stream]
    assert seen == expected


async def _streamed(run_id: UUID, url: str) -> list[str]:
    async with (
        Client(url) as api,
        await get_run_events.asyncio_stream(run_id, client=api) as stream,
    ):
        return [event["kind"] async for event in stream]


def test_each_event_has_its_type(do: Driver, client: Any) -> None:
    handle = do(client.submit(CHAIN, {"prompt": "x"}))
    seen = do(handle.events(timeout=60))
    assert [type(event) for event in seen] == [
        events.RunCreated,
        events.StepsNeeded,
        *[events.StepStarted, events.StepCompleted, events.StepReady] * 2,
        events.StepStarted,
        events.StepCompleted,
        events.RunCompleted,
    ]
    assert [event.kind for event in seen] == [type(event).__name__ for event in seen]
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert all(event.timestamp.tzinfo for event in seen)
    assert {event.run_id for event in seen} == {handle.id}
    created, needed, begun, done, ready = seen[:5]
    assert created.item_count == 1
    assert created.flow_id == do(handle.status()).flow_id
    assert needed.step_ids == ["step0", "step1", "step2"]
    assert (begun.step_id, begun.step_index, begun.item_index, begun.attempt) == ("step0", 0, 0, 1)
    assert (done.step_id, done.status) == ("step0", StepStatus.COMPLETED)
    assert (ready.step_id, ready.step_index) == ("step1", 1)
    assert seen[-1].status is ExecutionStatus.COMPLETED


def test_what_fails_is_told(do: Driver, client: Any) -> None:
    handle = do(client.submit(READ_FILE, {"path": "/nowhere"}))
    *_, step, run = do(handle.events(timeout=60))
    assert (step.step_id, step.status) == ("read", StepStatus.FAILED)
    assert run.status is ExecutionStatus.FAILED


def test_since_is_the_first_number_given(do: Driver, client: Any) -> None:
    handle = do(client.submit_batch(CHAIN, [{"prompt": "x"}] * 5))
    every = do(handle.events(timeout=60))
    last = every[-1].sequence_number
    for since in range(last + 1):
        expected = [event for event in every if event.sequence_number >= since]
        assert do(handle.events(since=since, timeout=60)) == expected
    for since in (last + 1, last + 1000):
        assert do(handle.events(since=since, timeout=60)) == []


def test_since_beyond_the_end_ends_with_the_run(
    do: Driver, client: Any, started: tuple[Any, Path]
) -> None:
    handle, path = started
    with pytest.raises(errors.Timeout):
        do(handle.events(since=1000, timeout=0.1))
    wait_until(lambda: release(path), "the step opens the file")
    assert do(handle.events(since=1000, timeout=60)) == []


@pytest.mark.parametrize("since", [-1, 1.5, True, "0", 2**64])
def test_a_number_that_is_none_is_refused(do: Driver, client: Any, since: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="pass the sequence_number of an event"):
        do(client.handle(UUID(int=1)).events(since=since))


def test_an_unknown_run_is_told(do: Driver, client: Any) -> None:
    with pytest.raises(errors.NotFound) as caught:
        do(client.handle(UUID(int=1)).events())
    assert not isinstance(caught.value, errors.Unsupported)


def test_a_deadline_ends_it(
    do: Driver, client: Any, started: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a stream may be silent.
    monkeypatch.setattr("stepflow_client._core.events.EVENTS_SILENCE_SECONDS", 1000.0)
    handle, _ = started
    seen: list[events.RunEvent] = []
    # A busy machine needs longer for the events that are there.
    for seconds in (0.5, 5, 50):
        seen.clear()
        problem = f"run {handle.id} was not seen to end within timeout={seconds} s"
        with pytest.raises(errors.Timeout, match=problem):
            watch(do, handle, seen.append, timeout=seconds)
        if len(seen) == 3:
            break
    assert [event.kind for event in seen] == ["RunCreated", "StepsNeeded", "StepStarted"]


def test_a_cancelled_run_ends_it(do: Driver, client: Any, started: tuple[Any, Path]) -> None:
    handle, _ = started

    def cancel(event: events.RunEvent) -> None:
        if isinstance(event, events.StepStarted):
            canceller = Driver("sync")
            with canceller.client(client.url, server_version=None) as other:
                other.handle(handle.id).cancel()

    kinds = ["RunCreated", "StepsNeeded", "StepStarted"]
    assert [event.kind for event in watch(do, handle, cancel, timeout=120)] == kinds
    # Now that it has been cancelled before.
    assert [event.kind for event in do(handle.events(timeout=120))] == kinds


def test_a_connection_cut_five_times_in_a_run_of_200_steps_loses_and_repeats_nothing(
    do: Driver, client: Any, proxied: Any, proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    paths = {f"step{number}": fifo() for number in GATES}
    inputs = {f"path{step.removeprefix('step')}": str(path) for step, path in paths.items()}
    handle = do(proxied.submit(gated(), inputs))
    cuts: list[str] = []

    def cut(event: events.RunEvent) -> None:
        if isinstance(event, events.StepStarted) and event.step_id in paths:
            path = paths[event.step_id]
            cuts.append(event.step_id)
            assert proxy.open_streams == 1
            proxy.cut_all()
            wait_until(lambda: release(path, "continue"), "the step opens the file")

    seen = watch(do, handle, cut, timeout=120)
    assert cuts == list(paths)
    assert sum(request.streams for request in proxy.seen) == 6
    for kind in (events.StepStarted, events.StepCompleted):
        steps = [event.step_id for event in seen if isinstance(event, kind)]
        assert steps == [f"step{number}" for number in range(200)]
    assert isinstance(seen[-1], events.RunCompleted)
    assert seen[-1].status is ExecutionStatus.COMPLETED
    assert seen == do(client.handle(handle.id).events(timeout=60))


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_cut_anywhere_loses_and_repeats_nothing(
    do: Driver, client: Any, proxied: Any, proxy: FaultProxy, seed: int
) -> None:
    # Many of its events share a number.
    handle = do(proxied.submit_batch(CHAIN, [{"prompt": "x"}] * 40))
    every = do(client.handle(handle.id).events(timeout=60))
    numbers = [event.sequence_number for event in every]
    assert len(set(numbers)) < len(numbers) == 40 * 9 + 2
    chance = random.Random(seed)
    cuts = 0

    def plan(seen: Seen) -> Fault:
        nonlocal cuts
        if not seen.streams or cuts == 8:
            return Fault.NONE
        cuts += 1
        proxy.stream_bytes = chance.choice([chance.randrange(400), chance.randrange(20_000)])
        return Fault.CUT_STREAM

    proxy.plan = plan
    seen = do(proxied.handle(handle.id).events(timeout=120))
    assert cuts == 8
    assert seen == every


def test_a_connection_that_is_half_open_is_noticed(
    do: Driver, client: Any, proxied: Any, proxy: FaultProxy
) -> None:
    handle = do(proxied.submit_batch(CHAIN, [{"prompt": "x"}] * 5))
    every = do(client.handle(handle.id).events(timeout=60))
    faults = iter([Fault.STALL_STREAM])
    proxy.stream_bytes = 2000
    proxy.plan = lambda seen: next(faults, Fault.NONE) if seen.streams else Fault.NONE
    assert do(proxied.handle(handle.id).events(timeout=300)) == every
    assert sum(request.streams for request in proxy.seen) == 2


def test_closing_it_early_closes_the_connection(
    do: Driver, proxied: Any, proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    handle = do(proxied.submit(READ_FILE, {"path": str(fifo())}))
    stream = handle.events()
    first = do(anext(stream)) if do.is_async else next(stream)
    assert isinstance(first, events.RunCreated)
    assert proxy.open_streams == 1
    do(stream.aclose()) if do.is_async else stream.close()
    wait_until(lambda: proxy.open_streams == 0, "the connection is closed")
    assert do(handle.status()).status is ExecutionStatus.RUNNING


def test_it_goes_on_after_a_restart_of_the_server(
    do: Driver, binary: str, fifo: Callable[[], Path], tmp_path: Path
) -> None:
    storage = {"type": "sqlite", "databaseUrl": f"sqlite:{tmp_path}/db?mode=rwc"}
    path = fifo()
    with StepflowServer(
        binary,
        config={**DEFAULT_CONFIG, "storageConfig": storage},
        arguments=("--orchestrator-id", "test"),
    ) as server:
        client = do.client(server.url, server_version=None)
        handle = do(client.submit(READ_FILE, {"path": str(path)}))
        restarted = False

        def restart(event: events.RunEvent) -> None:
            nonlocal restarted
            if isinstance(event, events.StepStarted) and not restarted:
                restarted = True
                server.kill()
                server.start()
                # The server takes the run up again, and its step opens the file.
                wait_until(lambda: release(path), "the step is run again")

        seen = watch(do, handle, restart, timeout=120)
        assert restarted
        kinds = [event.kind for event in seen]
        assert kinds[:3] == ["RunCreated", "StepsNeeded", "StepStarted"]
        assert kinds[-2:] == ["StepCompleted", "RunCompleted"]
        assert seen == do(handle.events(timeout=60))
        do(client.close())


def answering(library: Any, do: Driver, stream: httpx.Response) -> Any:
    """A client of a server that no release is."""

    def handle(request: Any) -> Any:
        if request.url.path.endswith("/events"):
            fields = dict(stream.headers)
            return library.Response(stream.status_code, headers=fields, content=stream.content)
        runs = {"runs": [RUNNING["summary"]]}
        return library.Response(200, json=runs if request.url.path.endswith("/runs") else RUNNING)

    transport = library.MockTransport(handle)
    return do.client("http://other.invalid", server_version="0.13.0", transport=transport)


def stream_of(*data: str) -> httpx.Response:
    content = "".join(f"data: {one}\n\n" for one in data).encode()
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)


NEW = (
    '{"sequenceNumber":7,"timestamp":"2026-01-01T00:00:00Z",'
    '"event":{"StepSlept":{"runId":"r","forHow":{"long":1}}}}'
)
END = (
    '{"sequenceNumber":8,"timestamp":"2026-01-01T00:00:00Z",'
    f'"event":{{"RunCompleted":{{"runId":"{UUID(int=1)}","status":77,"more":1}}}}}}'
)


@by_library
def test_an_event_of_a_newer_server_is_kept(library: Any, do: Driver) -> None:
    client = answering(library, do, stream_of(NEW, END))
    new, end = do(client.handle(UUID(int=1)).events())
    assert isinstance(new, events.OtherEvent)
    assert (new.kind, new.sequence_number) == ("StepSlept", 7)
    assert new.data == {"runId": "r", "forHow": {"long": 1}}
    assert isinstance(end, events.RunCompleted)
    assert end.status == "77"
    do(client.close())


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>"),
        httpx.Response(200, headers={"content-type": "application/grpc"}),
        stream_of("hello"),
        stream_of("[]"),
        stream_of('{"sequenceNumber":"1","timestamp":"2026-01-01T00:00:00Z","event":{"A":{}}}'),
        stream_of('{"sequenceNumber":1,"timestamp":"2026-01-01T00:00:00Z","event":{"A":1}}'),
        stream_of('{"sequenceNumber":1,"timestamp":"soon","event":{"A":{}}}'),
        stream_of(END.replace("runId", "id")),
    ],
)
@by_library
def test_what_is_no_event_is_told(library: Any, do: Driver, answer: httpx.Response) -> None:
    client = answering(library, do, answer)
    with pytest.raises(errors.InvalidAnswer, match="is this a Stepflow server") as caught:
        do(client.handle(UUID(int=1)).events())
    assert "\n" not in str(caught.value)
    do(client.close())
