# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /runs/{run_id}/steps`: Get step-level execution details."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

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
    models.ListStepRunsResponse, models.ListStepRunsResponse | models.ErrorResponse
] = Operation(
    id="getRunSteps",
    method="GET",
    path="/runs/{run_id}/steps",
    answers={
        "200": Json(models.ListStepRunsResponse),
        "404": Json(models.ErrorResponse),
    },
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    run_id: UUID | str,
    *,
    item_index: int | None | Unset = UNSET,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        path={
            "run_id": run_id,
        },
        query={
            "itemIndex": item_index,
        },
    )


def sync_detailed(
    run_id: UUID | str,
    *,
    client: Client,
    item_index: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListStepRunsResponse | models.ErrorResponse]:
    """Get step-level execution details.

    Get step-level execution details for a specific run. Use `item_index` to get statuses for a
    specific item in batch runs. Without `item_index`, statuses are aggregated across all items.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        item_index: Optional item index for multi-item (batch) runs.
            If not specified, step statuses are aggregated across all items
            using "worst status" precedence (Failed > Running > Runnable > Blocked > Skipped >
            Completed).
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.ListStepRunsResponse`: Response for listing step runs
        - 404 `models.ErrorResponse`: Run not found

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
            run_id=run_id,
            item_index=item_index,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    run_id: UUID | str,
    *,
    client: Client,
    item_index: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListStepRunsResponse:
    """Get step-level execution details.

    Get step-level execution details for a specific run. Use `item_index` to get statuses for a
    specific item in batch runs. Without `item_index`, statuses are aggregated across all items.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        item_index: Optional item index for multi-item (batch) runs.
            If not specified, step statuses are aggregated across all items
            using "worst status" precedence (Failed > Running > Runnable > Blocked > Skipped >
            Completed).
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.ListStepRunsResponse`: Response for listing step runs

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION,
        build_request(
            run_id=run_id,
            item_index=item_index,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    run_id: UUID | str,
    *,
    client: Client,
    item_index: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListStepRunsResponse | models.ErrorResponse]:
    """Get step-level execution details.

    Get step-level execution details for a specific run. Use `item_index` to get statuses for a
    specific item in batch runs. Without `item_index`, statuses are aggregated across all items.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        item_index: Optional item index for multi-item (batch) runs.
            If not specified, step statuses are aggregated across all items
            using "worst status" precedence (Failed > Running > Runnable > Blocked > Skipped >
            Completed).
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.ListStepRunsResponse`: Response for listing step runs
        - 404 `models.ErrorResponse`: Run not found

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
            run_id=run_id,
            item_index=item_index,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    run_id: UUID | str,
    *,
    client: Client,
    item_index: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListStepRunsResponse:
    """Get step-level execution details.

    Get step-level execution details for a specific run. Use `item_index` to get statuses for a
    specific item in batch runs. Without `item_index`, statuses are aggregated across all items.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        item_index: Optional item index for multi-item (batch) runs.
            If not specified, step statuses are aggregated across all items
            using "worst status" precedence (Failed > Running > Runnable > Blocked > Skipped >
            Completed).
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.ListStepRunsResponse`: Response for listing step runs

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION,
        build_request(
            run_id=run_id,
            item_index=item_index,
        ),
        timeout=timeout,
        headers=extra,
    )
