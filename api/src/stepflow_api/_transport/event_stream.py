"""Streamed responses: server-sent events, or a JSON document on each line."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any, Self

from stepflow_api._constants import EVENT_LIMIT
from stepflow_api._transport.failures import cause_to_show, http_failures
from stepflow_api._transport.httpx_response import body_parts, body_parts_async
from stepflow_api._transport.timeouts import Timeouts, limited
from stepflow_api.errors import StepflowError

if TYPE_CHECKING:
    import httpx

MEDIA_TYPE = "text/event-stream"
"""Server-sent events."""

LINE_TYPES = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
        "application/stream+json",
    }
)
"""A document on each line."""


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

    def end(self) -> list[bytes]:
        """Return nothing: an event without its end is none."""
        return []

    def _extend(self, part: bytes) -> None:
        if part:
            # Everything since the last event counts, so that memory is bounded.
            self._size += len(part)
            if self._size > self._limit:
                raise ValueError(f"an event is larger than {self._limit} bytes")
            self._line.append(part)


class LineDecoder:
    """Decoder for documents of one line each, fed with pieces of a stream.

    Args:
        limit: Maximum size of a line, in bytes.
    """

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._line: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the non-empty lines that a chunk completes.

        Raises:
            ValueError: A line is larger than the limit.
        """
        done: list[bytes] = []
        first, *others = piece.split(b"\n")
        self._extend(first)
        for start in others:
            done += self.end()
            self._extend(start)
        return done

    def end(self) -> list[bytes]:
        """Return the last line, which may have no line end."""
        line = b"".join(self._line).strip()
        self._line, self._size = [], 0
        return [line] if line else []

    def _extend(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise ValueError(f"a line is larger than {self._limit} bytes")
        self._line.append(part)


class _Decoding:
    def __init__(
        self,
        response: httpx.Response,
        parse: Callable[[bytes], Any],
        fail: Callable[[Exception], StepflowError],
        timeout: float | None,
    ) -> None:
        kind: str = response.headers.get("content-type", "")
        is_lines = kind.partition(";")[0].strip().lower() in LINE_TYPES
        self._decoder = LineDecoder() if is_lines else EventDecoder()
        self._parse = parse
        self._fail = fail
        self._timeout = timeout

    def _timeouts(self, seconds: float | None) -> Timeouts:
        return Timeouts.for_total(self._timeout if seconds is None else seconds)

    def _documents(self, piece: bytes) -> list[Any]:
        try:
            return [self._parse(data) for data in self._decoder.feed(piece)]
        except ValueError as error:
            raise self._fail(error) from error

    def _last(self) -> list[Any] | None:
        """Return what the end of the answer completes; None if that is nothing."""
        try:
            return [self._parse(data) for data in self._decoder.end()] or None
        except ValueError as error:
            raise self._fail(error) from error


class EventStream(_Decoding):
    """The events of one response, to be closed by the caller.

    Args:
        response: The answer, whose body has not been read.
        held: What closing it releases.
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
        parse: Callable[[bytes], Any],
        fail: Callable[[Exception], StepflowError],
        timeout: float | None,
        watch: Callable[[Timeouts], AbstractContextManager[None]],
    ) -> None:
        super().__init__(response, parse, fail, timeout)
        self.status_code = response.status_code
        self._watch = watch
        self._pieces: Iterator[bytes] = body_parts(response)
        self._held = held

    def read(self, seconds: float | None = None) -> list[Any] | None:
        """Wait for the next events.

        Args:
            seconds: Maximum time to wait, in place of the stream's. Comments and parts of an
                event, which a server may send for ever, do not prolong it.

        Returns:
            Events; None at the end of the answer.

        Raises:
            TransportError: The connection was lost, or no event came in time.
            InvalidAnswer: An event cannot be parsed.
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
        return self._last()

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the events until the end of the answer."""
        while (events := self.read()) is not None:
            yield from events

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

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
        parse: Callable[[bytes], Any],
        fail: Callable[[Exception], StepflowError],
        timeout: float | None,
    ) -> None:
        super().__init__(response, parse, fail, timeout)
        self.status_code = response.status_code
        self._pieces: AsyncIterator[bytes] = body_parts_async(response)
        self._held = held

    async def read(self, seconds: float | None = None) -> list[Any] | None:
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
        return self._last()

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Iterate over the events until the end of the answer."""
        while (events := await self.read()) is not None:
            for event in events:
                yield event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(*http_failures()):
            await self._held.aclose()
