"""The span of a call that takes several requests, for programs with OpenTelemetry."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


def span(name: str) -> AbstractContextManager[Any]:
    """Return a context with a span, the parent of those of its requests.

    Returns:
        A context manager, which yields None if the program has not imported OpenTelemetry.
    """
    return _span(name) if sys.modules.get("opentelemetry.trace") else nullcontext()


@contextmanager
def _span(name: str) -> Generator[Any]:
    from opentelemetry import trace

    from stepflow_api import __version__

    tracer = trace.get_tracer("stepflow_client", __version__)
    with tracer.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        # OpenTelemetry itself ignores a cancelled task, whose requests end with an error as well.
        except BaseException as error:
            kind = type(error)
            span.set_attribute("error.type", f"{kind.__module__}.{kind.__qualname__}")
            span.set_status(trace.StatusCode.ERROR, f"{kind.__name__}: {error}")
            span.record_exception(error)
            raise
