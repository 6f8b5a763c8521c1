# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`POST /runs`: Create and execute a flow run."""

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

OPERATION: Operation[models.CreateRunResponse, models.CreateRunResponse | models.ErrorResponse] = (
    Operation(
        id="createRun",
        method="POST",
        path="/runs",
        answers={
            "202": Json(models.CreateRunResponse),
            "200": Json(models.CreateRunResponse),
            "400": Json(models.ErrorResponse),
            "404": Json(models.ErrorResponse),
        },
        accepts=("application/json",),
    )
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    *,
    body: models.CreateRunRequest,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        body=body,
    )


def sync_detailed(
    *,
    client: Client,
    body: models.CreateRunRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.CreateRunResponse | models.ErrorResponse]:
    """Create and execute a flow run.

    Create and execute a flow by hash. Supports both single and batch execution. By default, returns
    immediately with 202 Accepted. Set `wait: true` to block until the run completes and return 200
    OK with the result.

    Args:
        client: Sends the request.
        body: Request to create/execute a flow.

            The `input` field is always an array of input values:
            - Single-item array `[value]`: Executes one run with `value` as input
            - Multi-item array `[v1, v2, ...]`: Executes multiple runs (batch mode)

            This design avoids ambiguity: to run a workflow with an array as input,
            wrap it in another array: `[[1, 2, 3]]` runs once with input `[1, 2, 3]`.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 202 `models.CreateRunResponse`: Run created and executing asynchronously
        - 200 `models.CreateRunResponse`: Run completed (when wait=true)
        - 400 `models.ErrorResponse`: Invalid request
        - 404 `models.ErrorResponse`: Flow not found

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
    body: models.CreateRunRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.CreateRunResponse:
    """Create and execute a flow run.

    Create and execute a flow by hash. Supports both single and batch execution. By default, returns
    immediately with 202 Accepted. Set `wait: true` to block until the run completes and return 200
    OK with the result.

    Args:
        client: Sends the request.
        body: Request to create/execute a flow.

            The `input` field is always an array of input values:
            - Single-item array `[value]`: Executes one run with `value` as input
            - Multi-item array `[v1, v2, ...]`: Executes multiple runs (batch mode)

            This design avoids ambiguity: to run a workflow with an array as input,
            wrap it in another array: `[[1, 2, 3]]` runs once with input `[1, 2, 3]`.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 202 `models.CreateRunResponse`: Run created and executing asynchronously
        - 200 `models.CreateRunResponse`: Run completed (when wait=true)

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid request
            - 404 `models.ErrorResponse`: Flow not found
    """
    extra = Hidden(headers)
    del headers
    return client.call(OPERATION, build_request(body=body), timeout=timeout, headers=extra)


async def asyncio_detailed(
    *,
    client: Client,
    body: models.CreateRunRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.CreateRunResponse | models.ErrorResponse]:
    """Create and execute a flow run.

    Create and execute a flow by hash. Supports both single and batch execution. By default, returns
    immediately with 202 Accepted. Set `wait: true` to block until the run completes and return 200
    OK with the result.

    Args:
        client: Sends the request.
        body: Request to create/execute a flow.

            The `input` field is always an array of input values:
            - Single-item array `[value]`: Executes one run with `value` as input
            - Multi-item array `[v1, v2, ...]`: Executes multiple runs (batch mode)

            This design avoids ambiguity: to run a workflow with an array as input,
            wrap it in another array: `[[1, 2, 3]]` runs once with input `[1, 2, 3]`.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 202 `models.CreateRunResponse`: Run created and executing asynchronously
        - 200 `models.CreateRunResponse`: Run completed (when wait=true)
        - 400 `models.ErrorResponse`: Invalid request
        - 404 `models.ErrorResponse`: Flow not found

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
    body: models.CreateRunRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.CreateRunResponse:
    """Create and execute a flow run.

    Create and execute a flow by hash. Supports both single and batch execution. By default, returns
    immediately with 202 Accepted. Set `wait: true` to block until the run completes and return 200
    OK with the result.

    Args:
        client: Sends the request.
        body: Request to create/execute a flow.

            The `input` field is always an array of input values:
            - Single-item array `[value]`: Executes one run with `value` as input
            - Multi-item array `[v1, v2, ...]`: Executes multiple runs (batch mode)

            This design avoids ambiguity: to run a workflow with an array as input,
            wrap it in another array: `[[1, 2, 3]]` runs once with input `[1, 2, 3]`.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 202 `models.CreateRunResponse`: Run created and executing asynchronously
        - 200 `models.CreateRunResponse`: Run completed (when wait=true)

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 400 `models.ErrorResponse`: Invalid request
            - 404 `models.ErrorResponse`: Flow not found
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION, build_request(body=body), timeout=timeout, headers=extra
    )
