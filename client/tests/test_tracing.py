"""Spans of calls, and of their requests, in a program that uses OpenTelemetry."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from client.tests.fault_proxy import Fault, FaultProxy, Seen
from client.tests.support import ECHO, READ_FILE, VERSION, Driver
from stepflow_client import StepflowClient, errors
from tools.spec.server import StepflowServer


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # It cannot be set twice in a process by the public function.
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
    return exporter


def ended(exporter: InMemorySpanExporter, parent: ReadableSpan | None = None) -> list[ReadableSpan]:
    """The spans with this parent, in the order in which they began."""
    spans = sorted(exporter.get_finished_spans(), key=lambda span: span.start_time or 0)
    wanted = parent and parent.context and parent.context.span_id
    return [span for span in spans if (span.parent and span.parent.span_id) == wanted]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def exception_of(span: ReadableSpan) -> Any:
    """The type of the exception that a span ended with, as its attribute and event have it."""
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    return attributes(span)["error.type"]


def test_a_run_is_the_parent_of_its_requests(
    do: Driver, server: StepflowServer, exporter: InMemorySpanExporter
) -> None:
    client = do.client(server.url, server_version=None)
    do(client.run(ECHO, 1))
    (run,) = ended(exporter)
    assert (run.name, run.kind) == ("stepflow.run", SpanKind.INTERNAL)
    assert run.instrumentation_scope is not None
    assert run.instrumentation_scope.name == "stepflow_client"
    run_id = attributes(run)["stepflow.run_id"]
    assert type(run_id) is str
    requests = ended(exporter, run)
    assert [span.name for span in requests] == [
        "GET /health",
        "POST /flows",
        "POST /runs",
        "GET /runs/{run_id}",
        "GET /runs/{run_id}/items",
    ]
    assert {span.kind for span in requests} == {SpanKind.CLIENT}
    assert attributes(requests[-1]) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        "url.full": f"{server.url}/api/v1/runs/{run_id}/items",
        "url.template": "/runs/{run_id}/items",
    }
    do(client.close())


def test_a_batch_is_the_parent_of_its_requests(
    do: Driver, server: StepflowServer, exporter: InMemorySpanExporter
) -> None:
    client = do.client(server.url)
    do(client.run_batch(ECHO, [1, 2]))
    (batch,) = ended(exporter)
    assert batch.name == "stepflow.run_batch"
    assert "stepflow.run_id" in attributes(batch)
    assert ended(exporter, batch)[-1].name == "GET /runs/{run_id}/items"
    do(client.close())


def test_each_attempt_has_a_span(
    do: Driver, proxy: FaultProxy, exporter: InMemorySpanExporter
) -> None:
    faults = iter([Fault.RESET_BEFORE, Fault.BUSY])
    proxy.plan = lambda seen: next(faults, Fault.NONE)
    client = do.client(proxy.url)
    do(client.health())
    counts = [attributes(span).get("http.request.resend_count") for span in ended(exporter)]
    assert counts == [None, 1, 2]
    assert [attributes(span).get("error.type") for span in ended(exporter)] == [
        "stepflow_api.errors.ConnectionLost",
        "503",
        None,
    ]
    do(client.close())


def test_a_run_that_raises(
    do: Driver, server: StepflowServer, exporter: InMemorySpanExporter
) -> None:
    client = do.client(server.url)
    with pytest.raises(errors.FlowFailed):
        do(client.run(READ_FILE, {"path": "/nowhere"}, raise_on_failure=True))
    (run,) = ended(exporter)
    assert exception_of(run) == "stepflow_client.errors.FlowFailed"
    assert (run.status.description or "").startswith("FlowFailed: run ")
    do(client.close())


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, StopIteration])
def test_a_run_whose_token_function_raises(
    do: Driver, server: StepflowServer, exporter: InMemorySpanExporter, error: type[BaseException]
) -> None:
    def token() -> str:
        raise error

    client = do.client(server.url, token=token)
    expected = RuntimeError if error is StopIteration else error
    with pytest.raises(expected):
        do(client.run(ECHO, 1))
    (run,) = ended(exporter)
    assert exception_of(run) == f"builtins.{expected.__name__}"
    do(client.close())


def test_a_cancelled_run_ends_its_spans(proxy: FaultProxy, exporter: InMemorySpanExporter) -> None:
    async def main() -> None:
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def plan(seen: Seen) -> Fault:
            if not seen.creates_run:
                return Fault.NONE
            loop.call_soon_threadsafe(sent.set)
            return Fault.HALF_OPEN

        proxy.plan = plan
        async with StepflowClient(proxy.url, server_version=VERSION) as client:
            task = asyncio.create_task(client.run(ECHO, 1))
            await sent.wait()
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(main())
    (run,) = ended(exporter)
    assert exception_of(run) == "asyncio.exceptions.CancelledError"
    request = ended(exporter, run)[-1]
    assert request.name == "POST /runs"
    assert attributes(request)["error.type"] == "asyncio.exceptions.CancelledError"


def test_events_of_a_server_that_has_none_are_no_error(
    do: Driver, server: StepflowServer, exporter: InMemorySpanExporter
) -> None:
    client = do.client(server.url)
    do(do(client.submit(ECHO, 1)).events())
    assert {span.status.status_code for span in ended(exporter)} == {StatusCode.UNSET}
    do(client.close())


@pytest.mark.parametrize("option", ["limits", "proxy"])
def test_a_client_with_limits_or_a_proxy_has_spans(
    do: Driver, server: StepflowServer, exporter: InMemorySpanExporter, option: str
) -> None:
    value = httpx.Limits() if option == "limits" else server.url
    client = do.client(server.url, **{option: value})
    do(client.health())
    assert [span.name for span in ended(exporter)] == ["GET /health"]
    do(client.close())


def headers_of_a_request(server: StepflowServer, do: Driver) -> httpx.Headers:
    sent: list[httpx.Headers] = []

    def keep(request: httpx.Request) -> None:
        sent.append(request.headers)

    async def keep_async(request: httpx.Request) -> None:
        keep(request)

    http: Any = (
        httpx.AsyncClient(event_hooks={"request": [keep_async]})
        if do.is_async
        else httpx.Client(event_hooks={"request": [keep]})
    )
    client = do.client(server.url, http_client=http)
    do(client.health())
    do(client.close())
    do(http.aclose() if do.is_async else http.close())
    return sent[-1]


def test_httpx_of_the_caller_passes_the_current_span_on(do: Driver, server: StepflowServer) -> None:
    # The program's provider need not be the global one.
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("caller") as span:
        sent = headers_of_a_request(server, do)
    context = span.get_span_context()
    assert sent["traceparent"] == (
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )


def test_no_span_passes_nothing_on(do: Driver, server: StepflowServer) -> None:
    assert "traceparent" not in headers_of_a_request(server, do)
