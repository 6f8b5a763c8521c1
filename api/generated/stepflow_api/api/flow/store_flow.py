# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
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
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored
        - 400 `models.ErrorResponse`: Invalid flow definition

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
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
        What success gives:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid flow definition
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
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored
        - 400 `models.ErrorResponse`: Invalid flow definition

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
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
        What success gives:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid flow definition
    """
    return await client.call_async(_OPERATION, _request(body=body))
