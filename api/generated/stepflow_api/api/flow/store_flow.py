# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""`POST /flows`: Store a flow."""

from __future__ import annotations

from stepflow_api import models
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_OPERATION: Operation[models.StoreFlowResponse, models.StoreFlowResponse | models.ErrorResponse] = (
    Operation(
        id="storeFlow",
        method="POST",
        path="/flows",
        answers={
            "200": Json(models.StoreFlowResponse),
            "400": Json(models.ErrorResponse),
        },
        accepts=("application/json",),
    )
)


def _request(
    *,
    body: models.StoreFlowRequest,
) -> Request:
    return _OPERATION.request(
        body=body,
    )


def sync_detailed(
    *,
    client: Client,
    body: models.StoreFlowRequest,
) -> Response[models.StoreFlowResponse | models.ErrorResponse]:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Where to send it.
        body: Request to store a flow

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.StoreFlowResponse`,
        400 `models.ErrorResponse`.

    Raises:
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return client.send(_OPERATION, _request(body=body))


def sync(
    *,
    client: Client,
    body: models.StoreFlowRequest,
) -> models.StoreFlowResponse:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Where to send it.
        body: Request to store a flow

    Returns:
        What success gives.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No whole answer arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return client.call(_OPERATION, _request(body=body))


async def asyncio_detailed(
    *,
    client: Client,
    body: models.StoreFlowRequest,
) -> Response[models.StoreFlowResponse | models.ErrorResponse]:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Where to send it.
        body: Request to store a flow

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.StoreFlowResponse`,
        400 `models.ErrorResponse`.

    Raises:
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return await client.send_async(_OPERATION, _request(body=body))


async def asyncio(
    *,
    client: Client,
    body: models.StoreFlowRequest,
) -> models.StoreFlowResponse:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Where to send it.
        body: Request to store a flow

    Returns:
        What success gives.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No whole answer arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return await client.call_async(_OPERATION, _request(body=body))
