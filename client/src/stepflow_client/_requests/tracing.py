"""The span of a call that takes several requests, for programs with OpenTelemetry."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def span(name: str) -> AbstractContextManager[Any]:
    """Return a context with a span, the parent of those of its requests.

    Args:
        name: Name of the span.

    Returns:
        A context manager, which yields None if the program has not imported OpenTelemetry.
    """
    if not sys.modules.get("opentelemetry.trace"):
        return nullcontext()
    from opentelemetry import trace

    from stepflow_api import __version__

    return trace.get_tracer("stepflow_client", __version__).start_as_current_span(name)
