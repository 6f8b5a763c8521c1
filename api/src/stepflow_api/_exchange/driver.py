"""The only place where the effects of a generator are performed, with or without blocking."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from sys import modules
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from stepflow_api._exchange.call_headers import with_headers
from stepflow_api._exchange.effects import (
    Ask,
    Call,
    Close,
    Effect,
    OpenStream,
    Read,
    Sleep,
    Steps,
    Wait,
)
from stepflow_api._exchange.exchange import Exchange
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Request
from stepflow_api._transport.event_loops import asyncio_loop
from stepflow_api._transport.timeouts import Timeouts
from stepflow_api._transport.transport import Transport
from stepflow_api.errors import InvalidRequest

if TYPE_CHECKING:
    from stepflow_api._exchange.tracing import TracedTransport

T = TypeVar("T")

# A program that traces has imported it.
_OPENTELEMETRY = "opentelemetry.trace"


def run(
    exchange: Exchange,
    steps: Steps[T],
    timeouts: Timeouts,
    headers: Hidden[Mapping[str, str] | None] | None = None,
) -> T:
    """Run a generator to its end.

    Args:
        exchange: The exchange with the server.
        steps: The generator.
        timeouts: Those of its requests; a `Call` has its own.
        headers: For its requests, in place of the client's of the same names.

    Returns:
        What the generator returns.
    """
    transport: Transport | TracedTransport = exchange.transport
    if modules.get(_OPENTELEMETRY):
        transport = _tracing().traced(exchange.transport)
    if headers is not None:
        steps = with_headers(steps, headers)
    if exchange.token is not None:
        steps = exchange.token.steps(steps)
    try:
        effect = steps.send(None)
        while True:
            try:
                if type(effect) is Request:
                    value = transport.send(effect, timeouts)
                else:
                    value = _perform(exchange, transport, effect, timeouts)
            except BaseException as error:
                effect = steps.throw(_throwable(error))
            else:
                effect = steps.send(value)
                # The next response may be as large as this one.
                del value
    except StopIteration as stop:
        result: T = stop.value
        return result


async def run_async(
    exchange: Exchange,
    steps: Steps[T],
    timeouts: Timeouts,
    headers: Hidden[Mapping[str, str] | None] | None = None,
) -> T:
    """Async version of `run`."""
    transport: Transport | TracedTransport = exchange.transport
    if modules.get(_OPENTELEMETRY):
        transport = _tracing().traced(exchange.transport)
    if headers is not None:
        steps = with_headers(steps, headers)
    if exchange.token is not None:
        steps = exchange.token.steps(steps)
    try:
        effect = steps.send(None)
        while True:
            try:
                if type(effect) is Request:
                    value = await transport.send_async(effect, timeouts)
                else:
                    value = await _perform_async(exchange, transport, effect, timeouts)
            except BaseException as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
                # The next response may be as large as this one.
                del value
    except StopIteration as stop:
        result: T = stop.value
        return result


def _perform(
    exchange: Exchange, transport: Transport | TracedTransport, effect: Effect, timeouts: Timeouts
) -> Any:
    match effect:
        case Call():
            if effect.client is not None:
                exchange = effect.client._exchange
            own = exchange.transport.timeouts(effect.timeout)
            return run(exchange, _steps(exchange, effect), own, effect.headers)
        case OpenStream(request, parse):
            return transport.open(request, timeouts, parse)
        case Read(stream, seconds):
            return stream.read(seconds)
        case Close(stream):
            return stream.close()
        case Sleep(seconds):
            return time.sleep(seconds)
        case Wait(future, request):
            try:
                return future.result(timeouts.bound(timeouts.read))
            except TimeoutError:
                raise exchange.transport.timeout_error(request) from None
        case Ask(function):
            asked = Hidden(function.value())
            if hasattr(asked.value, "__await__"):
                raise _no_text(asked)
            return asked
        case _:
            raise _no_effect(effect)


async def _perform_async(
    exchange: Exchange, transport: Transport | TracedTransport, effect: Effect, timeouts: Timeouts
) -> Any:
    import asyncio

    match effect:
        case Call():
            if effect.client is not None:
                exchange = effect.client._exchange
            own = exchange.transport.timeouts(effect.timeout)
            return await run_async(exchange, _steps(exchange, effect), own, effect.headers)
        case OpenStream(request, parse):
            return await transport.open_async(request, timeouts, parse)
        case Read(stream, seconds):
            return await stream.read(seconds)
        case Close(stream):
            return await stream.close()
        case Sleep(seconds):
            return await asyncio.sleep(seconds)
        case Wait(future, request):
            asyncio_loop()
            try:
                # Others wait for it as well, so the end of this caller must not end it.
                shared = asyncio.shield(asyncio.wrap_future(future))
                return await asyncio.wait_for(shared, timeouts.bound(timeouts.read))
            except TimeoutError:
                raise exchange.transport.timeout_error(request) from None
        case Ask(function):
            asked = Hidden(function.value())
            return Hidden(await asked.value) if hasattr(asked.value, "__await__") else asked
        case _:
            raise _no_effect(effect)


def _throwable(error: BaseException) -> BaseException:
    """Return an error as a generator can receive it."""
    if not isinstance(error, StopIteration):
        return error
    # A function of the user raised it, and it would end the generator. Coroutines raise the same.
    explained = RuntimeError(
        "a function that was passed to the client raised StopIteration; return a value, or raise"
        " another exception"
    )
    explained.__cause__ = error
    return explained


@cache
def _tracing() -> ModuleType:
    from stepflow_api._exchange import tracing

    return tracing


def _steps(exchange: Exchange, call: Call[T]) -> Steps[Any]:
    return exchange.steps(call.operation, call.sending, call.parse)


def _no_effect(effect: object) -> TypeError:
    kind = type(effect).__name__
    return TypeError(
        f"a generator yielded a value of type {kind}; yield an effect of stepflow_api.lowlevel"
    )


def _no_text(asked: Hidden[Any]) -> InvalidRequest:
    # Python warns of a coroutine that is never awaited.
    if hasattr(asked.value, "close"):
        asked.value.close()
    return InvalidRequest(
        "the token's function is asynchronous, and this call is not; use asyncio(...) forms, or a"
        " function that returns text"
    )
