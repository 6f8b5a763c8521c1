"""Runs the core's steps: the two places where something happens."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import Any, TypeVar

from stepflow_api import Client
from stepflow_api._operation import Request
from stepflow_api._ways import asyncio_loop
from stepflow_api.errors import StatusError, StepflowError
from stepflow_client._requests.effects import Call, Close, Effect, Fetch, Open, Read, Sleep, Steps
from stepflow_client._requests.tracing import trace_headers

T = TypeVar("T")

_log = logging.getLogger("stepflow_client")


def drive(client: Client, steps: Steps[T]) -> T:
    """Runs steps, blocking.

    Args:
        client: Sends the requests.
        steps: What to do; closed at the end, however that comes.
    """
    try:
        effect = next(steps)
        while True:
            try:
                value = _perform(client, effect)
            except StepflowError as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
                # The next answer may be as large as this one.
                del value
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def drive_async(client: Client, steps: Steps[T]) -> T:
    """Async version of `drive`."""
    asyncio_loop()
    try:
        effect = next(steps)
        while True:
            try:
                value = await _perform_async(client, effect)
            except StepflowError as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
                # The next answer may be as large as this one.
                del value
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        steps.close()


def _perform(client: Client, effect: Effect) -> Any:
    if isinstance(effect, Sleep):
        time.sleep(effect.seconds)
        return None
    if isinstance(effect, Read):
        return effect.stream.read(effect.seconds)
    if isinstance(effect, Close):
        return effect.stream.close()
    request = _traced(effect)
    # Those of a call that has begun, which no public type describes.
    timeout: Any = effect.timeouts
    with _Logged(request):
        if isinstance(effect, Open):
            return client.open(effect.operation, request, timeout=timeout)
        send = client.fetch if isinstance(effect, Fetch) else client.call
        return send(effect.operation, request, timeout=timeout)


async def _perform_async(client: Client, effect: Effect) -> Any:
    if isinstance(effect, Sleep):
        await asyncio.sleep(effect.seconds)
        return None
    if isinstance(effect, Read):
        return await effect.stream.read(effect.seconds)
    if isinstance(effect, Close):
        return await effect.stream.close()
    request = _traced(effect)
    # Those of a call that has begun, which no public type describes.
    timeout: Any = effect.timeouts
    with _Logged(request):
        if isinstance(effect, Open):
            return await client.open_async(effect.operation, request, timeout=timeout)
        send = client.fetch_async if isinstance(effect, Fetch) else client.call_async
        return await send(effect.operation, request, timeout=timeout)


def _traced(call: Call[Any]) -> Request:
    headers = trace_headers()
    if not headers:
        return call.request
    return replace(call.request, headers={**call.request.headers, **headers})


class _Logged:
    """One line for one request, without its headers, its query and the bodies."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._start = time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if not _log.isEnabledFor(logging.DEBUG):
            return
        outcome = "done" if kind is None else kind.__name__
        if isinstance(error, StatusError):
            outcome += f" {error.status_code}"
        milliseconds = (time.monotonic() - self._start) * 1000
        _log.debug(
            "%s %s: %s after %.1f ms",
            self._request.method,
            self._request.path,
            outcome,
            milliseconds,
        )
