# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /runs/{run_id}`: Get run details by ID."""

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

OPERATION: Operation[models.RunDetails, models.RunDetails | models.ErrorResponse] = Operation(
    id="getRun",
    method="GET",
    path="/runs/{run_id}",
    answers={
        "200": Json(models.RunDetails),
        "404": Json(models.ErrorResponse),
    },
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    run_id: UUID | str,
    *,
    wait: bool | None | Unset = UNSET,
    timeout_secs: int | None | Unset = UNSET,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        path={
            "run_id": run_id,
        },
        query={
            "wait": wait,
            "timeoutSecs": timeout_secs,
        },
    )


def sync_detailed(
    run_id: UUID | str,
    *,
    client: Client,
    wait: bool | None | Unset = UNSET,
    timeout_secs: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.RunDetails | models.ErrorResponse]:
    """Get run details by ID.

    Returns the current run status and details. Use `wait=true` to long-poll until the run reaches a
    terminal state (completed, failed, or cancelled).

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        wait: If true, wait for the run to reach a terminal state before responding.
        timeout_secs: Maximum seconds to wait when wait=true (default 300). If the timeout elapses,
            returns the current run status rather than an error.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.RunDetails`: Detailed flow run information including item details.

          For completed runs, `item_details` contains per-item information including
          inputs and step statuses. For active runs, `item_details` may be `None`
          (query the owning orchestrator for live status).
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
            wait=wait,
            timeout_secs=timeout_secs,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    run_id: UUID | str,
    *,
    client: Client,
    wait: bool | None | Unset = UNSET,
    timeout_secs: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.RunDetails:
    """Get run details by ID.

    Returns the current run status and details. Use `wait=true` to long-poll until the run reaches a
    terminal state (completed, failed, or cancelled).

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        wait: If true, wait for the run to reach a terminal state before responding.
        timeout_secs: Maximum seconds to wait when wait=true (default 300). If the timeout elapses,
            returns the current run status rather than an error.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.RunDetails`: Detailed flow run information including item details.

          For completed runs, `item_details` contains per-item information including
          inputs and step statuses. For active runs, `item_details` may be `None`
          (query the owning orchestrator for live status).

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
            wait=wait,
            timeout_secs=timeout_secs,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    run_id: UUID | str,
    *,
    client: Client,
    wait: bool | None | Unset = UNSET,
    timeout_secs: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.RunDetails | models.ErrorResponse]:
    """Get run details by ID.

    Returns the current run status and details. Use `wait=true` to long-poll until the run reaches a
    terminal state (completed, failed, or cancelled).

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        wait: If true, wait for the run to reach a terminal state before responding.
        timeout_secs: Maximum seconds to wait when wait=true (default 300). If the timeout elapses,
            returns the current run status rather than an error.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `models.RunDetails`: Detailed flow run information including item details.

          For completed runs, `item_details` contains per-item information including
          inputs and step statuses. For active runs, `item_details` may be `None`
          (query the owning orchestrator for live status).
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
            wait=wait,
            timeout_secs=timeout_secs,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    run_id: UUID | str,
    *,
    client: Client,
    wait: bool | None | Unset = UNSET,
    timeout_secs: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.RunDetails:
    """Get run details by ID.

    Returns the current run status and details. Use `wait=true` to long-poll until the run reaches a
    terminal state (completed, failed, or cancelled).

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        wait: If true, wait for the run to reach a terminal state before responding.
        timeout_secs: Maximum seconds to wait when wait=true (default 300). If the timeout elapses,
            returns the current run status rather than an error.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `models.RunDetails`: Detailed flow run information including item details.

          For completed runs, `item_details` contains per-item information including
          inputs and step statuses. For active runs, `item_details` may be `None`
          (query the owning orchestrator for live status).

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
            wait=wait,
            timeout_secs=timeout_secs,
        ),
        timeout=timeout,
        headers=extra,
    )
