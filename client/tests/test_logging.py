"""What is logged, what is not, and the trace that is passed on."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from client.tests.fault_proxy import Fault, FaultProxy
from client.tests.support import ECHO, Driver
from stepflow_client import SyncStepflowClient, errors
from tools.spec.server import StepflowServer


def test_one_line_a_request_at_debug_and_a_retry_at_info(
    do: Driver, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="stepflow_client")
    faults = iter([Fault.RESET_BEFORE, Fault.BUSY])
    proxy.plan = lambda seen: next(faults, Fault.NONE)
    client = do.client(proxy.url, token="sesame", headers={"x-secret": "sesame"})
    do(client.run(ECHO, "a secret input: sesame"))
    do(client.close())
    lines = [r.getMessage() for r in caplog.records if r.name == "stepflow_client"]
    levels = [r.levelno for r in caplog.records if r.name == "stepflow_client"]
    assert levels.count(logging.DEBUG) == len(proxy.seen)
    assert levels.count(logging.INFO) == 2
    assert re.fullmatch(r"POST /flows: ConnectionLost after [\d.]+ ms", lines[0])
    assert re.fullmatch(
        r"POST /flows: ConnectionLost; sending it again in [\d.]+ s \(failure 1\)", lines[1]
    )
    assert re.fullmatch(r"POST /flows: ServerError 503 after [\d.]+ ms", lines[2])
    assert re.fullmatch(r"POST /flows: done after [\d.]+ ms", lines[4])
    assert all("sesame" not in line for line in lines)


def test_no_error_shows_a_secret(do: Driver, proxy: FaultProxy) -> None:
    proxy.plan = lambda seen: Fault.RESET_BEFORE
    url = proxy.url.replace("//", "//user:sesame@")
    client = do.client(url, headers={"x-secret": "sesame"})
    with pytest.raises(errors.Unreachable) as caught:
        do(client.health())
    error: BaseException | None = caught.value
    while error is not None:
        assert "sesame" not in str(error) + repr(error)
        error = error.__cause__
    assert "sesame" not in repr(client)
    do(client.close())


def headers_of(call: Callable[[Any], Any], server: StepflowServer) -> httpx.Headers:
    sent: list[httpx.Headers] = []
    with httpx.Client(event_hooks={"request": [lambda r: sent.append(r.headers)]}) as http:
        call(SyncStepflowClient(server.url, http_client=http))
    return sent[-1]


def test_the_current_span_is_passed_on(server: StepflowServer) -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("caller") as span:
        sent = headers_of(lambda client: client.health(), server)
    context = span.get_span_context()
    assert sent["traceparent"] == (
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )


def test_no_span_passes_nothing_on(server: StepflowServer) -> None:
    assert "traceparent" not in headers_of(lambda client: client.health(), server)
