"""The events of a run, each once and in order, whatever the network does."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from stepflow_api.errors import ConnectionLost, RequestTimeout, TransportError
from stepflow_client._constants import (
    EVENTS_DRAIN_SECONDS,
    EVENTS_SILENCE_SECONDS,
    LATE_SECONDS,
    RECONNECT_SECONDS,
)
from stepflow_client._core.polled_events import PolledEvents
from stepflow_client._core.results import has_ended
from stepflow_client._requests import endpoints
from stepflow_client._requests.effects import Close, Deadline, Effect, Read, Sleep, Steps
from stepflow_client._requests.retry import Resend
from stepflow_client.errors import InvalidInput, Unsupported
from stepflow_client.events import RunCompleted, RunEvent, event_of

if TYPE_CHECKING:
    from stepflow_client._core.runs import RunCore
    from stepflow_client._requests.sending import Sender

T = TypeVar("T")


class RunEvents:
    """Goes through the events of a run.

    Servers number events, but several may share a number, and asked for those since a number they
    give all of that number. So what was given of the last number is remembered, and after a lost
    connection the stream goes on from that number without it.

    A silent stream tells nothing: its connection may be dead, the run cancelled, or all events
    given. So each silence ends the connection, and the run tells whether there is more: one that
    has ended has the number of its last event, unless it was ended with a step going on.

    Args:
        core: Asks for the run.
        sender: Opens the stream.
        run_id: Id of the run.
        since: The first number to give.
        deadline: The caller's.

    Raises:
        InvalidInput: There is no such number.
    """

    def __init__(
        self, core: RunCore, sender: Sender, run_id: UUID, since: int, deadline: Deadline
    ) -> None:
        if type(since) is not int or not 0 <= since < 2**63:
            raise InvalidInput(
                f"since is {since!r}; give the sequence_number of an event, or 0 for all events"
            )
        self._core = core
        self._sender = sender
        self._run_id = run_id
        self._deadline = deadline
        self._number = since
        self._given: set[str] = set()
        self._stream: Any = None
        self._patience = 0.0
        self._polled: PolledEvents | None = None
        self._is_running = True
        self._has_no_end = False
        self._has_new = False
        self._is_done = False
        self._has_read = False
        self._failures = 0
        self._first_failure = 0.0

    def more(self) -> Steps[list[RunEvent]]:
        """Waits for the next events; there are none at the end."""
        while not self._is_done:
            if self._has_read and self._deadline.has_passed:
                raise self._sender.timeout(self._deadline, self._run_id)
            if self._polled is not None:
                return (yield from self._polled.more())
            if self._stream is None:
                yield from self._open()
                continue
            self._has_read = True
            seconds = self._deadline.bound(self._patience) or LATE_SECONDS
            try:
                documents: list[dict[str, Any]] | None = yield Read(self._stream, seconds)
            except TransportError as error:
                yield from self._interrupted(error)
                continue
            if documents is None:
                yield from self._interrupted(None)
            elif events := [event for one in documents if (event := self._new(one)) is not None]:
                self._has_new = True
                return events
        return []

    def close(self) -> Generator[Effect, Any, None]:
        """Closes the connection, if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            yield Close(stream)

    def _open(self) -> Steps[None]:
        run = yield from self._core.look(self._run_id, self._deadline)
        last = run.finished_at_seqno if has_ended(run) else None
        if last is not None and self._number + bool(self._given) > last:
            self._is_done = True
            return
        self._is_running = not has_ended(run)
        self._has_no_end = has_ended(run) and last is None
        self._has_new = False
        self._patience = EVENTS_DRAIN_SECONDS if self._has_no_end else EVENTS_SILENCE_SECONDS
        try:
            self._stream = yield from self._sender.send(
                endpoints.run_events(self._run_id, self._number),
                resend=Resend.WAITING,
                deadline=self._deadline,
                timeout=self._patience,
                run_id=self._run_id,
            )
        except Unsupported:
            # The run is there, so it is the server that has no events.
            self._polled = PolledEvents(
                self._core, self._sender, self._run_id, self._number, self._deadline
            )

    def _interrupted(self, error: TransportError | None) -> Steps[None]:
        """Decides what comes after a stream.

        Args:
            error: How it ended; None where the server ended it.
        """
        yield from self.close()
        is_silent = isinstance(error, RequestTimeout)
        if self._has_new or (is_silent and self._is_running):
            self._failures = 0
            return
        if self._has_no_end and (is_silent or error is None):
            self._is_done = True
            return
        call = endpoints.run_events(self._run_id, self._number)
        error = error or ConnectionLost(
            "the server ended the event stream before the run's last event",
            method="GET",
            url=self._sender.url + call.request.path,
        )
        self._failures += 1
        now = time.monotonic()
        self._first_failure = now if self._failures == 1 else self._first_failure
        if self._deadline.seconds is None and now - self._first_failure >= RECONNECT_SECONDS:
            raise error
        yield Sleep(self._deadline.bound(self._sender.delay(self._failures, error)))

    def _new(self, document: dict[str, Any]) -> RunEvent | None:
        """Gives the event of a document, None for one that was given already."""
        number: int = document["sequenceNumber"]
        if self._is_done or number < self._number:
            return None
        if number > self._number:
            self._number = number
            self._given.clear()
        key = json.dumps({**document, "timestamp": None}, sort_keys=True)
        if key in self._given:
            return None
        self._given.add(key)
        try:
            event = event_of(document)
        except ValueError as error:
            path = endpoints.run_events(self._run_id, number).request.path
            raise self._core.source(path, 200).invalid(error) from error
        self._is_done = isinstance(event, RunCompleted) and event.run_id == self._run_id
        return event
