# Made from handle.py by `tools/bazel run //client:update_sync`; edit that file instead.
"""Synchronous handle of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from stepflow_api import Client
from stepflow_api.models import FlowResult, RunSummary, StepRunResponse
from stepflow_api.support import Hidden, html_table
from stepflow_client._constants import TIMELINE_ITEMS
from stepflow_client._core.core import Core
from stepflow_client._core.events import RunEvents
from stepflow_client._core.results import BatchResults, Items, Progress
from stepflow_client._core.runs import parse_run_id
from stepflow_client._factory import restored
from stepflow_client._requests.deadline import Deadline
from stepflow_client._servers import Servers
from stepflow_client.events import RunEvent

if TYPE_CHECKING:
    from stepflow_client.difference import RunDiff
    from stepflow_client.timeline import Timeline

__all__ = ["SyncRunHandle"]


class SyncRunHandle:
    """A run on the server; a client's `submit`, `submit_batch` and `handle` return one.

    A handle is pickled as the server's URL and the run's id, without a token or another setting of
    the client. An unpickled one has a client of its own, with default settings and the token of
    `$STEPFLOW_TOKEN`: use it as a context manager, or call `close`.

    Methods raise `Timeout` if there is no response in time, `Unreachable` if the server does not
    respond, `NotFound` if it does not know the run, and `StatusError` if it rejects the request.

    Attributes:
        id: Id of the run, with which another process can continue to wait for it.
    """

    def __init__(
        self, client: Client | Servers, core: Core, run_id: UUID, *, owns_client: bool = False
    ) -> None:
        self.id = run_id
        self._client = client
        self._core = core
        self._owns_client = owns_client

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.id)!r}, server={self._client.base_url!r})"

    def _repr_html_(self) -> str:
        return html_table([("run", str(self.id)), ("server", self._client.base_url)])

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._client.base_url, str(self.id))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of an unpickled handle; others use those of their client."""
        if self._owns_client:
            self._client.close()

    def result(
        self,
        *,
        timeout: float | None = None,
        raise_on_failure: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> FlowResult:
        """Wait for the result of a run of one item.

        A lost connection, a restarted server or a proxy in between does not end the wait.

        Args:
            timeout: Maximum time to wait, in seconds; 0 to check once, None to wait without limit.
            raise_on_failure: Whether to raise `FlowFailed` if the flow fails.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            The flow's result: a success or a failure.

        Raises:
            Timeout: The run did not finish in time; it was not cancelled.
            FlowFailed: The flow failed, and `raise_on_failure` is set.
            RunCancelled: The run was cancelled.
            Unreachable: Without a timeout: the server did not respond for five minutes.
            InvalidInput: The run does not have exactly one item; see `results`.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.runs.result(self.id, Deadline.after(timeout), raise_on_failure)
        return self._client.run(steps, headers=extra)

    def results(
        self,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> BatchResults:
        """Wait for the results of a run of any number of items.

        Args:
            timeout: Maximum time to wait, in seconds; 0 to check once, None to wait without limit.
            on_progress: Called at the start and whenever more items have finished; servers up to
                0.11 report finished items only when all have finished.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            The results in the order of the inputs.

        Raises:
            Timeout: The run did not finish in time; it was not cancelled.
            RunCancelled: The run was cancelled.
            Unreachable: Without a timeout: the server did not respond for five minutes.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.runs.results(self.id, Deadline.after(timeout), on_progress)
        return self._client.run(steps, headers=extra)

    def status(
        self,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RunSummary:
        """Return the run's current status, times and numbers of items.

        Args:
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.runs.status(self.id, Deadline.after(timeout))
        return self._client.run(steps, headers=extra)

    def items(
        self,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Items:
        """Return the run's current items; an item that is still running has no result.

        Args:
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.runs.items(self.id, Deadline.after(timeout))
        return self._client.run(steps, headers=extra)

    def steps(
        self,
        *,
        item_index: int | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, StepRunResponse]:
        """Return the current steps of one item, by their ids.

        Args:
            item_index: Index of the item, from 0; optional for a run of one item.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.runs.steps(self.id, item_index, Deadline.after(timeout))
        return self._client.run(steps, headers=extra)

    def events(
        self,
        *,
        since: int = 0,
        follow: bool = True,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Generator[RunEvent, None, None]:
        """Iterate over the run's events, in order and each once, until the run has finished.

        After a lost connection or a restart of the server, the iteration continues where it was.
        Servers up to 0.11 do not report events: there the client polls the run and derives events
        from its status and steps, numbered from 0 and with the time of detection. Some of them
        cannot be detected: which steps are needed or ready, the start of a step that has failed
        since, and on 0.9 the steps of a run of several items.

        An iterator holds a connection of the client until it is exhausted or closed. If the run is
        cancelled while a step is running, the iteration ends some seconds later, without
        `RunCompleted`.

        Args:
            since: The first `sequence_number` to return; 0 for all events. To continue in another
                process, pass the last known number: all events of that number are repeated.
            follow: Whether to wait for more events until the run has finished. Otherwise the
                iteration ends at the last event so far, when none has come for a second.
            timeout: Maximum time to wait, in seconds; None to wait without limit.
            headers: Header fields for this call, in place of the client's of the same names.

        Yields:
            One event at a time, of a class of `stepflow_client.events`.

        Raises:
            Timeout: The run did not finish in time; it was not cancelled.
            Unreachable: Without a timeout: the server did not respond for five minutes.
            InvalidInput: `since` is not such a number.
        """
        extra = Hidden(headers)
        del headers
        stream = RunEvents(
            self._core.sender, self.id, since, Deadline.after(timeout), follow=follow
        )
        try:
            while events := self._client.run(stream.next_events(), headers=extra):
                yield from events
        finally:
            self._client.run(stream.close())

    def timeline(
        self,
        *,
        items: int = TIMELINE_ITEMS,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Timeline:
        """Return what the run has done so far, and when: its steps with their times and statuses.

        Servers up to 0.11 report no times of steps, and in a running run no steps; on 0.9, only
        runs of one item have steps. On later servers, all events of the run are read, which takes
        some seconds for 10,000 items.

        Args:
            items: Maximum number of items. If the run has more, the timeline has failed items and
                the slowest, and says how many it leaves out.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            InvalidInput: `items` is not such a number.
        """
        from stepflow_client._core.timelines import read_timeline

        extra = Hidden(headers)
        del headers
        steps = read_timeline(self._core.sender, self.id, items, Deadline.after(timeout))
        return self._client.run(steps, headers=extra)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        items: int = TIMELINE_ITEMS,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Write a page about the run: its graph, timeline, inputs, outputs and errors of steps.

        The page is one HTML file that needs no network, with light and dark colours. It contains
        the data of the run, so pass it on only to people who may read them.

        Servers up to 0.11 report no times of steps, 0.10 and 0.11 no outputs of steps, 0.9 and
        servers from 0.12 on no inputs of runs. No server reports inputs of steps: the page has the
        flow's expressions, with the values that are known.

        Args:
            path: The file, which is replaced.
            items: Maximum number of items. If the run has more, the page has failed items and the
                slowest, and says how many it leaves out.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            InvalidInput: `items` is not such a number, or the file cannot be written.
        """
        from stepflow_client._core.reports import read_report
        from stepflow_client._files import write_file

        extra = Hidden(headers)
        del headers
        steps = read_report(self._core, self.id, items, Deadline.after(timeout))
        page = self._client.run(steps, headers=extra)
        write_file(path, page.encode("utf-8", "replace"))

    def diff(
        self,
        other: UUID | str,
        *,
        item: int | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RunDiff:
        """Compare the run with another run: flows, statuses, inputs, outputs and errors.

        Steps are compared of runs of one item, and of the item that is chosen. What a server does
        not report is not compared; `not_compared` says what.

        Args:
            other: Id of the other run.
            item: Index of the only item to compare; None for all.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            InvalidInput: `other` is not the id of a run, or a run has no such item.
        """
        from stepflow_client._core.differences import compare_runs

        extra = Hidden(headers)
        del headers
        second = parse_run_id(other)
        steps = compare_runs(self._core, self.id, second, item, Deadline.after(timeout))
        return self._client.run(steps, headers=extra)

    def cancel(
        self,
        *,
        wait: bool = False,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RunSummary:
        """Cancel the run; a step that is running may still complete.

        The server then reports the run as completed after all.

        Args:
            wait: Whether to wait until no step is running, for the run's final status.
            timeout: Maximum time to wait, in seconds; None to wait without limit.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            The status of the run afterwards.

        Raises:
            Conflict: The run has already finished.
            Timeout: A step did not finish in time.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.runs.cancel(self.id, wait, timeout)
        return self._client.run(steps, headers=extra)


def _restored(url: str, run_id: str) -> SyncRunHandle:
    client, core = restored(url, SyncRunHandle.__name__)
    return SyncRunHandle(client, core, UUID(run_id), owns_client=True)
