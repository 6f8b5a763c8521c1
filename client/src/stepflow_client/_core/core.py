"""Every operation of the clients, once and without I/O."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from pydantic_core import from_json

from stepflow_api.errors import one_line
from stepflow_api.models import (
    ComponentInfo,
    Flow,
    FlowVariablesResponse,
    HealthResponse,
    RunSummary,
    StoreFlowResponse,
)
from stepflow_api.types import Response
from stepflow_client._constants import PAGE_SIZE
from stepflow_client._core.flow_source import FlowContent, FlowIds, FlowSource, StoredFlow, resolve
from stepflow_client._core.results import FlowValidation, Source
from stepflow_client._requests import endpoints
from stepflow_client._requests.effects import NO_DEADLINE, Deadline, Steps
from stepflow_client._requests.sending import Sender
from stepflow_client.errors import FlowInvalid, InvalidInput, NotFound


class Core:
    """Flows, blobs, and what the server says of itself.

    Args:
        sender: Sends the requests.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._ids = FlowIds()

    def health(self) -> Steps[HealthResponse]:
        """Asks for the server's health."""
        answer: HealthResponse = yield from self._sender.send(endpoints.health())
        return answer

    def list_components(self, include_schemas: bool) -> Steps[list[ComponentInfo]]:
        """Lists components."""
        answer = yield from self._sender.send(endpoints.list_components(include_schemas))
        components: list[ComponentInfo] = answer.components
        return components

    def store_flow(self, flow: FlowSource) -> Steps[str]:
        """Stores a flow where it is not stored yet."""
        given = resolve(flow)
        if isinstance(given, StoredFlow):
            return given.flow_id
        known = self._ids.get(given.key)
        if known is not None:
            try:
                yield from self.get_flow(known)
            except NotFound:
                self._ids.forget(given.key)
        return (yield from self._flow_id(given, NO_DEADLINE))

    def validate(self, flow: FlowSource) -> Steps[FlowValidation]:
        """Has a flow checked."""
        given = resolve(flow)
        model = (
            (yield from self.get_flow(given.flow_id))
            if isinstance(given, StoredFlow)
            else given.load()
        )
        answer: StoreFlowResponse = yield from self._sender.send(
            endpoints.store_flow(model, dry_run=True)
        )
        return FlowValidation(answer.flow_id, answer.diagnostics)

    def get_flow(self, flow_id: str) -> Steps[Flow]:
        """Gets a stored flow."""
        answer = yield from self._sender.send(endpoints.get_flow(flow_id))
        flow: Flow = answer.flow
        return flow

    def get_variables(
        self, flow_id: str, deadline: Deadline = NO_DEADLINE
    ) -> Steps[FlowVariablesResponse]:
        """Gets the variables of a stored flow."""
        answer: FlowVariablesResponse = yield from self._sender.send(
            endpoints.get_variables(flow_id), deadline=deadline
        )
        return answer

    def put_blob(self, data: Any, filename: str | None) -> Steps[str]:
        """Stores a blob."""
        call = (
            endpoints.store_bytes_blob(bytes(data), filename)
            if isinstance(data, bytes | bytearray)
            else endpoints.store_json_blob(data, filename)
        )
        answer = yield from self._sender.send(call)
        blob_id: str = answer.blob_id
        return blob_id

    def get_blob(self, blob_id: str) -> Steps[Any]:
        """Gets a blob."""
        call = endpoints.get_blob(blob_id)
        answer: Response[list[bytes]] = yield from self._sender.send(call)
        content = b"".join(answer.parsed or ())
        if answer.headers.get("x-blob-type", "binary") == "binary":
            return content
        try:
            return from_json(content)
        except ValueError as error:
            raise self.source(call.request.path, answer.status_code).invalid(error) from error

    def pages(self, filters: Mapping[str, Any], limit: int | None) -> RunPages:
        """Lists runs page by page."""
        is_number = isinstance(limit, int) and not isinstance(limit, bool)
        if limit is not None and not (is_number and limit >= 0):
            raise InvalidInput(f"limit is {limit!r}; give 0 or more, or None for all runs")
        return RunPages(self._sender, filters, limit)

    def source(self, path: str, status_code: int) -> Source:
        """Says where the answer to a GET came from."""
        return Source("GET", self._sender.url + path, status_code)

    def _flow_id(self, content: FlowContent, deadline: Deadline) -> Steps[str]:
        flow_id = self._ids.get(content.key)
        if flow_id is None:
            flow = content.load()
            answer: StoreFlowResponse = yield from self._sender.send(
                endpoints.store_flow(flow, dry_run=False), deadline=deadline
            )
            if not answer.stored or answer.diagnostics.num_fatal:
                raise _refused(flow, answer)
            flow_id = answer.flow_id
            self._ids.put(content.key, flow_id)
        return flow_id

    def _variables(
        self,
        flow_id: str,
        explicit: Mapping[str, Any] | None,
        from_env: bool,
        deadline: Deadline,
    ) -> Steps[dict[str, Any] | None]:
        try:
            variables = dict(explicit or {})
        except (TypeError, ValueError):
            raise InvalidInput(
                f"variables is {explicit!r}; give a dict of names and values"
            ) from None
        if not from_env:
            return None if explicit is None else variables
        answer = yield from self.get_variables(flow_id, deadline)
        properties = (answer.schema_ or {}).get("properties", {})
        for name, variable in answer.env_vars.items():
            if name not in variables and variable in os.environ:
                variables[name] = _environment_value(variable, properties.get(name))
        return variables


class RunPages:
    """Runs, newest first, a page at a time."""

    def __init__(self, sender: Sender, filters: Mapping[str, Any], limit: int | None) -> None:
        self._sender = sender
        self._filters = {name: value for name, value in filters.items() if value is not None}
        self._left = limit
        self._offset = 0
        self._seen: set[UUID] = set()

    def page(self) -> Steps[list[RunSummary]]:
        """Return the next runs; none at the end."""
        while self._left is None or self._left > 0:
            # Pages after the first are requested whole, since a few runs could all be repeats.
            size = PAGE_SIZE if self._left is None or self._offset else min(PAGE_SIZE, self._left)
            answer = yield from self._sender.send(
                endpoints.list_runs(self._filters, size, self._offset)
            )
            runs: list[RunSummary] = answer.runs
            self._offset += len(runs)
            # A run that is created in the meantime moves runs already returned to the next page.
            new = [run for run in runs if run.run_id not in self._seen][: self._left]
            self._seen.update(run.run_id for run in new)
            if self._left is not None:
                self._left -= len(new)
            # A short page is the last: on a busy server, further ones would only repeat runs.
            if new or len(runs) < size:
                return new
        return []


def _refused(flow: Flow, answer: StoreFlowResponse) -> FlowInvalid:
    name = f"flow {flow.name!r}" if flow.name else "the flow"
    found = FlowValidation(answer.flow_id, answer.diagnostics).errors
    said = one_line("; ".join(f"{one.path or '$'}: {one.formatted}" for one in found[:3]))
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return FlowInvalid(
        f"{name} is invalid, so it was not stored: {said or 'the server does not say why'}{more};"
        " correct it there",
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
