"""Flows, components, blobs and health: the methods of the asynchronous client besides runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from stepflow_api import Client
from stepflow_api.models import ComponentInfo, Flow, FlowVariablesResponse, HealthResponse
from stepflow_api.support import Hidden
from stepflow_client._core.core import Core
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import FlowValidation
from stepflow_client._requests.deadline import Deadline
from stepflow_client._servers import Servers


class ServerMethods:
    """Methods of `StepflowClient` for what is stored on a server and for the server itself."""

    _client: Client | Servers
    _core: Core

    def __reduce__(self) -> NoReturn:
        # A copy would close the connections of the original.
        raise TypeError(
            f"{type(self).__name__} cannot be copied or pickled; create another, or pickle the"
            " handles of its runs"
        )

    async def validate(
        self,
        flow: FlowSource,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> FlowValidation:
        """Check a flow on the server without storing it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            Errors and warnings.

        Raises:
            InvalidInput: The flow cannot be read or is invalid.

        Example:
            >>> validation = await client.validate({"steps": [], "output": {"$step": "ask"}})
            >>> validation.is_valid
            False
            >>> [error.formatted for error in validation.errors]
            ["Step 'workflow_output' references undefined step 'ask'"]
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.flows.validate(flow, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def store_flow(
        self,
        flow: FlowSource,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Store a flow, unless this client has stored it before and the server still has it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            The flow's id.

        Raises:
            InvalidInput: The flow cannot be read or is invalid.
            FlowInvalid: The server rejects the flow.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.flows.store(flow, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def get_flow(
        self,
        flow_id: str,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Flow:
        """Return a stored flow.

        Args:
            flow_id: Id of the flow.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            NotFound: The server has no such flow.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.flows.get(flow_id, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def get_variables(
        self,
        flow_id: str,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> FlowVariablesResponse:
        """Return the schema of a stored flow's variables and the environment variables they map to.

        Args:
            flow_id: Id of the flow.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            NotFound: The server has no such flow.
            UnsupportedByServer: The server is older than 0.11.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.flows.get_variables(flow_id, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def list_components(
        self,
        *,
        include_schemas: bool = True,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[ComponentInfo]:
        """Return the components that flows can use on this server.

        Args:
            include_schemas: Whether to include their schemas.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.list_components(include_schemas, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def put_blob(
        self,
        data: Any,
        *,
        filename: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Store a blob.

        Args:
            data: Any JSON value, or bytes; at most about 2 MiB on servers up to 0.11.
            filename: File name to store with it, in ASCII.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            The blob's id, the same for the same content.

        Raises:
            UnsupportedByServer: The server is older than 0.10.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.put_blob(data, filename, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def get_blob(
        self,
        blob_id: str,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return a blob.

        Args:
            blob_id: Id of the blob.
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Returns:
            The JSON value or the bytes that were stored.

        Raises:
            NotFound: The server has no such blob.
            UnsupportedByServer: The server is older than 0.10.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.get_blob(blob_id, Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def health(
        self,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HealthResponse:
        """Return the server's health.

        Args:
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            InvalidAnswer: It is not a Stepflow server.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.health(Deadline.after(timeout))
        return await self._client.run_async(steps, headers=extra)

    async def server_version(
        self,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Return the server's version, such as `0.11.1`.

        Args:
            timeout: Maximum time for all of it, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Raises:
            InvalidAnswer: It is not a Stepflow server.
        """
        extra = Hidden(headers)
        del headers
        steps = self._core.health(Deadline.after(timeout))
        return (await self._client.run_async(steps, headers=extra)).version
