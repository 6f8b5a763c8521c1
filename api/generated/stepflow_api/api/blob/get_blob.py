# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /blobs/{blob_id}`: Get a blob by ID."""

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

OPERATION: Operation[models.GetBlobResponse, models.GetBlobResponse | models.ErrorResponse] = (
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
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    blob_id: str,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        path={
            "blob_id": blob_id,
        },
    )


def sync_detailed(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.GetBlobResponse | models.ErrorResponse]:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header:
    `application/json` (default) returns JSON with data, blobType, blobId, and filename;
    `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.GetBlobResponse`: Blob data
        - 404 `models.ErrorResponse`: Blob not found

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
            blob_id=blob_id,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.GetBlobResponse:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header:
    `application/json` (default) returns JSON with data, blobType, blobId, and filename;
    `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.GetBlobResponse`: Blob data

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Blob not found
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION,
        build_request(
            blob_id=blob_id,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.GetBlobResponse | models.ErrorResponse]:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header:
    `application/json` (default) returns JSON with data, blobType, blobId, and filename;
    `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.GetBlobResponse`: Blob data
        - 404 `models.ErrorResponse`: Blob not found

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
            blob_id=blob_id,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.GetBlobResponse:
    """Get a blob by ID.

    Retrieve a blob by its content-based ID. Supports content negotiation via `Accept` header:
    `application/json` (default) returns JSON with data, blobType, blobId, and filename;
    `application/octet-stream` returns raw bytes.

    Args:
        blob_id: The blob's content-based hash ID.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.GetBlobResponse`: Blob data

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Blob not found
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION,
        build_request(
            blob_id=blob_id,
        ),
        timeout=timeout,
        headers=extra,
    )
