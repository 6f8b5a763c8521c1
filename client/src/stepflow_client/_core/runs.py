"""Runs: creating one without ever creating two, its results, and cancelling it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError

from stepflow_api.errors import (
    Conflict,
    NotFound,
    StepflowError,
    TransportError,
    first_problem,
    one_line,
)
from stepflow_api.lowlevel import Steps
from stepflow_api.models import (
    CreateRunRequest,
    ExecutionStatus,
    FlowResult,
    FlowResultFailed,
    RunSummary,
    StepRunResponse,
)
from stepflow_api.support import Hidden
from stepflow_api.types import Response
from stepflow_client._constants import PAGE_SIZE
from stepflow_client._core.flow_source import FlowContent, FlowSource, resolve
from stepflow_client._core.flows import Flows
from stepflow_client._core.once import create_once, with_key
from stepflow_client._core.results import (
    BatchResults,
    Items,
    Progress,
    Source,
    failure_reason,
    result_of,
)
from stepflow_client._core.status import get_status, wait, wait_for_steps, watch
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.retry import RetryOn
from stepflow_client._requests.sending import Attempts, Sender
from stepflow_client._requests.tracing import span
from stepflow_client.errors import FlowFailed, InvalidInput, RunOutcomeUnknown
from stepflow_client.options import RunBatchOptions, RunOptions, SubmitOptions


class Runs:
    """Runs on a server."""

    def __init__(self, sender: Sender, flows: Flows) -> None:
        self._sender = sender
        self._flows = flows

    def run(self, flow: FlowSource, input: Any, options: RunOptions) -> Steps[FlowResult]:
        """Run a flow once and return its result."""
        deadline = Deadline.after(options.get("timeout"))
        with span("stepflow.run") as current:
            run_id = yield from self.create(flow, [input], options, deadline)
            _add_run_id(current, run_id)
            return (
                yield from self.result(run_id, deadline, options.get("raise_on_failure", False))
            )

    def run_batch(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        options: RunBatchOptions,
    ) -> Steps[BatchResults]:
        """Run a flow once for each input and return the results."""
        deadline = Deadline.after(options.get("timeout"))
        with span("stepflow.run_batch") as current:
            run_id = yield from self.create(flow, inputs, options, deadline)
            _add_run_id(current, run_id)
            return (yield from self.results(run_id, deadline, options.get("on_progress")))

    def create(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        options: SubmitOptions,
        deadline: Deadline | None = None,
    ) -> Steps[UUID]:
        """Create a run and return its id; its flow is stored first if need be."""
        deadline = deadline or Deadline.after(options.get("timeout"))
        source = resolve(flow)
        inputs = _listed(inputs)
        if (key := options.get("idempotency_key")) is not None:
            return (yield from self._create_once(source, inputs, options, key, deadline))
        if isinstance(source, str):
            return (yield from self._create(source, inputs, options, deadline))
        was_known = self._flows.is_known(source)
        flow_id = yield from self._flows.id_of(source, deadline)
        try:
            return (yield from self._create(flow_id, inputs, options, deadline))
        except NotFound:
            if not was_known:
                raise
            # The server has lost the flow, as one without storage does when it restarts.
            self._flows.forget(source)
            flow_id = yield from self._flows.id_of(source, deadline)
            return (yield from self._create(flow_id, inputs, options, deadline))

    def pages(
        self, filters: Mapping[str, Any], limit: int | None, timeout: float | None
    ) -> RunPages:
        """Return the pages of a list of runs.

        Raises:
            InvalidInput: The limit is not a number of runs.
        """
        is_number = isinstance(limit, int) and not isinstance(limit, bool)
        if limit is not None and not (is_number and limit >= 0):
            raise InvalidInput(f"limit is {limit!r}; pass 0 or more, or None for all runs")
        return RunPages(self._sender, filters, limit, timeout)

    def result(
        self, run_id: UUID, deadline: Deadline, raise_on_failure: bool = False
    ) -> Steps[FlowResult]:
        """Wait for a run of one item and return its result."""
        yield from wait(self._sender, run_id, deadline)
        items = list((yield from self.items(run_id, deadline, RetryOn.WAITING)))
        if len(items) != 1:
            raise InvalidInput(
                f"run {run_id} has {len(items)} items; use results() in place of result()"
            )
        result = result_of(items[0], run_id)
        if raise_on_failure and isinstance(result, FlowResultFailed):
            raise FlowFailed(
                f"run {run_id} failed: {failure_reason(result.error)}; look at its steps",
                run_id,
                result,
            )
        if raise_on_failure and not result.is_success:
            raise FlowFailed(
                f"run {run_id} ended with the outcome {result.outcome!r}, which this version of"
                " stepflow-client does not know; look at its steps",
                run_id,
                None,
            )
        return result

    def results(
        self,
        run_id: UUID,
        deadline: Deadline,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Steps[BatchResults]:
        """Wait for a run of any number of items and return its results."""
        if on_progress is None:
            yield from wait(self._sender, run_id, deadline)
        else:
            yield from watch(self._sender, run_id, deadline, on_progress)
        return BatchResults((yield from self.items(run_id, deadline, RetryOn.WAITING)))

    def status(self, run_id: UUID, deadline: Deadline) -> Steps[RunSummary]:
        """Return a run's status."""
        return get_status(self._sender, run_id, deadline)

    def items(
        self, run_id: UUID, deadline: Deadline, retry_on: RetryOn = RetryOn.SAFE
    ) -> Steps[Items]:
        """Return the items of a run as they are now."""
        call = endpoints.run_items(run_id)
        answer: Response[list[bytes]] = yield from self._sender.send(
            call, retry_on=retry_on, deadline=deadline, run_id=run_id
        )
        source = Source(self._sender.url + call.request.path, answer.status_code)
        return Items(run_id, answer.parsed or (), source)

    def steps(
        self, run_id: UUID, item_index: int | None, deadline: Deadline
    ) -> Steps[dict[str, StepRunResponse]]:
        """Return the steps of a run's item."""
        call = endpoints.run_steps(run_id, item_index)
        answer = yield from self._sender.send(call, deadline=deadline)
        steps: dict[str, StepRunResponse] = answer.steps
        return steps

    def cancel(self, run_id: UUID, wait: bool, timeout: float | None) -> Steps[RunSummary]:
        """Cancel a run and return its status, on request only when no step is running."""
        deadline = Deadline.after(timeout)
        run = yield from self._cancel(run_id, deadline)
        return (yield from wait_for_steps(self._sender, run, deadline)) if wait else run

    def _cancel(self, run_id: UUID, deadline: Deadline) -> Steps[RunSummary]:
        attempts = Attempts()
        try:
            answer: RunSummary = yield from self._sender.send(
                endpoints.cancel_run(run_id), deadline=deadline, attempts=attempts
            )
        except Conflict:
            if not attempts.may_have_reached_server:
                raise
            # The response to an earlier attempt was lost: perhaps that one cancelled the run.
            answer = yield from self.status(run_id, deadline)
            if answer.status is not ExecutionStatus.CANCELLED:
                raise
        return answer

    def _create_once(
        self,
        source: str | FlowContent,
        inputs: list[Any],
        options: SubmitOptions,
        key: str,
        deadline: Deadline,
    ) -> Steps[UUID]:
        if options.get("retry_create"):
            raise InvalidInput(
                "retry_create may run the flow twice, and idempotency_key never does; pass one"
            )
        if isinstance(source, str):
            flow = yield from self._flows.get(source, deadline)
        else:
            flow = source.load()
        variables = options.get("variables")
        call = _request("", inputs, options, None if variables is None else dict(variables))
        return (
            yield from create_once(
                self._sender,
                self._flows,
                with_key(flow, key, call),
                lambda flow_id: self._create(flow_id, inputs, options, deadline),
                deadline,
            )
        )

    def _create(
        self, flow_id: str, inputs: list[Any], options: SubmitOptions, deadline: Deadline
    ) -> Steps[UUID]:
        variables = yield from self._flows.variables(
            flow_id, options.get("variables"), options.get("variables_from_env", False), deadline
        )
        call = endpoints.create_run(_request(flow_id, inputs, options, variables))
        if deadline.has_passed:
            raise self._sender.timeout(deadline, None)
        since = datetime.datetime.now(datetime.UTC)
        attempts = Attempts()
        try:
            answer = yield from self._sender.send(
                call,
                retry_on=RetryOn.SAFE if options.get("retry_create") else RetryOn.NOT_PROCESSED,
                deadline=deadline,
                attempts=attempts,
            )
        except StepflowError as error:
            # Whatever happened to a later attempt, an earlier one may have created a run.
            if not attempts.may_have_reached_server:
                raise
            has_key = options.get("idempotency_key") is not None
            raise self._unknown(flow_id, since, error, has_key) from error
        run_id: UUID = answer.run_id
        return run_id

    def _unknown(
        self, flow_id: str, since: datetime.datetime, error: StepflowError, has_key: bool
    ) -> RunOutcomeUnknown:
        cause = error.message if isinstance(error, TransportError) else one_line(str(error))
        remedy = (
            "Call it again with the same idempotency_key, which finds the run or creates it"
            if has_key
            else f"Look for a run of flow {flow_id} created since"
            f" {since.isoformat(timespec='milliseconds')} with list_runs() before you run it again;"
            " retry_create=True runs it again automatically, and idempotency_key= without the risk"
            " of two runs"
        )
        return RunOutcomeUnknown(
            f"the response was lost, so the run may exist or not: {cause}. {remedy}",
            method="POST",
            # Of several servers, the one that was asked.
            url=getattr(error, "url", None) or f"{self._sender.url}/runs",
            flow_id=flow_id,
            since=since,
        )


class RunPages:
    """Runs, newest first, a page at a time."""

    def __init__(
        self,
        sender: Sender,
        filters: Mapping[str, Any],
        limit: int | None,
        timeout: float | None,
    ) -> None:
        self._sender = sender
        self._timeout = timeout
        self._filters = filters
        self._remaining = limit
        self._offset = 0
        self._returned: set[UUID] = set()

    def next_page(self) -> Steps[list[RunSummary]]:
        """Return the next runs; an empty list at the end."""
        while self._remaining is None or self._remaining > 0:
            # Pages after the first are requested whole, since a few runs could all be repeats.
            left = self._remaining
            size = PAGE_SIZE if left is None or self._offset else min(PAGE_SIZE, left)
            answer = yield from self._sender.send(
                endpoints.list_runs(self._filters, size, self._offset),
                deadline=Deadline.after(self._timeout),
            )
            runs: list[RunSummary] = answer.runs
            self._offset += len(runs)
            # A run that is created in the meantime moves runs already returned to the next page.
            new = [run for run in runs if run.run_id not in self._returned][: self._remaining]
            self._returned.update(run.run_id for run in new)
            if self._remaining is not None:
                self._remaining -= len(new)
            # A short page is the last: on a busy server, further ones would only repeat runs.
            if new or len(runs) < size:
                return new
        return []


def _add_run_id(span: Any, run_id: UUID) -> None:
    if span is not None:
        span.set_attribute("stepflow.run_id", str(run_id))


def _listed(inputs: Iterable[Any]) -> list[Any]:
    # A single input is easily passed instead of a list, and these can be iterated over as well.
    if isinstance(inputs, str | bytes | bytearray | Mapping) or not hasattr(inputs, "__iter__"):
        raise InvalidInput(
            f"inputs is of type {type(cast('object', inputs)).__name__}; pass a list or another"
            " iterable with an input for each item"
        )
    return list(inputs)


def _request(
    flow_id: str, inputs: list[Any], options: SubmitOptions, variables: dict[str, Any] | None
) -> CreateRunRequest:
    # An option that is called like a field of the request is sent in it.
    fields = {
        name: value
        for name, value in {**options, "variables": variables}.items()
        if name in CreateRunRequest.model_fields and value is not None
    }
    try:
        return CreateRunRequest.model_validate({"flow_id": flow_id, "input": inputs, **fields})
    except ValidationError as error:
        raise InvalidInput(f"the run cannot be created: {first_problem(error)}") from error


def parse_run_id(run_id: UUID | str) -> UUID:
    """Return a run's id as a UUID.

    Raises:
        InvalidInput: It is not one.
    """
    if isinstance(run_id, UUID):
        return run_id
    try:
        return UUID(run_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"the run id is {run_id!r}; pass a UUID, as submit() and list_runs() do"
        ) from error


def pop_headers(options: SubmitOptions, kind: type) -> Hidden[Mapping[str, str] | None]:
    """Remove the header fields from the options of a call, since they may be secret.

    Raises:
        TypeError: There is an option that the class does not list.
    """
    headers: Hidden[Mapping[str, str] | None] = Hidden(options.pop("headers", None))
    if unknown := options.keys() - kind.__annotations__.keys():
        raise TypeError(
            f"unexpected keyword argument {min(unknown)!r}; {kind.__name__} lists those that exist"
        )
    return headers
