# Made by `bazel run //api:update` from openapi.json; edits are lost.
"""`GET /components`: List all available components."""

from __future__ import annotations

from stepflow_api import models
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, Unset

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_OPERATION: Operation[
    models.ListComponentsResponse, models.ListComponentsResponse | models.ErrorResponse
] = Operation(
    id="listComponents",
    method="GET",
    path="/components",
    answers={
        "200": Json(models.ListComponentsResponse),
        "400": Json(models.ErrorResponse),
    },
)


def _request(
    *,
    include_schemas: bool | Unset,
) -> Request:
    return _OPERATION.request(
        query={
            "includeSchemas": include_schemas,
        },
    )


def sync_detailed(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
) -> Response[models.ListComponentsResponse | models.ErrorResponse]:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Where to send it.
        include_schemas: Whether to include schemas in the response (default: true). The server's default is true.

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.ListComponentsResponse`,
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
            include_schemas=include_schemas,
        ),
    )


def sync(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
) -> models.ListComponentsResponse:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Where to send it.
        include_schemas: Whether to include schemas in the response (default: true). The server's default is true.

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
            include_schemas=include_schemas,
        ),
    )


async def asyncio_detailed(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
) -> Response[models.ListComponentsResponse | models.ErrorResponse]:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Where to send it.
        include_schemas: Whether to include schemas in the response (default: true). The server's default is true.

    Returns:
        The whole answer, whatever its status. Its `parsed` is by status:
        200 `models.ListComponentsResponse`,
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
            include_schemas=include_schemas,
        ),
    )


async def asyncio(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
) -> models.ListComponentsResponse:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Where to send it.
        include_schemas: Whether to include schemas in the response (default: true). The server's default is true.

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
            include_schemas=include_schemas,
        ),
    )
