# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`POST /blobs`: Store a blob."""

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

OPERATION: Operation[models.StoreBlobResponse, models.StoreBlobResponse | models.ErrorResponse] = (
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
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    *,
    body: models.StoreBlobRequest | bytes,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        body=body,
    )


def sync_detailed(
    *,
    client: Client,
    body: models.StoreBlobRequest | bytes,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.StoreBlobResponse | models.ErrorResponse]:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Sends the request.
        body: Blob data to store
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.StoreBlobResponse`: Blob stored successfully
        - 400 `models.ErrorResponse`: Invalid request body

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return client.send(OPERATION, build_request(body=body), timeout=timeout, headers=extra)


def sync(
    *,
    client: Client,
    body: models.StoreBlobRequest | bytes,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.StoreBlobResponse:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Sends the request.
        body: Blob data to store
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.StoreBlobResponse`: Blob stored successfully

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid request body
    """
    extra = Hidden(headers)
    del headers
    return client.call(OPERATION, build_request(body=body), timeout=timeout, headers=extra)


async def asyncio_detailed(
    *,
    client: Client,
    body: models.StoreBlobRequest | bytes,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.StoreBlobResponse | models.ErrorResponse]:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Sends the request.
        body: Blob data to store
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.StoreBlobResponse`: Blob stored successfully
        - 400 `models.ErrorResponse`: Invalid request body

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return await client.send_async(
        OPERATION, build_request(body=body), timeout=timeout, headers=extra
    )


async def asyncio(
    *,
    client: Client,
    body: models.StoreBlobRequest | bytes,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.StoreBlobResponse:
    """Store a blob.

    Store a blob and return its content-based ID. Supports two content types: `application/json`
    (JSON body with `data`, `blobType`, and optional `filename` fields) and
    `application/octet-stream` (raw binary body, use `X-Blob-Filename` header for filename).

    Args:
        client: Sends the request.
        body: Blob data to store
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.StoreBlobResponse`: Blob stored successfully

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid request body
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION, build_request(body=body), timeout=timeout, headers=extra
    )
