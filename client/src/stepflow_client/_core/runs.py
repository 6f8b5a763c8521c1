"""Runs: creating one without ever creating two, and waiting for it whatever the network does."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError

from stepflow_api.errors import (
    Conflict,
    NotFound,
    ServerError,
    StepflowError,
    TransportError,
    one_line,
)
from stepflow_api.models import (
    CreateRunRequest,
    ExecutionStatus,
    FlowResult,
    FlowResultFailed,
    RunSummary,
    StepRunResponse,
    WorkflowOverrides,
)
from stepflow_api.types import Response
from stepflow_client._constants import (
    FIRST_PROGRESS_SECONDS,
    LONG_POLL_GRACE,
    LONG_POLL_SECONDS,
    PROGRESS_SECONDS,
)
from stepflow_client._core.core import Core
from stepflow_client._core.events import RunEvents
from stepflow_client._core.flow_source import FlowContent, FlowSource, resolve
from stepflow_client._core.json_array import read_elements
from stepflow_client._core.results import (
    BatchResults,
    Items,
    Progress,
    has_ended,
    reason,
    result_of,
)
from stepflow_client._requests import endpoints
from stepflow_client._requests.effects import NO_DEADLINE, Deadline, Sleep, Steps
from stepflow_client._requests.retry import Resend
from stepflow_client._requests.sending import Tries
from stepflow_client.errors import (
    FlowFailed,
    InvalidInput,
    RunCancelled,
    RunOutcomeUnknown,
    Unsupported,
)


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is created.

    Attributes:
        overrides: Changes to steps.
        variables: Values of the flow's variables.
        variables_from_env: Whether the environment fills those that are not given.
        max_concurrency: How many items are worked on at once.
        retry_create: Whether creating is tried again where it may then run twice.
    """

    overrides: Mapping[str, Any] | WorkflowOverrides | None = None
    variables: Mapping[str, Any] | None = None
    variables_from_env: bool = False
    max_concurrency: int | None = None
    retry_create: bool = False


class RunCore(Core):
    """Everything of `Core`, and runs."""

    def create(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        options: Options,
        deadline: Deadline = NO_DEADLINE,
    ) -> Steps[UUID]:
        """Creates a run, storing its flow before where need be."""
        given = resolve(flow)
        inputs = _listed(inputs)
        if not isinstance(given, FlowContent):
            return (yield from self._create(given.flow_id, inputs, options, deadline))
        was_known = self._ids.get(given.key) is not None
        flow_id = yield from self._flow_id(given, deadline)
        try:
            return (yield from self._create(flow_id, inputs, options, deadline))
        except NotFound as error:
            if not was_known or isinstance(error, Unsupported):
                raise
            # The server has forgotten the flow, as one without storage does when it restarts.
            self._ids.forget(given.key)
            flow_id = yield from self._flow_id(given, deadline)
            return (yield from self._create(flow_id, inputs, options, deadline))

    def run(
        self,
        flow: FlowSource,
        input: Any,
        options: Options,
        timeout: float | None,
        raise_on_failure: bool,
    ) -> Steps[FlowResult]:
        """Runs a flow once and gives its result."""
        deadline = Deadline.after(timeout)
        run_id = yield from self.create(flow, [input], options, deadline)
        return (yield from self.result(run_id, deadline, raise_on_failure))

    def run_batch(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        options: Options,
        timeout: float | None,
        on_progress: Callable[[Progress], object] | None,
    ) -> Steps[BatchResults]:
        """Runs a flow once for each input and gives the results."""
        deadline = Deadline.after(timeout)
        run_id = yield from self.create(flow, inputs, options, deadline)
        return (yield from self.results(run_id, deadline, on_progress))

    def result(
        self, run_id: UUID, deadline: Deadline, raise_on_failure: bool = False
    ) -> Steps[FlowResult]:
        """Waits for a run of one item."""
        yield from self._wait(run_id, deadline)
        items = list((yield from self.items(run_id, deadline, Resend.WAITING)))
        if len(items) != 1:
            raise InvalidInput(
                f"run {run_id} has {len(items)} items; use results() in place of result()"
            )
        result = result_of(items[0], run_id)
        if raise_on_failure and isinstance(result, FlowResultFailed):
            raise FlowFailed(
                f"run {run_id} failed: {reason(result.error)}; look at its steps",
                run_id,
                result,
            )
        return result

    def results(
        self,
        run_id: UUID,
        deadline: Deadline,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Steps[BatchResults]:
        """Waits for a run of any number of items."""
        if on_progress is None:
            yield from self._wait(run_id, deadline)
        else:
            yield from self._watch(run_id, deadline, on_progress)
        return BatchResults((yield from self.items(run_id, deadline, Resend.WAITING)))

    def status(self, run_id: UUID) -> Steps[RunSummary]:
        """Gets what is known of a run, without its items."""
        return (yield from self._summary(run_id, None, NO_DEADLINE, Resend.SAFE))

    def items(
        self, run_id: UUID, deadline: Deadline = NO_DEADLINE, resend: Resend = Resend.SAFE
    ) -> Steps[Items]:
        """Gets the items of a run as they are now."""
        call = endpoints.run_items(run_id)
        answer: Response[list[bytes]] = yield from self._sender.send(
            call, resend=resend, deadline=deadline, run_id=run_id
        )
        source = self.source(call.request.path, answer.status_code)
        return Items(run_id, answer.parsed or (), source)

    def steps(
        self, run_id: UUID, item_index: int | None, deadline: Deadline = NO_DEADLINE
    ) -> Steps[dict[str, StepRunResponse]]:
        """Gets the steps of a run's item."""
        answer = yield from self._sender.send(
            endpoints.run_steps(run_id, item_index), deadline=deadline
        )
        steps: dict[str, StepRunResponse] = answer.steps
        return steps

    def events(self, run_id: UUID, since: int, timeout: float | None) -> RunEvents:
        """Goes through the events of a run."""
        return RunEvents(self, self._sender, run_id, since, Deadline.after(timeout))

    def cancel(self, run_id: UUID, wait: bool, timeout: float | None) -> Steps[RunSummary]:
        """Cancels a run, and waits for what becomes of it where that is asked for."""
        deadline = Deadline.after(timeout)
        run = yield from self._cancel(run_id)
        # It counts as cancelled at once, and as completed when its step has gone on to its end.
        while wait and (run.items.running or not has_ended(run)):
            if deadline.has_passed:
                raise self._sender.timeout(deadline, run_id)
            yield Sleep(deadline.bound(PROGRESS_SECONDS))
            run = yield from self._summary(run_id, None, deadline, Resend.WAITING)
        return run

    def _cancel(self, run_id: UUID) -> Steps[RunSummary]:
        tries = Tries()
        try:
            answer: RunSummary = yield from self._sender.send(
                endpoints.cancel_run(run_id), tries=tries
            )
        except Conflict:
            if not tries.maybe_acted:
                raise
            # The answer to the try before was lost: perhaps it was that one which ended the run.
            answer = yield from self.status(run_id)
            if answer.status is not ExecutionStatus.CANCELLED:
                raise
        return answer

    def _create(
        self, flow_id: str, inputs: list[Any], options: Options, deadline: Deadline
    ) -> Steps[UUID]:
        variables = yield from self._variables(
            flow_id, options.variables, options.variables_from_env, deadline
        )
        call = endpoints.create_run(_request(flow_id, inputs, options, variables))
        if deadline.has_passed:
            raise self._sender.timeout(deadline, None)
        since = datetime.datetime.now(datetime.UTC)
        tries = Tries()
        try:
            answer = yield from self._sender.send(
                call,
                resend=Resend.SAFE if options.retry_create else Resend.UNSEEN,
                deadline=deadline,
                tries=tries,
            )
        except StepflowError as error:
            # Whatever became of a later try, an earlier one may have created a run.
            if not tries.maybe_acted:
                raise
            raise self._unknown(flow_id, since, error) from error
        run_id: UUID = answer.run_id
        return run_id

    def _unknown(
        self, flow_id: str, since: datetime.datetime, error: StepflowError
    ) -> RunOutcomeUnknown:
        cause = error.message if isinstance(error, TransportError) else one_line(str(error))
        return RunOutcomeUnknown(
            f"the answer was lost, so the run may exist or not: {cause}. Look for a run of flow"
            f" {flow_id} created since {since.isoformat(timespec='milliseconds')} with list_runs()"
            " before you run it again; retry_create=True runs it again by itself",
            method="POST",
            url=f"{self._sender.url}/runs",
            flow_id=flow_id,
            since=since,
        )

    def _wait(self, run_id: UUID, deadline: Deadline) -> Steps[RunSummary]:
        while True:
            seconds = math.ceil(deadline.bound(LONG_POLL_SECONDS))
            failed = False
            try:
                run = yield from self._summary(run_id, seconds, deadline, Resend.LONG_POLL)
            except ServerError:
                # Asked to wait for a run that it does not know, a server fails; asked for the run
                # alone, it says what is the matter.
                run = yield from self._summary(run_id, None, deadline, Resend.WAITING)
                failed = True
            if has_ended(run):
                return _not_cancelled(run)
            if deadline.has_passed:
                raise self._sender.timeout(deadline, run_id)
            if failed:
                yield Sleep(deadline.bound(PROGRESS_SECONDS))
            elif run.items.total > 1:
                # A response to a wait contains every item, so a batch is polled without waiting.
                return (yield from self._watch(run_id, deadline))

    def _watch(
        self,
        run_id: UUID,
        deadline: Deadline,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Steps[RunSummary]:
        shown = None
        pause = FIRST_PROGRESS_SECONDS
        while True:
            run = yield from self.look(run_id, deadline)
            progress = Progress.of(run.items)
            if on_progress is not None and progress != shown:
                on_progress(progress)
                shown = progress
            if has_ended(run):
                return _not_cancelled(run)
            if deadline.has_passed:
                raise self._sender.timeout(deadline, run_id)
            yield Sleep(deadline.bound(pause))
            pause = min(2 * pause, PROGRESS_SECONDS)

    def look(self, run_id: UUID, deadline: Deadline) -> Steps[RunSummary]:
        """Gets a run's status while it is waited for, in an answer that is short for any run."""
        # The one to a GET of the run names every item.
        call = endpoints.list_runs({"root_run_id": run_id, "roots_only": True}, 1, 0)
        answer = yield from self._sender.send(
            call, resend=Resend.WAITING, deadline=deadline, run_id=run_id
        )
        run = next((run for run in answer.runs if run.run_id == run_id), None)
        if run is None:
            run = yield from self._summary(run_id, None, deadline, Resend.WAITING)
        return run

    def _summary(
        self, run_id: UUID, wait_seconds: int | None, deadline: Deadline, resend: Resend
    ) -> Steps[RunSummary]:
        call = endpoints.run_details(run_id, wait_seconds)
        answer: Response[list[bytes]] = yield from self._sender.send(
            call,
            resend=resend,
            deadline=deadline,
            timeout=None if wait_seconds is None else wait_seconds + LONG_POLL_GRACE,
            run_id=run_id,
        )
        members: dict[str, Any] = {}
        try:
            for _ in read_elements(answer.parsed or (), "itemDetails", members):
                pass
            return RunSummary.model_validate(members)
        except ValueError as error:
            raise self.source(call.request.path, answer.status_code).invalid(error) from error


def _listed(inputs: Iterable[Any]) -> list[Any]:
    # A single input is soon given in place of a list of them, and these can be iterated as well.
    if isinstance(inputs, str | bytes | bytearray | Mapping) or not hasattr(inputs, "__iter__"):
        raise InvalidInput(
            f"inputs is a {type(cast('object', inputs)).__name__}; give a list or another iterable"
            " with an input for each item"
        )
    return list(inputs)


def _request(
    flow_id: str, inputs: list[Any], options: Options, variables: dict[str, Any] | None
) -> CreateRunRequest:
    fields: dict[str, Any] = {
        "overrides": options.overrides,
        "variables": variables,
        "max_concurrency": options.max_concurrency,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return CreateRunRequest.model_validate({"flow_id": flow_id, "input": inputs, **given})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"the run cannot be created: {place}: {first['msg']}") from error


def _not_cancelled(run: RunSummary) -> RunSummary:
    if run.status is ExecutionStatus.CANCELLED:
        raise RunCancelled(
            f"run {run.run_id} was cancelled, so it has no result; run the flow again", run.run_id
        )
    return run


def parse_run_id(run_id: UUID | str) -> UUID:
    """Gives a run's id.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(run_id, UUID):
        return run_id
    try:
        return UUID(run_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"the run id is {run_id!r}; give a UUID, as submit() and list_runs() do"
        ) from error
