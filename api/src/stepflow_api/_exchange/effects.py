"""Effects that a generator yields, and their results.

Code of this package that needs I/O does none: it is a generator, `Steps[T]`, which yields effects
and returns a `T`. `driver` performs the effects, blocking or not, so each rule is written once.

A generator yields      | and is sent
------------------------|------------------------------------------------------------------------
`Request`               | the `Answer` to it, whatever its status
`OpenStream`            | an event stream, or the `Answer` if the response is none
`Call`, `Fetch`, `Open` | what the operation returns for a success, in the terms of the stored spec
`Read`                  | the next events of a stream; None at its end
`Close`, `Sleep`        | None, once it is done
`Ask`                   | what a function of the user returns, hidden
`Wait`                  | the result of the future

The first value that a generator is sent is None, which starts it. An exception of an effect is
raised where the effect was yielded, also when the caller is cancelled or interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic_core import from_json

from stepflow_api._hidden import Hidden
from stepflow_api._messages import Answer, Request
from stepflow_api.types import UNSET

if TYPE_CHECKING:
    from concurrent.futures import Future

    from stepflow_api._operation import Operation

T = TypeVar("T")


class OpenStream(NamedTuple):
    """Send a request whose response is a stream of events.

    Attributes:
        request: The request.
        parse: Parser of each event.
    """

    request: Request
    parse: Callable[[bytes], Any] = from_json


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """Send a request in the server's dialect; the result is what the operation returns.

    Attributes:
        operation: The operation.
        request: The request.
        timeout: As of `Client.call`, or the `Timeouts` of a call that has begun.
        headers: As of `Client.call`.
        client: The `stepflow_api.Client` that sends it; by default the one that runs the generator.
    """

    operation: Operation[T, Any]
    request: Request
    timeout: Any = UNSET
    headers: Hidden[Mapping[str, str] | None] | None = None
    client: Any = None

    @property
    def sending(self) -> Request | OpenStream:
        """The effect that sends the request as it is."""
        return self.request

    def parse(self, answer: Any) -> Any:
        """Return the result, from the response."""
        return self.operation.result(answer)


class Fetch(Call[T]):
    """Send a request; the result is a `Response` with the body in pieces."""

    __slots__ = ()

    def parse(self, answer: Answer) -> Any:
        """Return the result, from the response."""
        return self.operation.pieces(answer)


class Open(Call[T]):
    """Send a request; the result is a stream of events, to be closed."""

    __slots__ = ()

    @property
    def sending(self) -> Request | OpenStream:
        """The effect that sends the request as it is."""
        return OpenStream(self.request, self.operation.event)

    def parse(self, answer: Any) -> Any:
        """Return the result, from the response."""
        return self.operation.stream(answer)


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for the next events of a stream; the result is what its `read` returns.

    Attributes:
        stream: An `EventStream`, or an `AsyncEventStream` in async code.
        seconds: Maximum time to wait.
    """

    stream: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """Close a stream.

    Attributes:
        stream: The stream.
    """

    stream: Any


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait.

    Attributes:
        seconds: How long.
    """

    seconds: float


class Wait(NamedTuple):
    """Wait for what another caller is doing.

    Attributes:
        future: Is done once the other caller is.
        request: The other caller's request, for the error after the read timeout.
    """

    future: Future[Any]
    request: Request


class Ask(NamedTuple):
    """Call a function of the user, and await the result in async code.

    Attributes:
        function: The function.
    """

    function: Hidden[Callable[[], Any]]


#: What a generator may yield.
Effect: TypeAlias = Request | OpenStream | Call[Any] | Read | Close | Sleep | Wait | Ask

Steps: TypeAlias = Generator[Effect, Any, T]
"""A generator that yields effects, and returns a `T`."""


def through(steps: Steps[T], perform: Callable[[Effect], Steps[Any]]) -> Steps[T]:
    """Run a generator with others in between, which yield its effects in their own way.

    Args:
        steps: The generator.
        perform: Takes each effect; what it returns is sent to the generator.

    Returns:
        What the generator returns.
    """
    try:
        effect = next(steps)
        while True:
            try:
                value = yield from perform(effect)
            except BaseException as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
                # The next response may be as large as this one.
                del value
    except StopIteration as stop:
        result: T = stop.value
        return result
