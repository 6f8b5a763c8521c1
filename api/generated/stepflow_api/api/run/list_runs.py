# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /runs`: List runs with optional filtering."""

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

OPERATION: Operation[models.ListRunsResponse, models.ListRunsResponse | models.ErrorResponse] = (
    Operation(
        id="listRuns",
        method="GET",
        path="/runs",
        answers={
            "200": Json(models.ListRunsResponse),
            "400": Json(models.ErrorResponse),
        },
    )
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    *,
    status: models.ExecutionStatus | None | Unset = UNSET,
    flow_name: str | None | Unset = UNSET,
    root_run_id: UUID | str | None | Unset = UNSET,
    parent_run_id: UUID | str | None | Unset = UNSET,
    roots_only: bool | None | Unset = UNSET,
    max_depth: int | None | Unset = UNSET,
    limit: int | None | Unset = UNSET,
    offset: int | None | Unset = UNSET,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        query={
            "status": status,
            "flowName": flow_name,
            "rootRunId": root_run_id,
            "parentRunId": parent_run_id,
            "rootsOnly": roots_only,
            "maxDepth": max_depth,
            "limit": limit,
            "offset": offset,
        },
    )


def sync_detailed(
    *,
    client: Client,
    status: models.ExecutionStatus | None | Unset = UNSET,
    flow_name: str | None | Unset = UNSET,
    root_run_id: UUID | str | None | Unset = UNSET,
    parent_run_id: UUID | str | None | Unset = UNSET,
    roots_only: bool | None | Unset = UNSET,
    max_depth: int | None | Unset = UNSET,
    limit: int | None | Unset = UNSET,
    offset: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListRunsResponse | models.ErrorResponse]:
    """List runs with optional filtering.

    List executions with optional status, flow name, and hierarchy filtering.

    Args:
        client: Sends the request.
        status: Filter by execution status.
        flow_name: Filter by flow name.
        root_run_id: Filter to runs under this root (includes the root itself).
        parent_run_id: Filter to direct children of this parent run.
        roots_only: Filter to only root runs (runs where parent_run_id is None).
        max_depth: Maximum depth for hierarchy queries (0 = root only).
        limit: Maximum number of results to return.
        offset: Number of results to skip.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.ListRunsResponse`: Response for listing runs
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
            status=status,
            flow_name=flow_name,
            root_run_id=root_run_id,
            parent_run_id=parent_run_id,
            roots_only=roots_only,
            max_depth=max_depth,
            limit=limit,
            offset=offset,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    *,
    client: Client,
    status: models.ExecutionStatus | None | Unset = UNSET,
    flow_name: str | None | Unset = UNSET,
    root_run_id: UUID | str | None | Unset = UNSET,
    parent_run_id: UUID | str | None | Unset = UNSET,
    roots_only: bool | None | Unset = UNSET,
    max_depth: int | None | Unset = UNSET,
    limit: int | None | Unset = UNSET,
    offset: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListRunsResponse:
    """List runs with optional filtering.

    List executions with optional status, flow name, and hierarchy filtering.

    Args:
        client: Sends the request.
        status: Filter by execution status.
        flow_name: Filter by flow name.
        root_run_id: Filter to runs under this root (includes the root itself).
        parent_run_id: Filter to direct children of this parent run.
        roots_only: Filter to only root runs (runs where parent_run_id is None).
        max_depth: Maximum depth for hierarchy queries (0 = root only).
        limit: Maximum number of results to return.
        offset: Number of results to skip.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.ListRunsResponse`: Response for listing runs

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
            status=status,
            flow_name=flow_name,
            root_run_id=root_run_id,
            parent_run_id=parent_run_id,
            roots_only=roots_only,
            max_depth=max_depth,
            limit=limit,
            offset=offset,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    *,
    client: Client,
    status: models.ExecutionStatus | None | Unset = UNSET,
    flow_name: str | None | Unset = UNSET,
    root_run_id: UUID | str | None | Unset = UNSET,
    parent_run_id: UUID | str | None | Unset = UNSET,
    roots_only: bool | None | Unset = UNSET,
    max_depth: int | None | Unset = UNSET,
    limit: int | None | Unset = UNSET,
    offset: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListRunsResponse | models.ErrorResponse]:
    """List runs with optional filtering.

    List executions with optional status, flow name, and hierarchy filtering.

    Args:
        client: Sends the request.
        status: Filter by execution status.
        flow_name: Filter by flow name.
        root_run_id: Filter to runs under this root (includes the root itself).
        parent_run_id: Filter to direct children of this parent run.
        roots_only: Filter to only root runs (runs where parent_run_id is None).
        max_depth: Maximum depth for hierarchy queries (0 = root only).
        limit: Maximum number of results to return.
        offset: Number of results to skip.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.ListRunsResponse`: Response for listing runs
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
            status=status,
            flow_name=flow_name,
            root_run_id=root_run_id,
            parent_run_id=parent_run_id,
            roots_only=roots_only,
            max_depth=max_depth,
            limit=limit,
            offset=offset,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    *,
    client: Client,
    status: models.ExecutionStatus | None | Unset = UNSET,
    flow_name: str | None | Unset = UNSET,
    root_run_id: UUID | str | None | Unset = UNSET,
    parent_run_id: UUID | str | None | Unset = UNSET,
    roots_only: bool | None | Unset = UNSET,
    max_depth: int | None | Unset = UNSET,
    limit: int | None | Unset = UNSET,
    offset: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListRunsResponse:
    """List runs with optional filtering.

    List executions with optional status, flow name, and hierarchy filtering.

    Args:
        client: Sends the request.
        status: Filter by execution status.
        flow_name: Filter by flow name.
        root_run_id: Filter to runs under this root (includes the root itself).
        parent_run_id: Filter to direct children of this parent run.
        roots_only: Filter to only root runs (runs where parent_run_id is None).
        max_depth: Maximum depth for hierarchy queries (0 = root only).
        limit: Maximum number of results to return.
        offset: Number of results to skip.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.ListRunsResponse`: Response for listing runs

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
            status=status,
            flow_name=flow_name,
            root_run_id=root_run_id,
            parent_run_id=parent_run_id,
            roots_only=roots_only,
            max_depth=max_depth,
            limit=limit,
            offset=offset,
        ),
        timeout=timeout,
        headers=extra,
    )
