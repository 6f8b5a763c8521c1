"""Spans of requests, and the context that they carry, in a program that uses OpenTelemetry."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from opentelemetry import context, propagate, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from api.tests.support.forms import ASYNCIO, PLAIN, Form
from api.tests.support.odd_server import Handler, OddServer, answer, hang_up
from api.tests.support.versions import BODY, FLAT, ID, SUMMARY
from stepflow_api import AuthenticatedClient, Client
from stepflow_api.api.health import health_check
from stepflow_api.errors import Conflict, ConnectionFailed, ConnectionLost, NotFound
from stepflow_api.lowlevel import Call, Close, Open, Operation, Request, Steps

pytestmark = pytest.mark.anyio

RUN_ID = "01a205b5-0a0a-7542-9354-0c70a04a73df"
NOT_FOUND = answer('{"code":404,"message":"none"}', status="404 Not Found")
ITEMS = answer('{"itemCount":0,"items":[]}')

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)


class Spans:
    """The spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("test")

    def of_requests(self) -> list[ReadableSpan]:
        """Return the spans of requests."""
        return [one for one in self._exporter.get_finished_spans() if one.kind is SpanKind.CLIENT]

    def only(self) -> ReadableSpan:
        """Return the span of the one request."""
        (span,) = self.of_requests()
        return span


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    found = Spans()
    # It cannot be set twice in a process by the public function.
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", found.provider)
    return found


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def call(client: Client, form: Form, endpoint: str = "run.get_run_items") -> Any:
    async with client:
        return await form(endpoint, RUN_ID, client=client)


def client_of(server: OddServer, **options: Any) -> Client:
    return Client(server.url, **{"server_version": "0.11.1", **options})


@by_form
async def test_a_request_has_a_span(form: Form, spans: Spans) -> None:
    with OddServer(ITEMS) as server, spans.tracer.start_as_current_span("caller") as caller:
        await call(client_of(server), form)
        assert trace.get_current_span() is caller
    span = spans.only()
    assert span.name == "GET /runs/{run_id}/items"
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "stepflow_api"
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": urlsplit(server.url).port,
        "url.full": f"{server.url}/api/v1/runs/{RUN_ID}/items",
        "url.template": "/runs/{run_id}/items",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.parent is not None
    assert span.parent.span_id == caller.get_span_context().span_id
    assert server.headers()["traceparent"] == traceparent(span.context)


def traceparent(of: Any) -> str:
    return f"00-{of.trace_id:032x}-{of.span_id:016x}-{of.trace_flags:02x}"


@by_form
async def test_a_span_shows_no_secret(form: Form, spans: Spans) -> None:
    with OddServer(ITEMS) as server:
        url = server.url.replace("//", "//user:sesame@")
        await call(AuthenticatedClient(url, "sesame", headers={"x-key": "sesame"}), form)
    # The server's version was detected first.
    assert [span.name for span in spans.of_requests()] == [
        "GET /health",
        "GET /runs/{run_id}/items",
    ]
    assert all("sesame" not in span.to_json() for span in spans.of_requests())


@by_form
async def test_a_request_that_a_call_needs_is_named_by_its_template(
    form: Form, spans: Spans
) -> None:
    # Later servers would cancel a run that has ended, so its status is requested first.
    ended = answer(json.dumps({"summary": {"runId": RUN_ID, "status": 2}}))
    with OddServer(ended) as server, pytest.raises(Conflict):
        await call(client_of(server, server_version="0.13.0"), form, "run.cancel_run")
    assert spans.only().name == "GET /runs/{run_id}"


@by_form
async def test_an_error_status(form: Form, spans: Spans) -> None:
    with OddServer(NOT_FOUND) as server, pytest.raises(NotFound):
        await call(client_of(server), form)
    span = spans.only()
    assert attributes(span)["http.response.status_code"] == 404
    assert attributes(span)["error.type"] == "404"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)


@by_form
async def test_a_status_that_is_expected(form: Form, spans: Spans) -> None:
    with OddServer(NOT_FOUND) as server, pytest.raises(NotFound):
        await call(client_of(server, server_version=None), form)
    health, _ = spans.of_requests()
    assert attributes(health)["http.response.status_code"] == 404
    assert "error.type" not in attributes(health)
    assert health.status.status_code is StatusCode.UNSET


@by_form
async def test_an_error_of_the_network(form: Form, spans: Spans) -> None:
    with OddServer(hang_up) as server, pytest.raises(ConnectionLost) as lost:
        await call(client_of(server), form)
    with pytest.raises(ConnectionFailed):
        await call(client_of(server), form)
    first, second = spans.of_requests()
    assert attributes(first)["error.type"] == "stepflow_api.errors.ConnectionLost"
    assert attributes(second)["error.type"] == "stepflow_api.errors.ConnectionFailed"
    assert "http.response.status_code" not in attributes(first)
    assert first.status.status_code is StatusCode.ERROR
    assert first.status.description == str(lost.value)
    # What the program makes of it is its own affair: an event of it may stand in the caller's span.
    assert not first.events


async def test_a_cancelled_request(spans: Spans) -> None:
    received, done = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: Any) -> None:
        loop.call_soon_threadsafe(received.set)
        done.wait(30)

    with OddServer(hold) as server:
        task = asyncio.create_task(call(client_of(server), ASYNCIO))
        await received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        done.set()
    assert attributes(spans.only())["error.type"] == "asyncio.exceptions.CancelledError"


EVENTS: Operation[Any, Any] = Operation("getRunEvents", "GET", "/runs/{run_id}/events", {})


def open_stream(spans: Spans) -> Steps[list[str]]:
    stream = yield Open(EVENTS, EVENTS.request(path={"run_id": RUN_ID}), timeout=30)
    names = [span.name for span in spans.of_requests()]
    yield Close(stream)
    return names


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_span_of_a_stream_ends_when_it_begins(is_async: bool, spans: Spans) -> None:
    with OddServer(answer("", content_type="text/event-stream")) as server:
        client = client_of(server)
        steps = open_stream(spans)
        ended = await client.run_async(steps) if is_async else client.run(steps)
        await client.aclose()
    assert ended == ["GET /runs/{run_id}/events"]
    assert attributes(spans.only())["http.response.status_code"] == 200
    assert server.headers()["traceparent"] == traceparent(spans.only().context)


@pytest.mark.parametrize("with_utils", [False, True])
def test_httpx_makes_no_second_span_of_a_stream(
    with_utils: bool, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppressed: list[str] = []

    @contextmanager
    def suppress() -> Iterator[None]:
        suppressed.append("begin")
        yield
        suppressed.append("end")

    # The package of the instrumentation of httpx, which a program without any has not imported.
    utils = SimpleNamespace(suppress_http_instrumentation=suppress) if with_utils else None
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.utils", utils)
    events = answer("", content_type="text/event-stream")
    with OddServer(events) as server, client_of(server) as client:
        client.run(open_stream(spans))
    assert suppressed == (["begin", "end"] if with_utils else [])


@pytest.mark.parametrize("count", [1, 2])
def test_a_request_that_is_sent_again(count: int, spans: Spans) -> None:
    request = Request("GET", "/health", template="/health", resend_count=count)
    health = '{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}'

    def steps() -> Steps[Any]:
        return (yield Call(health_check.OPERATION, request))

    with OddServer(answer(health)) as server, client_of(server) as client:
        client.run(steps())
    assert attributes(spans.only())["http.request.resend_count"] == count


@pytest.mark.parametrize(("url", "port"), [("http://127.0.0.1", 80), ("https://127.0.0.1", 443)])
def test_a_port_that_is_not_named(
    url: str, port: int, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise ConnectionRefusedError("nobody is there")

    monkeypatch.setattr("socket.create_connection", refuse)
    with Client(url, server_version="0.11.1") as client, pytest.raises(ConnectionFailed):
        health_check.sync(client=client)
    assert attributes(spans.only())["server.port"] == port


@by_form
async def test_requests_of_a_dialect_have_names(form: Form, spans: Spans) -> None:
    with OddServer(NOT_FOUND) as server, pytest.raises(NotFound):
        await call(client_of(server, server_version="0.13.0"), form, "run.cancel_run")
    assert spans.only().name == "GET /runs/{run_id}"


@by_form
async def test_requests_for_older_and_for_later_servers_have_names(
    form: Form, spans: Spans
) -> None:
    run = {**FLAT, "status": "completed"}
    run.pop("createdAtSeqno")
    created = {"runId": ID, "itemCount": 1}
    variables = {"flowId": "f", "variables": {"a": {}}}
    calls: list[tuple[str, str, Any, list[Any]]] = [
        (
            "0.9.0",
            "run.create_run",
            {"body": {**BODY.to_dict(), "wait": True}},
            [created, run, {"items": []}],
        ),
        ("0.9.0", "run.get_run", {"run_id": ID, "wait": True}, [run]),
        ("0.9.0", "run.get_run_steps", {"run_id": ID}, [run, {"steps": {}}]),
        ("0.13.0", "run.get_run_items", {"run_id": ID}, [{"results": []}, {"summary": SUMMARY}]),
        ("0.13.0", "flow.get_flow_variables", {"flow_id": "f"}, [variables, {"flow": {}}]),
    ]
    for version, endpoint, arguments, answers in calls:
        waiting = [answer(json.dumps(one)) for one in answers[::-1]]

        def handle(connection: socket.socket, waiting: list[Handler] = waiting) -> None:
            waiting.pop()(connection)

        with OddServer(handle) as server:
            async with client_of(server, server_version=version) as client:
                await form(endpoint, client=client, **arguments)
    run_span = "GET /runs/{run_id}"
    assert [span.name for span in spans.of_requests()] == [
        *("POST /runs", run_span, f"{run_span}/items"),
        run_span,
        *(run_span, f"{run_span}/steps"),
        *(f"{run_span}/items", run_span),
        *("GET /flows/{flow_id}/variables", "GET /flows/{flow_id}"),
    ]


@by_form
async def test_httpx_of_the_caller_has_no_span_of_ours(form: Form, spans: Spans) -> None:
    client: Any = httpx.AsyncClient() if form.is_async else httpx.Client()
    with OddServer(ITEMS) as server, spans.tracer.start_as_current_span("caller") as caller:
        await call(client_of(server, http_client=client), form)
    assert not spans.of_requests()
    assert server.headers()["traceparent"] == traceparent(caller.get_span_context())
    await client.aclose() if form.is_async else client.close()


@by_form
async def test_a_program_without_a_provider_passes_its_context_on(form: Form) -> None:
    received = {"traceparent": f"00-{7:032x}-{8:016x}-01", "tracestate": "vendor=1"}
    with OddServer(ITEMS) as server:
        await call(client_of(server), form)
        assert "traceparent" not in server.headers()
        token = context.attach(propagate.extract(received))
        try:
            await call(client_of(server), form)
        finally:
            context.detach(token)
    headers = server.headers()
    assert {name: headers[name] for name in received} == received


def test_the_context_joins_the_fields_of_a_request(spans: Spans) -> None:
    with OddServer(ITEMS) as server:
        request = Request("GET", "/x", headers={"x-own": "1"})
        operation: Operation[Any, Any] = Operation("x", "GET", "/x", {"200": bytes})
        client_of(server).call(operation, request)
    assert server.headers()["x-own"] == "1"
    assert server.headers()["traceparent"] == traceparent(spans.only().context)
    # Its template is unknown, and a path would be another name for each run.
    assert spans.only().name == "GET"
    assert "url.template" not in attributes(spans.only())


@by_form
async def test_a_context_that_is_given_for_a_call_stays(form: Form, spans: Spans) -> None:
    given = f"00-{7:032x}-{8:016x}-01"
    with OddServer(ITEMS) as server:
        async with client_of(server) as client:
            headers = {"Traceparent": given}
            await form("run.get_run_items", RUN_ID, client=client, headers=headers)
    assert server.headers()["traceparent"] == given
    assert len(spans.of_requests()) == 1
