"""Propagation of the caller's trace to the server, if OpenTelemetry is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def _propagator() -> Callable[[], Mapping[str, str]]:
    try:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    except ImportError:
        return dict

    propagator = TraceContextTextMapPropagator()

    def headers() -> Mapping[str, str]:
        carrier: dict[str, str] = {}
        propagator.inject(carrier)
        return carrier

    return headers


trace_headers = _propagator()
"""Return the header fields of the current span, such as `traceparent`; none without a span."""
