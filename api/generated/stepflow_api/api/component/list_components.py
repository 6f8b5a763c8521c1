# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
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
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.

    Returns:
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.ListComponentsResponse`: Response for listing components
        - 400 `models.ErrorResponse`: Invalid query parameters

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
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
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.

    Returns:
        What success gives:

        - 200 `models.ListComponentsResponse`: Response for listing components

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid query parameters
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
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.

    Returns:
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.ListComponentsResponse`: Response for listing components
        - 400 `models.ErrorResponse`: Invalid query parameters

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
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
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.

    Returns:
        What success gives:

        - 200 `models.ListComponentsResponse`: Response for listing components

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid query parameters
    """
    return await client.call_async(
        _OPERATION,
        _request(
            include_schemas=include_schemas,
        ),
    )
