# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""`GET /blobs/{blob_id}`: Get a blob by ID."""

from __future__ import annotations

from stepflow_api import models
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_OPERATION: Operation[models.GetBlobResponse, models.GetBlobResponse | models.ErrorResponse] = (
    Operation(
        id="getBlob",
        method="GET",
        path="/blobs/{blob_id}",
        answers={
            "200": Json(models.GetBlobResponse),
            "404": Json(models.ErrorResponse),
        },
    )
)


def _request(
    *,
    blob_id: str,
) -> Request:
    return _OPERATION.request(
        path={
            "blob_id": blob_id,
        },
    )


def sync_detailed(
    blob_id: str,
    *,
    client: Client,
) -> Response[models.GetBlobResponse | models.ErrorResponse]:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header: `application/json` (default) returns JSON with data, blobType, blobId, and filename; `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Where to send it.

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.GetBlobResponse`,
        404 `models.ErrorResponse`.

    Raises:
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return client.send(
        _OPERATION,
        _request(
            blob_id=blob_id,
        ),
    )


def sync(
    blob_id: str,
    *,
    client: Client,
) -> models.GetBlobResponse:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header: `application/json` (default) returns JSON with data, blobType, blobId, and filename; `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Where to send it.

    Returns:
        What success gives.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No whole answer arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return client.call(
        _OPERATION,
        _request(
            blob_id=blob_id,
        ),
    )


async def asyncio_detailed(
    blob_id: str,
    *,
    client: Client,
) -> Response[models.GetBlobResponse | models.ErrorResponse]:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header: `application/json` (default) returns JSON with data, blobType, blobId, and filename; `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Where to send it.

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.GetBlobResponse`,
        404 `models.ErrorResponse`.

    Raises:
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return await client.send_async(
        _OPERATION,
        _request(
            blob_id=blob_id,
        ),
    )


async def asyncio(
    blob_id: str,
    *,
    client: Client,
) -> models.GetBlobResponse:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header: `application/json` (default) returns JSON with data, blobType, blobId, and filename; `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Where to send it.

    Returns:
        What success gives.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No whole answer arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return await client.call_async(
        _OPERATION,
        _request(
            blob_id=blob_id,
        ),
    )
