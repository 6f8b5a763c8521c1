"""Helpers of the client's tests."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from stepflow_client import RetryPolicy, StepflowClient, SyncStepflowClient, events
from tools.pytest.support import release as release
from tools.pytest.support import wait_until as wait_until

#: The server's version, if it is not the pinned one.
VERSION = os.environ.get("STEPFLOW_SERVER_VERSION", "0.11.1")

#: Returns its input.
ECHO = {"name": "echo", "steps": [], "output": {"$input": "$"}}

#: A run in progress, as servers from 0.12 on report it.
RUNNING = {
    "summary": {
        "runId": str(UUID(int=1)),
        "rootRunId": str(UUID(int=1)),
        "flowId": "0" * 64,
        "status": 1,
        "items": {"total": 1, "completed": 0, "running": 1, "failed": 0, "cancelled": 0},
        "createdAt": "2026-01-01T00:00:00Z",
        "createdAtSeqno": 0,
    }
}

#: Reads the file that its input names: a FIFO makes it slow, a missing file makes it fail.
READ_FILE = {
    "name": "read-file",
    "steps": [{"id": "read", "component": "/load_file", "input": {"path": {"$input": "path"}}}],
    "output": {"$step": "read", "path": "data"},
}

#: Three steps, one after the other.
CHAIN = {
    "name": "chain",
    "steps": [
        {
            "id": f"step{number}",
            "component": "/create_messages",
            "input": {
                "user_prompt": {"$step": f"step{number - 1}", "path": "messages[0].content"}
                if number
                else {"$input": "prompt"}
            },
        }
        for number in range(3)
    ],
    "output": {"$step": "step2"},
}

#: Retries at once, so that tests of retries are quick.
AT_ONCE = RetryPolicy(first_delay=0.001, last_delay=0.01)


class Driver:
    """Uses either client by the same calls, awaited or not."""

    def __init__(self, kind: str) -> None:
        self.is_async = kind == "async"
        self._runner = asyncio.Runner() if self.is_async else None

    def client(self, url: str | list[str] | None, **options: Any) -> Any:
        """Return a client."""
        cls = StepflowClient if self.is_async else SyncStepflowClient
        # Faults are planned by the number of a request, so none is to ask for the version.
        return cls(url, **{"retry": AT_ONCE, "server_version": VERSION, **options})

    def __call__(self, value: Any) -> Any:
        """Return the result of a call: of a coroutine, or of an iterator as a list."""
        if inspect.isawaitable(value):
            assert self._runner is not None
            return self._runner.run(_awaited(value))
        if isinstance(value, AsyncIterator):
            assert self._runner is not None
            return self._runner.run(_listed(value))
        return list(value) if inspect.isgenerator(value) else value

    def close(self) -> None:
        """Close the event loop."""
        if self._runner is not None:
            self._runner.close()


async def _awaited(value: Any) -> Any:
    return await value


async def _listed(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


def watch(
    do: Driver, handle: Any, on_event: Callable[[events.RunEvent], object], **options: Any
) -> list[events.RunEvent]:
    """Return a list of events after calling a function with each."""
    seen: list[events.RunEvent] = []

    def see(event: events.RunEvent) -> None:
        seen.append(event)
        on_event(event)

    async def main() -> None:
        async for event in handle.events(**options):
            see(event)

    if do.is_async:
        do(main())
    else:
        for event in handle.events(**options):
            see(event)
    return seen
