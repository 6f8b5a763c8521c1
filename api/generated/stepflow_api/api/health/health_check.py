# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /health`: Check service health."""

from __future__ import annotations

from collections.abc import Mapping

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes, Unset

__all__ = [
    "OPERATION",
    "asyncio",
    "asyncio_detailed",
    "build_request",
    "sync",
    "sync_detailed",
]

OPERATION: Operation[models.HealthResponse, models.HealthResponse | models.ErrorResponse] = (
    Operation(
        id="healthCheck",
        method="GET",
        path="/health",
        answers={
            "200": Json(models.HealthResponse),
            "400": Json(models.ErrorResponse),
        },
    )
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    *,
    error: str | None | Unset = UNSET,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        query={
            "error": error,
        },
    )


def sync_detailed(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.HealthResponse | models.ErrorResponse]:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger
    test error responses.

    Args:
        client: Sends the request.
        error: Trigger an error for testing error response format.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.HealthResponse`: Health check response
        - 400 `models.ErrorResponse`: Error triggered via query parameter

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
            error=error,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.HealthResponse:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger
    test error responses.

    Args:
        client: Sends the request.
        error: Trigger an error for testing error response format.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.HealthResponse`: Health check response

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Error triggered via query parameter
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION,
        build_request(
            error=error,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.HealthResponse | models.ErrorResponse]:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger
    test error responses.

    Args:
        client: Sends the request.
        error: Trigger an error for testing error response format.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.HealthResponse`: Health check response
        - 400 `models.ErrorResponse`: Error triggered via query parameter

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
            error=error,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.HealthResponse:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger
    test error responses.

    Args:
        client: Sends the request.
        error: Trigger an error for testing error response format.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.HealthResponse`: Health check response

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Error triggered via query parameter
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION,
        build_request(
            error=error,
        ),
        timeout=timeout,
        headers=extra,
    )
