"""Spans of requests, and the trace context that they carry, for programs with OpenTelemetry.

Imported once the program has imported OpenTelemetry itself, so that others do not pay for it. The
spans follow the semantic conventions for HTTP clients.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry import propagate, trace

from stepflow_api._constants import DEFAULT_PORTS
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.timeouts import Timeouts
from stepflow_api._transport.transport import Transport
from stepflow_api._version import VERSION

if TYPE_CHECKING:
    from stepflow_api._transport.event_stream import AsyncEventStream, EventStream


def traced(transport: Transport) -> Transport | TracedTransport:
    """Return a transport that traces its requests; the same one if the program does not trace."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, trace.ProxyTracerProvider):
        return TracedTransport(transport, _tracer(provider) if transport.is_own else None)
    # Without a provider of its own, a program may still pass on the context that it received.
    if trace.get_current_span() is not trace.INVALID_SPAN:
        return TracedTransport(transport, None)
    return transport


@lru_cache(maxsize=1)
def _tracer(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer("stepflow_api", VERSION)


class TracedTransport:
    """A transport that makes a span for each request, and adds the context to its header fields.

    Args:
        transport: Moves the requests.
        tracer: Makes the spans; None if httpx's instrumentation makes them.
    """

    def __init__(self, transport: Transport, tracer: trace.Tracer | None) -> None:
        self._transport = transport
        self._tracer = tracer

    def send(self, request: Request, timeouts: Timeouts) -> Answer:
        """As `Transport.send`."""
        with self._span(request) as span:
            answer = self._transport.send(_with_context(request), timeouts)
            _set_status(span, request, answer.status_code)
            return answer

    async def send_async(self, request: Request, timeouts: Timeouts) -> Answer:
        """Async version of `send`."""
        with self._span(request) as span:
            answer = await self._transport.send_async(_with_context(request), timeouts)
            _set_status(span, request, answer.status_code)
            return answer

    def open(
        self, request: Request, timeouts: Timeouts, parse: Callable[[bytes], Any]
    ) -> EventStream | Answer:
        """As `Transport.open`; the span ends when the stream begins."""
        with self._span(request) as span:
            opened = self._transport.open(_with_context(request), timeouts, parse)
            _set_status(span, request, opened.status_code)
            return opened

    async def open_async(
        self, request: Request, timeouts: Timeouts, parse: Callable[[bytes], Any]
    ) -> AsyncEventStream | Answer:
        """Async version of `open`."""
        with self._span(request) as span:
            opened = await self._transport.open_async(_with_context(request), timeouts, parse)
            _set_status(span, request, opened.status_code)
            return opened

    @contextmanager
    def _span(self, request: Request) -> Generator[trace.Span]:
        if self._tracer is None:
            yield trace.INVALID_SPAN
            return
        name = f"{request.method} {request.template}" if request.template else request.method
        span = self._tracer.start_span(
            name, kind=trace.SpanKind.CLIENT, attributes=_attributes(request, self._transport)
        )
        is_current = trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        )
        with is_current, _alone():
            try:
                yield span
            except BaseException as error:
                kind = type(error)
                span.set_attribute("error.type", f"{kind.__module__}.{kind.__qualname__}")
                span.set_status(trace.StatusCode.ERROR, str(error))
                raise


def _attributes(request: Request, transport: Transport) -> dict[str, str | int]:
    url = transport.url(request)
    parts = urlsplit(url)
    attributes: dict[str, str | int] = {
        "http.request.method": request.method,
        "server.address": parts.hostname or "",
        "server.port": parts.port or DEFAULT_PORTS[parts.scheme],
        "url.full": url,
    }
    if request.template:
        attributes["url.template"] = request.template
    if request.resend_count:
        attributes["http.request.resend_count"] = request.resend_count
    return attributes


def _set_status(span: trace.Span, request: Request, status_code: int) -> None:
    span.set_attribute("http.response.status_code", status_code)
    if status_code >= 400 and status_code not in request.expected_statuses:
        span.set_attribute("error.type", str(status_code))
        span.set_status(trace.StatusCode.ERROR)


def _with_context(request: Request) -> Request:
    """Return a request with the context in its header fields, as `traceparent` for example.

    What the request has already was given for the call, and stays.
    """
    fields: dict[str, str] = {}
    propagate.inject(fields)
    return replace(request, headers={**fields, **request.headers}) if fields else request


def _alone() -> AbstractContextManager[object]:
    """Keep httpx's instrumentation, if there is one, from making a second span of a request."""
    utils = sys.modules.get("opentelemetry.instrumentation.utils")
    return getattr(utils, "suppress_http_instrumentation", nullcontext)()
