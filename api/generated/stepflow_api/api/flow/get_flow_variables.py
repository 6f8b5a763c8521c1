# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /flows/{flow_id}/variables`: Get variable schema for a flow."""

from __future__ import annotations

from collections.abc import Mapping

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes

__all__ = [
    "OPERATION",
    "asyncio",
    "asyncio_detailed",
    "build_request",
    "sync",
    "sync_detailed",
]

OPERATION: Operation[
    models.FlowVariablesResponse, models.FlowVariablesResponse | models.ErrorResponse
] = Operation(
    id="getFlowVariables",
    method="GET",
    path="/flows/{flow_id}/variables",
    answers={
        "200": Json(models.FlowVariablesResponse),
        "404": Json(models.ErrorResponse),
    },
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    flow_id: str,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        path={
            "flow_id": flow_id,
        },
    )


def sync_detailed(
    flow_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.FlowVariablesResponse | models.ErrorResponse]:
    """Get variable schema for a flow.

    Retrieve the variable schema for a flow, including environment variable mappings. This is a
    lightweight alternative to fetching the entire flow when you only need variable information.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.FlowVariablesResponse`: Response containing variable schema and environment
            variable mappings for a flow.
        - 404 `models.ErrorResponse`: Flow not found

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return client.send(
        OPERATION,
        build_request(
            flow_id=flow_id,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    flow_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.FlowVariablesResponse:
    """Get variable schema for a flow.

    Retrieve the variable schema for a flow, including environment variable mappings. This is a
    lightweight alternative to fetching the entire flow when you only need variable information.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.FlowVariablesResponse`: Response containing variable schema and environment
            variable mappings for a flow.

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Flow not found
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION,
        build_request(
            flow_id=flow_id,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    flow_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.FlowVariablesResponse | models.ErrorResponse]:
    """Get variable schema for a flow.

    Retrieve the variable schema for a flow, including environment variable mappings. This is a
    lightweight alternative to fetching the entire flow when you only need variable information.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.FlowVariablesResponse`: Response containing variable schema and environment
            variable mappings for a flow.
        - 404 `models.ErrorResponse`: Flow not found

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return await client.send_async(
        OPERATION,
        build_request(
            flow_id=flow_id,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    flow_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.FlowVariablesResponse:
    """Get variable schema for a flow.

    Retrieve the variable schema for a flow, including environment variable mappings. This is a
    lightweight alternative to fetching the entire flow when you only need variable information.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.FlowVariablesResponse`: Response containing variable schema and environment
            variable mappings for a flow.

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Flow not found
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION,
        build_request(
            flow_id=flow_id,
        ),
        timeout=timeout,
        headers=extra,
    )
