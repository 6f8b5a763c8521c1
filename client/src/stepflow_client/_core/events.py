"""The events of a run, each once and in order, whatever the network does."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from stepflow_api.errors import ConnectionLost, RequestTimeout, TransportError
from stepflow_api.lowlevel import Close, Read, Sleep, Steps
from stepflow_client._constants import (
    EVENTS_DRAIN_SECONDS,
    EVENTS_SILENCE_SECONDS,
    LATE_SECONDS,
    RECONNECT_SECONDS,
)
from stepflow_client._core.polled_events import PolledEvents
from stepflow_client._core.results import Source, is_finished
from stepflow_client._core.status import poll
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.retry import RetryOn
from stepflow_client._requests.sending import Sender
from stepflow_client.errors import InvalidInput, Unsupported
from stepflow_client.events import RunCompleted, RunEvent, parse_event


class RunEvents:
    """Reader of a run's events.

    Several events may have one number, and a stream begins with all events of the number that is
    requested. So after a lost connection, the events of the last number are requested again, and
    those that are known are skipped.

    Silence can mean a dead connection, a cancelled run, or that there are no more events. It ends
    the connection, and the run's status says whether there is more: a finished run has the number
    of its last event, unless it was finished while a step was running.

    Args:
        sender: Sends the requests.
        run_id: Id of the run.
        since: Number of the first event to return.
        deadline: The caller's.
        follow: Whether to wait for more events of a run in progress.
        polls: Whether to poll a server without events; otherwise `Unsupported` is raised.

    Raises:
        InvalidInput: `since` is not such a number.
    """

    def __init__(
        self,
        sender: Sender,
        run_id: UUID,
        since: int,
        deadline: Deadline,
        *,
        follow: bool = True,
        polls: bool = True,
    ) -> None:
        if type(since) is not int or not 0 <= since < 2**63:
            raise InvalidInput(
                f"since is {since!r}; pass the sequence_number of an event, or 0 for all events"
            )
        self._sender = sender
        self._run_id = run_id
        self._deadline = deadline
        self._follow = follow
        self._polls = polls
        self._retry_on = RetryOn.WAITING if follow else RetryOn.SAFE
        self._number = since
        self._returned: set[str] = set()
        self._stream: Any = None
        self._read_timeout = 0.0
        self._polled: PolledEvents | None = None
        self._is_running = True
        self._lacks_last_event = False
        self._has_new = False
        self._is_finished = False
        self._has_read = False
        self._failures = 0
        self._first_failure = 0.0

    def next_events(self) -> Steps[list[RunEvent]]:
        """Wait for the next events; an empty list at the end."""
        while not self._is_finished:
            if self._has_read and self._deadline.has_passed:
                raise self._sender.timeout(self._deadline, self._run_id)
            if self._polled is not None:
                return (yield from self._polled.next_events())
            if self._stream is None:
                yield from self._open()
                continue
            self._has_read = True
            seconds = self._deadline.bound(self._read_timeout) or LATE_SECONDS
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

    def close(self) -> Steps[None]:
        """Close the connection, if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            yield Close(stream)

    def _open(self) -> Steps[None]:
        run = yield from poll(self._sender, self._run_id, self._deadline, self._retry_on)
        last = run.finished_at_seqno if is_finished(run) else None
        if last is not None and self._number + bool(self._returned) > last:
            self._is_finished = True
            return
        self._is_running = not is_finished(run)
        self._lacks_last_event = last is None and (is_finished(run) or not self._follow)
        self._has_new = False
        self._read_timeout = (
            EVENTS_DRAIN_SECONDS if self._lacks_last_event else EVENTS_SILENCE_SECONDS
        )
        try:
            self._stream = yield from self._sender.send(
                endpoints.run_events(self._run_id, self._number),
                retry_on=self._retry_on,
                deadline=self._deadline,
                timeout=self._read_timeout,
                run_id=self._run_id,
            )
        except Unsupported:
            if not self._polls:
                raise
            # The run exists, so it is the server that has no events.
            self._polled = PolledEvents(
                self._sender, self._run_id, self._number, self._deadline, self._follow
            )

    def _interrupted(self, error: TransportError | None) -> Steps[None]:
        """Decide what follows a stream.

        Args:
            error: How it ended; None if the server ended it.
        """
        yield from self.close()
        is_silent = isinstance(error, RequestTimeout)
        if not self._follow and self._lacks_last_event and is_silent:
            self._is_finished = True
            return
        if self._has_new or (is_silent and self._is_running):
            self._failures = 0
            return
        if self._lacks_last_event and (is_silent or error is None):
            self._is_finished = True
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
        """Return the event of a document; None if it was returned before."""
        number: int = document["sequenceNumber"]
        if self._is_finished or number < self._number:
            return None
        if number > self._number:
            self._number = number
            self._returned.clear()
        key = json.dumps({**document, "timestamp": None}, sort_keys=True)
        if key in self._returned:
            return None
        self._returned.add(key)
        try:
            event = parse_event(document)
        except ValueError as error:
            path = endpoints.run_events(self._run_id, number).request.path
            raise Source(self._sender.url + path, 200).invalid(error) from error
        self._is_finished = isinstance(event, RunCompleted) and event.run_id == self._run_id
        return event
