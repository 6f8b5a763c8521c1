# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""`GET /health`: Check service health."""

from __future__ import annotations

from stepflow_api import models
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, Unset

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_OPERATION: Operation[models.HealthResponse, models.HealthResponse | models.ErrorResponse] = (
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


def _request(
    *,
    error: str | None | Unset,
) -> Request:
    return _OPERATION.request(
        query={
            "error": error,
        },
    )


def sync_detailed(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
) -> Response[models.HealthResponse | models.ErrorResponse]:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger test error responses.

    Args:
        client: Where to send it.
        error: Trigger an error for testing error response format.

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.HealthResponse`,
        400 `models.ErrorResponse`.

    Raises:
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return client.send(
        _OPERATION,
        _request(
            error=error,
        ),
    )


def sync(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
) -> models.HealthResponse:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger test error responses.

    Args:
        client: Where to send it.
        error: Trigger an error for testing error response format.

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
            error=error,
        ),
    )


async def asyncio_detailed(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
) -> Response[models.HealthResponse | models.ErrorResponse]:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger test error responses.

    Args:
        client: Where to send it.
        error: Trigger an error for testing error response format.

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.HealthResponse`,
        400 `models.ErrorResponse`.

    Raises:
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return await client.send_async(
        _OPERATION,
        _request(
            error=error,
        ),
    )


async def asyncio(
    *,
    client: Client,
    error: str | None | Unset = UNSET,
) -> models.HealthResponse:
    """Check service health.

    Returns the current health status of the service. Use the `error` query parameter to trigger test error responses.

    Args:
        client: Where to send it.
        error: Trigger an error for testing error response format.

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
            error=error,
        ),
    )
