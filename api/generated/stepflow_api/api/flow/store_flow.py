# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`POST /flows`: Store a flow."""

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

OPERATION: Operation[models.StoreFlowResponse, models.StoreFlowResponse | models.ErrorResponse] = (
    Operation(
        id="storeFlow",
        method="POST",
        path="/flows",
        answers={
            "200": Json(models.StoreFlowResponse),
            "400": Json(models.ErrorResponse),
        },
        accepts=("application/json",),
    )
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    *,
    body: models.StoreFlowRequest,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        body=body,
    )


def sync_detailed(
    *,
    client: Client,
    body: models.StoreFlowRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.StoreFlowResponse | models.ErrorResponse]:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Sends the request.
        body: Request to store a flow
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored
        - 400 `models.ErrorResponse`: Invalid flow definition

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
    body: models.StoreFlowRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.StoreFlowResponse:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Sends the request.
        body: Request to store a flow
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid flow definition
    """
    extra = Hidden(headers)
    del headers
    return client.call(OPERATION, build_request(body=body), timeout=timeout, headers=extra)


async def asyncio_detailed(
    *,
    client: Client,
    body: models.StoreFlowRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.StoreFlowResponse | models.ErrorResponse]:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Sends the request.
        body: Request to store a flow
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored
        - 400 `models.ErrorResponse`: Invalid flow definition

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
    body: models.StoreFlowRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.StoreFlowResponse:
    """Store a flow.

    Store a flow and return its content-based hash ID.

    Args:
        client: Sends the request.
        body: Request to store a flow
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.StoreFlowResponse`: Response when a flow is stored

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid flow definition
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION, build_request(body=body), timeout=timeout, headers=extra
    )
