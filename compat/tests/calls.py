"""Calls by either client, and their results, to be compared between servers."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel

from stepflow_api import models
from stepflow_client import StepflowClient

#: What a server makes up anew each time, or words in its own way.
_MADE_UP = {
    "run_id",
    "root_run_id",
    "flow_id",
    "blob_id",
    "created_at",
    "completed_at",
    "orchestrator_id",
    "created_at_seqno",
    "finished_at_seqno",
}


class Caller:
    """Either client, by the same calls."""

    def __init__(self, cls: type[Any], url: str, **options: Any) -> None:
        self._runner = asyncio.Runner() if cls is StepflowClient else None
        self.client = cls(url, **options)

    def __call__(self, value: Any) -> Any:
        """Return the result of a call: of a coroutine once it is done, of an iterator as a list."""
        if self._runner is None:
            return list(value) if inspect.isgenerator(value) else value
        if isinstance(value, AsyncIterator):
            return self._runner.run(_listed(value))
        return self._runner.run(_awaited(value)) if inspect.isawaitable(value) else value

    def close(self) -> None:
        """Closes the client, and ends its event loop."""
        self(self.client.close())
        if self._runner is not None:
            self._runner.close()


async def _awaited(value: Any) -> Any:
    return await value


async def _listed(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


def fields(value: Any) -> Any:
    """Return a typed result as plain fields with their types, without generated ids and times."""
    if isinstance(value, BaseModel):
        made_up = {
            name: bool(getattr(value, name)) for name in _MADE_UP & {*type(value).model_fields}
        }
        # A server up to 0.10 numbers no event.
        for name in ("created_at_seqno", "finished_at_seqno", "orchestrator_id"):
            made_up.pop(name, None)
        plain = {
            name: fields(getattr(value, name))
            for name in type(value).model_fields
            if name not in _MADE_UP
        }
        if isinstance(value, models.FlowError):
            plain.pop("code")
        return type(value).__name__, plain, made_up
    if isinstance(value, list | tuple):
        return [fields(one) for one in value]
    if isinstance(value, dict):
        return {key: fields(one) for key, one in value.items()}
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        return "an id"
    return type(value).__name__, value
