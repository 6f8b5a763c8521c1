# Made from _server_methods.py by `tools/bazel run //client:update_sync`; edit that file instead.
"""Flows, components, blobs and health: the methods of the synchronous client besides runs."""

from __future__ import annotations

from typing import Any

from stepflow_api import Client
from stepflow_api.models import ComponentInfo, Flow, FlowVariablesResponse, HealthResponse
from stepflow_client._core.core import Core
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import FlowValidation


class SyncServerMethods:
    """Methods of `SyncStepflowClient` for what is stored on a server and for the server itself."""

    _client: Client
    _core: Core

    def validate(self, flow: FlowSource) -> FlowValidation:
        """Check a flow on the server without storing it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.

        Returns:
            Errors and warnings.

        Raises:
            InvalidInput: The flow cannot be read or is invalid.
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.flows.validate(flow))

    def store_flow(self, flow: FlowSource) -> str:
        """Store a flow, unless this client has stored it before and the server still has it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.

        Returns:
            The flow's id.

        Raises:
            InvalidInput: The flow cannot be read or is invalid.
            FlowInvalid: The server rejects the flow.
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.flows.store(flow))

    def get_flow(self, flow_id: str) -> Flow:
        """Return a stored flow.

        Args:
            flow_id: Id of the flow.

        Raises:
            NotFound: The server has no such flow.
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.flows.get(flow_id))

    def get_variables(self, flow_id: str) -> FlowVariablesResponse:
        """Return the schema of a stored flow's variables and the environment variables they map to.

        Args:
            flow_id: Id of the flow.

        Raises:
            NotFound: The server has no such flow.
            UnsupportedByServer: The server is older than 0.11.
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.flows.get_variables(flow_id))

    def list_components(self, *, include_schemas: bool = True) -> list[ComponentInfo]:
        """Return the components that flows can use on this server.

        Args:
            include_schemas: Whether to include their schemas.

        Raises:
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.list_components(include_schemas))

    def put_blob(self, data: Any, *, filename: str | None = None) -> str:
        """Store a blob.

        Args:
            data: Any JSON value, or bytes; at most about 2 MiB on servers up to 0.11.
            filename: File name to store with it, in ASCII.

        Returns:
            The blob's id, the same for the same content.

        Raises:
            UnsupportedByServer: The server is older than 0.10.
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.put_blob(data, filename))

    def get_blob(self, blob_id: str) -> Any:
        """Return a blob.

        Args:
            blob_id: Id of the blob.

        Returns:
            The JSON value or the bytes that were stored.

        Raises:
            NotFound: The server has no such blob.
            UnsupportedByServer: The server is older than 0.10.
            Unreachable: The server does not respond.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.get_blob(blob_id))

    def health(self) -> HealthResponse:
        """Return the server's health.

        Raises:
            Unreachable: The server does not respond.
            InvalidAnswer: It is not a Stepflow server.
            StatusError: The server rejects the request.
        """
        return self._client.run(self._core.health())

    def server_version(self) -> str:
        """Return the server's version, such as `0.11.1`.

        Raises:
            Unreachable: The server does not respond.
            InvalidAnswer: It is not a Stepflow server.
            StatusError: The server rejects the request.
        """
        return (self.health()).version
