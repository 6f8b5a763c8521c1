"""Stored flows: each is stored once, and run by its id."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, cast

from stepflow_api.errors import one_line
from stepflow_api.lowlevel import Steps
from stepflow_api.models import Flow, FlowVariablesResponse, StoreFlowResponse
from stepflow_client._core.flow_source import FlowContent, FlowIds, FlowSource, resolve
from stepflow_client._core.results import FlowValidation
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.sending import Sender
from stepflow_client.errors import FlowInvalid, InvalidInput, NotFound


class Flows:
    """Flows on a server."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._ids = FlowIds()

    def store(self, flow: FlowSource, deadline: Deadline) -> Steps[str]:
        """Store a flow that the server does not have, and return its id."""
        source = resolve(flow)
        if isinstance(source, str):
            return source
        known = self._ids.get(source.key)
        if known is not None:
            try:
                yield from self.get(known, deadline)
            except NotFound:
                self.forget(source)
        return (yield from self.id_of(source, deadline))

    def validate(self, flow: FlowSource, deadline: Deadline) -> Steps[FlowValidation]:
        """Return what the server finds in a flow."""
        source = resolve(flow)
        if isinstance(source, str):
            model = yield from self.get(source, deadline)
        else:
            model = source.load()
        answer: StoreFlowResponse = yield from self._sender.send(
            endpoints.store_flow(model, dry_run=True), deadline=deadline
        )
        return FlowValidation(answer.flow_id, answer.diagnostics)

    def get(self, flow_id: str, deadline: Deadline) -> Steps[Flow]:
        """Return a stored flow."""
        answer = yield from self._sender.send(endpoints.get_flow(flow_id), deadline=deadline)
        flow: Flow = answer.flow
        return flow

    def get_variables(self, flow_id: str, deadline: Deadline) -> Steps[FlowVariablesResponse]:
        """Return the variables of a stored flow."""
        answer: FlowVariablesResponse = yield from self._sender.send(
            endpoints.get_variables(flow_id), deadline=deadline
        )
        return answer

    def is_known(self, content: FlowContent) -> bool:
        """Whether this client has stored the flow before."""
        return self._ids.get(content.key) is not None

    def forget(self, content: FlowContent) -> None:
        """Drop the id of a flow that the server no longer has."""
        self._ids.forget(content.key)

    def id_of(self, content: FlowContent, deadline: Deadline) -> Steps[str]:
        """Return the id of a flow, which is stored if its id is not known."""
        flow_id = self._ids.get(content.key)
        if flow_id is None:
            flow_id = yield from self.store_model(content.load(), deadline)
            self._ids.put(content.key, flow_id)
        return flow_id

    def store_model(self, flow: Flow, deadline: Deadline) -> Steps[str]:
        """Store a flow, whose id is not remembered, and return its id."""
        answer: StoreFlowResponse = yield from self._sender.send(
            endpoints.store_flow(flow, dry_run=False), deadline=deadline
        )
        if not answer.stored or answer.diagnostics.num_fatal:
            raise _invalid(flow, answer)
        return answer.flow_id

    def variables(
        self,
        flow_id: str,
        explicit: Mapping[str, Any] | None,
        from_env: bool,
        deadline: Deadline,
    ) -> Steps[dict[str, Any] | None]:
        """Return the variables of a run: explicit ones, completed by the environment's."""
        try:
            variables = dict(explicit or {})
        except (TypeError, ValueError):
            raise InvalidInput(
                f"variables is {explicit!r}; pass a dict of names and values"
            ) from None
        if not from_env:
            return None if explicit is None else variables
        answer = yield from self.get_variables(flow_id, deadline)
        properties = (answer.schema_ or {}).get("properties", {})
        for name, variable in answer.env_vars.items():
            if name not in variables and variable in os.environ:
                variables[name] = _environment_value(variable, properties.get(name))
        return variables


def _invalid(flow: Flow, answer: StoreFlowResponse) -> FlowInvalid:
    name = f"flow {flow.name!r}" if flow.name else "the flow"
    found = FlowValidation(answer.flow_id, answer.diagnostics).errors
    reasons = one_line("; ".join(f"{one.path or '$'}: {one.formatted}" for one in found[:3]))
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return FlowInvalid(
        f"{name} is invalid, so it was not stored:"
        f" {reasons or 'the server does not say why'}{more}; correct it there",
        answer.diagnostics,
    )


def _environment_value(variable: str, schema: Any) -> Any:
    text = os.environ[variable]
    kind = cast("Any", schema).get("type", "string") if isinstance(schema, Mapping) else "string"
    if kind == "string" or (isinstance(kind, list) and "string" in kind):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"the environment variable {variable} does not hold the {kind} that the flow's variable"
            " needs; write it as JSON"
        ) from error
