"""What the tests of components share."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Generator
from typing import Any

#: The server's version.
VERSION = tuple(map(int, os.environ.get("STEPFLOW_SERVER_VERSION", "0.11.1").split(".")))


def flow(component: str, input: Any) -> dict[str, Any]:
    """Return a flow with one step that calls a component.

    Args:
        component: The component's name, without the plugin.
        input: The step's input.
    """
    return {
        "name": component,
        "steps": [{"id": "call", "component": f"/python/{component}", "input": input}],
        "output": {"$step": "call"},
    }


def problem(result: Any) -> str:
    """Return the message of a result that failed."""
    assert result.error is not None, result
    if VERSION >= (0, 11):
        return str(result.error.message)
    # Earlier servers report the component's message below their own.
    return str(result.error.data["stack"][-1]["error"])


def code(result: Any) -> int:
    """Return the code of a component's error."""
    if VERSION >= (0, 11):
        return int(result.error.code)
    # Earlier servers report it in their message.
    (found,) = re.findall(r"component server error\((-\d+)\)", problem(result))
    return int(found)


@contextlib.contextmanager
def logged_exceptions() -> Generator[list[logging.LogRecord]]:
    """Collect the records of the components' logger."""
    records: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Handler()
    logger = logging.getLogger("stepflow_runtime.components")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield records
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
