"""Answers that go on: the events that a server tells as they happen (server-sent events)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

from stepflow_api._constants import EVENT_LIMIT
from stepflow_api._transport.failures import cause_to_show, http_failures
from stepflow_api._transport.httpx_response import body_parts, body_parts_async
from stepflow_api._transport.timeouts import Timeouts, limited
from stepflow_api.errors import StepflowError

if TYPE_CHECKING:
    import httpx

MEDIA_TYPE = "text/event-stream"


class EventDecoder:
    """Decoder for the data of server-sent events, fed with pieces of a stream.

    Servers send only `data` fields and, to keep the connection alive, comments; other fields are
    ignored. Decoding takes linear time.

    Args:
        limit: Maximum size of one event, in bytes.
    """

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._line: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of the events that a piece completes.

        Raises:
            ValueError: An event is larger than the limit.
        """
        done: list[bytes] = []
        first, *others = piece.split(b"\n")
        self._extend(first)
        for start in others:
            line = b"".join(self._line).removesuffix(b"\r")
            self._line = []
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line:
                if self._data:
                    done.append(b"\n".join(self._data))
                self._data = []
                self._size = 0
            self._extend(start)
        return done

    def _extend(self, part: bytes) -> None:
        if part:
            # Everything since the last event counts, so that memory is bounded.
            self._size += len(part)
            if self._size > self._limit:
                raise ValueError(f"an event is larger than {self._limit} bytes")
            self._line.append(part)


class _Decoding:
    def __init__(
        self,
        parse: Callable[[bytes], dict[str, Any]],
        fail: Callable[[Exception], StepflowError],
        timeout: float | None,
    ) -> None:
        self._decoder = EventDecoder()
        self._parse = parse
        self._fail = fail
        self._timeout = timeout

    def _timeouts(self, seconds: float | None) -> Timeouts:
        return Timeouts.for_total(self._timeout if seconds is None else seconds)

    def _documents(self, piece: bytes) -> list[dict[str, Any]]:
        try:
            return [self._parse(data) for data in self._decoder.feed(piece)]
        except ValueError as error:
            raise self._fail(error) from error


class EventStream(_Decoding):
    """The events of one answer; closed by whoever opened it.

    Args:
        response: The answer, whose body has not been read.
        held: What closing it gives back.
        parse: Makes a document of an event's data.
        fail: Makes the error for what goes wrong.
        timeout: Maximum time to wait for the next event, in seconds; None for no limit.
        watch: Ends the wait for a piece when it is overdue.

    Attributes:
        status_code: HTTP status.
    """

    def __init__(
        self,
        response: httpx.Response,
        held: ExitStack,
        parse: Callable[[bytes], dict[str, Any]],
        fail: Callable[[Exception], StepflowError],
        timeout: float | None,
        watch: Callable[[Timeouts], AbstractContextManager[None]],
    ) -> None:
        super().__init__(parse, fail, timeout)
        self.status_code = response.status_code
        self._watch = watch
        self._pieces: Iterator[bytes] = body_parts(response)
        self._held = held

    def read(self, seconds: float | None = None) -> list[dict[str, Any]] | None:
        """Wait for the next events.

        Args:
            seconds: Maximum time to wait, in place of the stream's. Comments and parts of an
                event, which a server may send for ever, do not prolong it.

        Returns:
            Events; None at the end of the answer.

        Raises:
            TransportError: The connection was lost, or no event came in time.
            InvalidAnswer: What came is no event.
        """
        timeouts = self._timeouts(seconds)
        try:
            with self._watch(timeouts):
                for piece in self._pieces:
                    if documents := self._documents(piece):
                        return documents
                    timeouts.bound(None)
                # A connection that was shut down may look like the end of the stream.
                timeouts.bound(None)
        except http_failures() as error:
            raise self._fail(timeouts.error(error)) from cause_to_show(error)
        return None

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(*http_failures()):
            self._held.close()


class AsyncEventStream(_Decoding):
    """Async version of `EventStream`."""

    def __init__(
        self,
        response: httpx.Response,
        held: AsyncExitStack,
        parse: Callable[[bytes], dict[str, Any]],
        fail: Callable[[Exception], StepflowError],
        timeout: float | None,
    ) -> None:
        super().__init__(parse, fail, timeout)
        self.status_code = response.status_code
        self._pieces: AsyncIterator[bytes] = body_parts_async(response)
        self._held = held

    async def read(self, seconds: float | None = None) -> list[dict[str, Any]] | None:
        """Async version of `EventStream.read`."""
        timeouts = self._timeouts(seconds)
        try:
            async with limited(timeouts):
                async for piece in self._pieces:
                    if documents := self._documents(piece):
                        return documents
                    timeouts.bound(None)
        except http_failures() as error:
            raise self._fail(timeouts.error(error)) from cause_to_show(error)
        return None

    async def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(*http_failures()):
            await self._held.aclose()
