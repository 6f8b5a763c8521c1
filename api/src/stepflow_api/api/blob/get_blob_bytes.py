"""`GET /blobs/{blob_id}` with binary content: Get the bytes of a blob."""

from __future__ import annotations

from collections.abc import Mapping

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Json, Operation, Request, raw
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes

__all__ = ["OPERATION", "asyncio", "asyncio_detailed", "build_request", "sync", "sync_detailed"]

OPERATION: Operation[bytes, bytes | models.ErrorResponse] = Operation(
    id="getBlob",
    method="GET",
    path="/blobs/{blob_id}",
    answers={
        "200": raw,
        "404": Json(models.ErrorResponse),
    },
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(blob_id: str) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        path={"blob_id": blob_id}, headers={"accept": "application/octet-stream"}
    )


def sync_detailed(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes | models.ErrorResponse]:
    """Get the bytes of a blob.

    The generated `get_blob` asks for JSON, which the server refuses with 500 for a binary blob.
    This gets a JSON blob as well, as its text. The answer's headers tell which it is
    (`x-blob-type`), and its file name (`content-disposition`).

    Args:
        blob_id: Id of the blob.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:
        200 `bytes`,
        404 `models.ErrorResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return client.send(OPERATION, build_request(blob_id), timeout=timeout, headers=extra)


def sync(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Get the bytes of a blob.

    The generated `get_blob` asks for JSON, which the server refuses with 500 for a binary blob.
    This gets a JSON blob as well, as its text. The answer's headers tell which it is
    (`x-blob-type`), and its file name (`content-disposition`).

    Args:
        blob_id: Id of the blob.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The bytes.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return client.call(OPERATION, build_request(blob_id), timeout=timeout, headers=extra)


async def asyncio_detailed(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes | models.ErrorResponse]:
    """Get the bytes of a blob.

    The generated `get_blob` asks for JSON, which the server refuses with 500 for a binary blob.
    This gets a JSON blob as well, as its text. The answer's headers tell which it is
    (`x-blob-type`), and its file name (`content-disposition`).

    Args:
        blob_id: Id of the blob.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:
        200 `bytes`,
        404 `models.ErrorResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return await client.send_async(
        OPERATION, build_request(blob_id), timeout=timeout, headers=extra
    )


async def asyncio(
    blob_id: str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Get the bytes of a blob.

    The generated `get_blob` asks for JSON, which the server refuses with 500 for a binary blob.
    This gets a JSON blob as well, as its text. The answer's headers tell which it is
    (`x-blob-type`), and its file name (`content-disposition`).

    Args:
        blob_id: Id of the blob.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The bytes.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION, build_request(blob_id), timeout=timeout, headers=extra
    )
