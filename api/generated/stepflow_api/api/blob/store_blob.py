# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""`POST /blobs`: Store a blob."""

from __future__ import annotations

from stepflow_api import models
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_OPERATION: Operation[models.StoreBlobResponse, models.StoreBlobResponse | models.ErrorResponse] = (
    Operation(
        id="storeBlob",
        method="POST",
        path="/blobs",
        answers={
            "200": Json(models.StoreBlobResponse),
            "400": Json(models.ErrorResponse),
        },
        accepts=(
            "application/json",
            "application/octet-stream",
        ),
    )
)


def _request(
    *,
    body: models.StoreBlobRequest | bytes,
) -> Request:
    return _OPERATION.request(
        body=body,
    )


def sync_detailed(
    *,
    client: Client,
    body: models.StoreBlobRequest | bytes,
) -> Response[models.StoreBlobResponse | models.ErrorResponse]:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Where to send it.
        body: Blob data to store

    Returns:
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.StoreBlobResponse`: Blob stored successfully
        - 400 `models.ErrorResponse`: Invalid request body

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
    body: models.StoreBlobRequest | bytes,
) -> models.StoreBlobResponse:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Where to send it.
        body: Blob data to store

    Returns:
        What success gives:

        - 200 `models.StoreBlobResponse`: Blob stored successfully

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid request body
    """
    return client.call(_OPERATION, _request(body=body))


async def asyncio_detailed(
    *,
    client: Client,
    body: models.StoreBlobRequest | bytes,
) -> Response[models.StoreBlobResponse | models.ErrorResponse]:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Where to send it.
        body: Blob data to store

    Returns:
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.StoreBlobResponse`: Blob stored successfully
        - 400 `models.ErrorResponse`: Invalid request body

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
    body: models.StoreBlobRequest | bytes,
) -> models.StoreBlobResponse:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Where to send it.
        body: Blob data to store

    Returns:
        What success gives:

        - 200 `models.StoreBlobResponse`: Blob stored successfully

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid request body
    """
    return await client.call_async(_OPERATION, _request(body=body))
