"""Runs that are created once for each key, although responses are lost.

Servers know no keys, but they find runs by the name of their flow: a flow with the key in its name
has the runs of this key alone. Its id would not do: from 0.12 on, servers store one flow under
another id each time if an object in it has several keys.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from stepflow_api.errors import NotFound, StepflowError
from stepflow_api.lowlevel import Sleep, Steps
from stepflow_api.models import CreateRunRequest, Flow, RunSummary
from stepflow_client._constants import (
    CREATION_SECONDS,
    FIRST_DELAY,
    KEY_LENGTH,
    PAGE_SIZE,
    RECONNECT_SECONDS,
)
from stepflow_client._core.flows import Flows
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.retry import RetryOn
from stepflow_client._requests.sending import Sender
from stepflow_client.errors import InvalidInput, RunOutcomeUnknown

# In the metadata of the flow.
_MARK = "stepflowClient"


def create_once(
    sender: Sender,
    flows: Flows,
    flow: Flow,
    create: Callable[[str], Steps[UUID]],
    deadline: Deadline,
) -> Steps[UUID]:
    """Return the id of the run of a flow from `with_key`, which `create` creates if there is none.

    Raises:
        InvalidInput: The key was used for another call.
        RunOutcomeUnknown: No response of the server said whether there is a run.
    """
    flow_id: str | None = None
    lost: RunOutcomeUnknown | None = None
    give_up_at = absent_at = 0.0
    was_forgotten = False
    while True:
        try:
            run = yield from _find(sender, flow, deadline, lost is not None)
            if run is not None:
                yield from _check(flows, flow, run, deadline)
                return run.run_id
            if lost is not None and time.monotonic() < absent_at and not deadline.has_passed:
                # The server may still be about to create the run.
                yield Sleep(deadline.bound(FIRST_DELAY))
                continue
            if flow_id is None:
                flow_id = yield from flows.store_model(flow, deadline)
            return (yield from create(flow_id))
        except RunOutcomeUnknown as error:
            give_up_at = give_up_at or time.monotonic() + RECONNECT_SECONDS
            if deadline.has_passed or time.monotonic() >= give_up_at:
                raise
            lost = error
            absent_at = time.monotonic() + CREATION_SECONDS
            yield Sleep(deadline.bound(FIRST_DELAY))
        except NotFound:
            # A server without storage loses the flow and its runs when it restarts.
            if was_forgotten:
                raise
            flow_id, was_forgotten = None, True
        except StepflowError as error:
            if lost is None or isinstance(error, InvalidInput):
                raise
            raise lost from error


def with_key(flow: Flow, key: str, call: CreateRunRequest) -> Flow:
    """Return a flow with a key in its name, and a digest of the call in its metadata.

    `call` is the request for the run, without the flow's id.

    Raises:
        InvalidInput: The key is not a text, is empty or too long.
    """
    if not isinstance(key, str) or not 0 < len(key) <= KEY_LENGTH:
        raise InvalidInput(
            f"idempotency_key is {key!r}; pass a text of 1 to {KEY_LENGTH} characters, such as the"
            " number of an order"
        )
    text = json.dumps([flow.to_dict(), call.to_dict()], sort_keys=True)
    mark = {"key": key, "call": hashlib.sha256(text.encode()).hexdigest()}
    metadata: dict[str, Any] = {**(flow.metadata or {}), _MARK: mark}
    name = f"{flow.name} [{key}]" if flow.name else f"[{key}]"
    return flow.model_copy(update={"name": name, "metadata": metadata})


def _find(
    sender: Sender, flow: Flow, deadline: Deadline, may_exist: bool
) -> Steps[RunSummary | None]:
    """Return the oldest run of a flow by its name; None if it has none."""
    answer = yield from sender.send(
        endpoints.list_runs({"flow_name": flow.name}, PAGE_SIZE, 0),
        retry_on=RetryOn.WAITING if may_exist else RetryOn.SAFE,
        deadline=deadline,
    )
    runs: list[RunSummary] = answer.runs
    # Newest first. There are several only if the first calls were made at the same moment.
    return next((run for run in reversed(runs) if run.flow_name == flow.name), None)


def _check(flows: Flows, flow: Flow, run: RunSummary, deadline: Deadline) -> Steps[None]:
    stored = yield from flows.get(run.flow_id, deadline)
    mark = (flow.metadata or {})[_MARK]
    if (stored.metadata or {}).get(_MARK) != mark:
        raise InvalidInput(
            f"idempotency_key {mark['key']!r} was used for run {run.run_id}, which has another"
            " flow, input, override or variable; pass each call a key of its own"
        )
