"""All operations of a client, without I/O.

They are generators that yield effects; the driver of a client performs these.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from stepflow_api.lowlevel import Steps
from stepflow_api.models import ComponentInfo, HealthResponse
from stepflow_api.types import Response
from stepflow_client._core.flows import Flows
from stepflow_client._core.results import Source
from stepflow_client._core.runs import Runs
from stepflow_client._requests import endpoints
from stepflow_client._requests.deadline import Deadline
from stepflow_client._requests.sending import Sender


class Core:
    """Operations on the server itself, its blobs, flows and runs."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.flows = Flows(sender)
        self.runs = Runs(sender, self.flows)

    def health(self, deadline: Deadline) -> Steps[HealthResponse]:
        """Return the server's health."""
        answer: HealthResponse = yield from self.sender.send(endpoints.health(), deadline=deadline)
        return answer

    def list_components(
        self, include_schemas: bool, deadline: Deadline
    ) -> Steps[list[ComponentInfo]]:
        """Return the components that flows can use."""
        call = endpoints.list_components(include_schemas)
        answer = yield from self.sender.send(call, deadline=deadline)
        components: list[ComponentInfo] = answer.components
        return components

    def put_blob(self, data: Any, filename: str | None, deadline: Deadline) -> Steps[str]:
        """Store a blob and return its id."""
        call = (
            endpoints.store_bytes_blob(bytes(data), filename)
            if isinstance(data, bytes | bytearray)
            else endpoints.store_json_blob(data, filename)
        )
        answer = yield from self.sender.send(call, deadline=deadline)
        blob_id: str = answer.blob_id
        return blob_id

    def get_blob(self, blob_id: str, deadline: Deadline) -> Steps[Any]:
        """Return a blob: a JSON value or bytes."""
        call = endpoints.get_blob(blob_id)
        answer: Response[list[bytes]] = yield from self.sender.send(call, deadline=deadline)
        content = b"".join(answer.parsed or ())
        if answer.headers.get("x-blob-type", "binary") == "binary":
            return content
        try:
            return from_json(content)
        except ValueError as error:
            source = Source(self.sender.url + call.request.path, answer.status_code)
            raise source.invalid(error) from error
