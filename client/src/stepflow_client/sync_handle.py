"""A run on the server, to wait for and to look at, blocking."""

from __future__ import annotations

from collections.abc import Callable, Generator
from uuid import UUID

from stepflow_api import Client
from stepflow_api.models import FlowResult, RunSummary, StepRunResponse
from stepflow_client._core.core import Core
from stepflow_client._core.events import RunEvents
from stepflow_client._core.results import BatchResults, Items, Progress
from stepflow_client._requests.drivers import drive
from stepflow_client._requests.effects import Deadline
from stepflow_client.events import RunEvent

__all__ = ["SyncRunHandle"]


class SyncRunHandle:
    """A run on the server; `submit`, `submit_batch` and `handle` of a client give one.

    Attributes:
        id: Id of the run. Whoever has it can go on with the run, in another process as well.
    """

    def __init__(self, client: Client, core: Core, run_id: UUID) -> None:
        self.id = run_id
        self._client = client
        self._core = core

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.id)!r})"

    def result(self, *, timeout: float | None = None, raise_on_failure: bool = False) -> FlowResult:
        """Waits for the result of a run of one item.

        A lost connection, a restarted server or a proxy in between does not end the wait.

        Args:
            timeout: Seconds to wait at most; 0 looks once; None waits to the end.
            raise_on_failure: Whether a flow that failed raises `FlowFailed`.

        Returns:
            The result: a success or a failure of the flow.

        Raises:
            Timeout: The run was not seen to end in time; it was not cancelled.
            FlowFailed: The flow failed, and `raise_on_failure` is set.
            RunCancelled: The run was cancelled.
            Unreachable: Without a timeout: the server did not answer for five minutes.
            InvalidInput: The run has other than one item; see `results`.
            NotFound: The server does not know the run.
            StatusError: The server refuses the request.
        """
        steps = self._core.runs.result(self.id, Deadline.after(timeout), raise_on_failure)
        return drive(self._client, steps)

    def results(
        self,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> BatchResults:
        """Waits for the results of a run of any number of items.

        Args:
            timeout: Seconds to wait at most; 0 looks once; None waits to the end.
            on_progress: Is called at first, and whenever items have ended since it was called last;
                servers up to 0.11 count them when all have ended.

        Returns:
            The results in the order of the inputs.

        Raises:
            Timeout: The run was not seen to end in time; it was not cancelled.
            RunCancelled: The run was cancelled.
            Unreachable: Without a timeout: the server did not answer for five minutes.
            NotFound: The server does not know the run.
            StatusError: The server refuses the request.
        """
        steps = self._core.runs.results(self.id, Deadline.after(timeout), on_progress)
        return drive(self._client, steps)

    def status(self) -> RunSummary:
        """Gives the run's status, times and numbers of items, as they are now.

        Raises:
            NotFound: The server does not know the run.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.runs.status(self.id))

    def items(self) -> Items:
        """Gives the run's items as they are now; an item that still runs has no result.

        Raises:
            NotFound: The server does not know the run.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.runs.items(self.id))

    def steps(self, *, item_index: int | None = None) -> dict[str, StepRunResponse]:
        """Gives the steps of one item by their ids, as they are now.

        Args:
            item_index: The item, from 0; may be left out for a run of one item.

        Raises:
            NotFound: The server does not know the run.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.runs.steps(self.id, item_index))

    def events(
        self, *, since: int = 0, timeout: float | None = None
    ) -> Generator[RunEvent, None, None]:
        """Gives what happens in the run, in order and each event once, until the run has ended.

        It goes on after a lost connection or a restart of the server from where it was. Servers up
        to 0.11 tell no events: there the run is looked at from time to time, and its creation,
        steps and end are given as far as they are seen. Those events are numbered from 0 and
        timed as they are seen, and some never are: which steps are needed and ready, that a step
        started which failed since, and on 0.9 the steps of several items.

        An iterator holds a connection of the client until its end; closed early it lets go of it.
        A run that is cancelled with a step going on ends it some seconds later, without
        `RunCompleted`.

        Args:
            since: The first `sequence_number` to give: that of the last event known, to go on in
                another process, which gives all events of that number again. 0 gives all.
            timeout: Seconds to wait for the run's end at most; None waits to the end.

        Yields:
            One event after the other, each of a class of `stepflow_client.events`.

        Raises:
            Timeout: The run was not seen to end in time; it was not cancelled.
            Unreachable: Without a timeout: the server did not answer for five minutes.
            InvalidInput: There is no such number.
            NotFound: The server does not know the run.
        """
        stream = RunEvents(self._core.sender, self.id, since, Deadline.after(timeout))
        try:
            while events := drive(self._client, stream.next_events()):
                yield from events
        finally:
            drive(self._client, stream.close())

    def cancel(self, *, wait: bool = False, timeout: float | None = None) -> RunSummary:
        """Cancels the run; a step that is being worked on may go on to its end.

        The server then calls the run completed after all.

        Args:
            wait: Whether to wait until nothing of the run goes on, for what really became of it.
            timeout: Seconds to wait at most; None waits to the end.

        Returns:
            The run, as it is at the end of that.

        Raises:
            Conflict: The run has ended.
            Timeout: A step was not seen to end in time.
            NotFound: The server does not know the run.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.runs.cancel(self.id, wait, timeout))
