"""Holds the conversations of the seam: does what they ask for, with or without blocking."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from stepflow_api._exchange.dialects.base import Pause
from stepflow_api._exchange.exchange import Await, Conversation
from stepflow_api._operation import Request
from stepflow_api._transport.event_loops import asyncio_loop
from stepflow_api._transport.timeouts import Timeouts
from stepflow_api._transport.transport import Transport
from stepflow_api.errors import StepflowError

T = TypeVar("T")


def hold(transport: Transport, conversation: Conversation[T], timeouts: Timeouts) -> T:
    """Holds a conversation to its end.

    Args:
        transport: The way to the server.
        conversation: What is to be said.
        timeouts: Those of the call.

    Returns:
        What it comes to.

    Raises:
        StepflowError: It comes to nothing.
    """
    try:
        wanted = next(conversation)
        while True:
            try:
                value = _perform(transport, wanted, timeouts)
            except StepflowError as error:
                wanted = conversation.throw(error)
            else:
                wanted = conversation.send(value)
    except StopIteration as stop:
        came: T = stop.value
        return came
    finally:
        conversation.close()


async def hold_async(transport: Transport, conversation: Conversation[T], timeouts: Timeouts) -> T:
    """Async version of `hold`."""
    try:
        wanted = next(conversation)
        while True:
            try:
                value = await _perform_async(transport, wanted, timeouts)
            except StepflowError as error:
                wanted = conversation.throw(error)
            else:
                wanted = conversation.send(value)
    except StopIteration as stop:
        came: T = stop.value
        return came
    finally:
        conversation.close()


def _perform(transport: Transport, wanted: Request | Pause | Await, timeouts: Timeouts) -> Any:
    match wanted:
        case Request():
            return transport.send(wanted, timeouts)
        case Pause(seconds):
            time.sleep(seconds)
        case Await(flight, request):
            try:
                return flight.result(timeouts.bound(timeouts.read))
            except TimeoutError:
                raise transport.late(request) from None
    return None


async def _perform_async(
    transport: Transport, wanted: Request | Pause | Await, timeouts: Timeouts
) -> Any:
    if isinstance(wanted, Request):
        return await transport.send_async(wanted, timeouts)
    import asyncio

    match wanted:
        case Pause(seconds):
            await asyncio.sleep(seconds)
        case Await(flight, request):
            asyncio_loop()
            try:
                # Others wait for it as well, so the end of this caller must not end it.
                shared = asyncio.shield(asyncio.wrap_future(flight))
                return await asyncio.wait_for(shared, timeouts.bound(timeouts.read))
            except TimeoutError:
                raise transport.late(request) from None
    return None
