"""`POST /blobs` with binary content: Store bytes as a blob."""

from __future__ import annotations

from collections.abc import Mapping

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes, Unset

__all__ = ["OPERATION", "asyncio", "asyncio_detailed", "build_request", "sync", "sync_detailed"]

OPERATION: Operation[models.StoreBlobResponse, models.StoreBlobResponse | models.ErrorResponse] = (
    Operation(
        id="storeBlob",
        method="POST",
        path="/blobs",
        answers={
            "200": Json(models.StoreBlobResponse),
            "400": Json(models.ErrorResponse),
        },
        accepts=("application/octet-stream",),
    )
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(content: bytes, *, filename: str | Unset | None = UNSET) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(headers={"x-blob-filename": filename}, body=content)


def sync_detailed(
    content: bytes,
    *,
    client: Client,
    filename: str | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.StoreBlobResponse | models.ErrorResponse]:
    """Store bytes as a blob.

    The spec names the file name's header in its prose alone, so the generated `store_blob` cannot
    send it. The same bytes always have the same id.

    Args:
        content: The bytes; up to about 2 MiB on servers up to 0.11.
        client: Sends the request.
        filename: File name to keep with the blob, in ASCII: the server drops any other.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:
        200 `models.StoreBlobResponse`,
        400 `models.ErrorResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return client.send(
        OPERATION, build_request(content, filename=filename), timeout=timeout, headers=extra
    )


def sync(
    content: bytes,
    *,
    client: Client,
    filename: str | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.StoreBlobResponse:
    """Store bytes as a blob.

    The spec names the file name's header in its prose alone, so the generated `store_blob` cannot
    send it. The same bytes always have the same id.

    Args:
        content: The bytes; up to about 2 MiB on servers up to 0.11.
        client: Sends the request.
        filename: File name to keep with the blob, in ASCII: the server drops any other.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The id of the blob.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION, build_request(content, filename=filename), timeout=timeout, headers=extra
    )


async def asyncio_detailed(
    content: bytes,
    *,
    client: Client,
    filename: str | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.StoreBlobResponse | models.ErrorResponse]:
    """Store bytes as a blob.

    The spec names the file name's header in its prose alone, so the generated `store_blob` cannot
    send it. The same bytes always have the same id.

    Args:
        content: The bytes; up to about 2 MiB on servers up to 0.11.
        client: Sends the request.
        filename: File name to keep with the blob, in ASCII: the server drops any other.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:
        200 `models.StoreBlobResponse`,
        400 `models.ErrorResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return await client.send_async(
        OPERATION, build_request(content, filename=filename), timeout=timeout, headers=extra
    )


async def asyncio(
    content: bytes,
    *,
    client: Client,
    filename: str | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.StoreBlobResponse:
    """Store bytes as a blob.

    The spec names the file name's header in its prose alone, so the generated `store_blob` cannot
    send it. The same bytes always have the same id.

    Args:
        content: The bytes; up to about 2 MiB on servers up to 0.11.
        client: Sends the request.
        filename: File name to keep with the blob, in ASCII: the server drops any other.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The id of the blob.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION, build_request(content, filename=filename), timeout=timeout, headers=extra
    )
