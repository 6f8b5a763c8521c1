# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /flows/{flow_id}`: Get a flow by ID."""

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

OPERATION: Operation[models.FlowResponse, models.FlowResponse | models.ErrorResponse] = Operation(
    id="getFlow",
    method="GET",
    path="/flows/{flow_id}",
    answers={
        "200": Json(models.FlowResponse),
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
) -> Response[models.FlowResponse | models.ErrorResponse]:
    """Get a flow by ID.

    Retrieve a flow definition by its content-based hash ID.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.FlowResponse`: Response containing a flow definition and its ID
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
) -> models.FlowResponse:
    """Get a flow by ID.

    Retrieve a flow definition by its content-based hash ID.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.FlowResponse`: Response containing a flow definition and its ID

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
) -> Response[models.FlowResponse | models.ErrorResponse]:
    """Get a flow by ID.

    Retrieve a flow definition by its content-based hash ID.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.FlowResponse`: Response containing a flow definition and its ID
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
) -> models.FlowResponse:
    """Get a flow by ID.

    Retrieve a flow definition by its content-based hash ID.

    Args:
        flow_id: The flow's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.FlowResponse`: Response containing a flow definition and its ID

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
