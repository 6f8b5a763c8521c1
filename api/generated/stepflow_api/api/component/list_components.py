# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /components`: List all available components."""

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

OPERATION: Operation[
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
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    *,
    include_schemas: bool | Unset = UNSET,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        query={
            "includeSchemas": include_schemas,
        },
    )


def sync_detailed(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListComponentsResponse | models.ErrorResponse]:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Sends the request.
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.ListComponentsResponse`: Response for listing components
        - 400 `models.ErrorResponse`: Invalid query parameters

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
            include_schemas=include_schemas,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListComponentsResponse:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Sends the request.
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.ListComponentsResponse`: Response for listing components

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid query parameters
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION,
        build_request(
            include_schemas=include_schemas,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListComponentsResponse | models.ErrorResponse]:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Sends the request.
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.ListComponentsResponse`: Response for listing components
        - 400 `models.ErrorResponse`: Invalid query parameters

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
            include_schemas=include_schemas,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    *,
    client: Client,
    include_schemas: bool | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListComponentsResponse:
    """List all available components.

    List all available components from registered plugins.

    Args:
        client: Sends the request.
        include_schemas: Whether to include schemas in the response (default: true). The
            server's default is true.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.ListComponentsResponse`: Response for listing components

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid query parameters
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION,
        build_request(
            include_schemas=include_schemas,
        ),
        timeout=timeout,
        headers=extra,
    )
