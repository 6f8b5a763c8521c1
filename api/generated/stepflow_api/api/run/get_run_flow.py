# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""`GET /runs/{run_id}/flow`: Get the workflow definition for a run."""

from __future__ import annotations

from uuid import UUID

from stepflow_api import models
from stepflow_api._operation import Json, Operation, Request
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_OPERATION: Operation[models.RunFlowResponse, models.RunFlowResponse | models.ErrorResponse] = (
    Operation(
        id="getRunFlow",
        method="GET",
        path="/runs/{run_id}/flow",
        answers={
            "200": Json(models.RunFlowResponse),
            "404": Json(models.ErrorResponse),
        },
    )
)


def _request(
    *,
    run_id: UUID | str,
) -> Request:
    return _OPERATION.request(
        path={
            "run_id": run_id,
        },
    )


def sync_detailed(
    run_id: UUID | str,
    *,
    client: Client,
) -> Response[models.RunFlowResponse | models.ErrorResponse]:
    """Get the workflow definition for a run.

    Retrieve the workflow definition associated with a specific run.

    Args:
        run_id: Run ID (UUID).
        client: Where to send it.

    Returns:
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.RunFlowResponse`: Response containing a flow definition and its hash for run
            endpoints
        - 404 `models.ErrorResponse`: Run not found

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return client.send(
        _OPERATION,
        _request(
            run_id=run_id,
        ),
    )


def sync(
    run_id: UUID | str,
    *,
    client: Client,
) -> models.RunFlowResponse:
    """Get the workflow definition for a run.

    Retrieve the workflow definition associated with a specific run.

    Args:
        run_id: Run ID (UUID).
        client: Where to send it.

    Returns:
        What success gives:

        - 200 `models.RunFlowResponse`: Response containing a flow definition and its hash for run
            endpoints

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found
    """
    return client.call(
        _OPERATION,
        _request(
            run_id=run_id,
        ),
    )


async def asyncio_detailed(
    run_id: UUID | str,
    *,
    client: Client,
) -> Response[models.RunFlowResponse | models.ErrorResponse]:
    """Get the workflow definition for a run.

    Retrieve the workflow definition associated with a specific run.

    Args:
        run_id: Run ID (UUID).
        client: Where to send it.

    Returns:
        The whole answer, whatever its status. The type of its `parsed` goes by the status:

        - 200 `models.RunFlowResponse`: Response containing a flow definition and its hash for run
            endpoints
        - 404 `models.ErrorResponse`: Run not found

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return await client.send_async(
        _OPERATION,
        _request(
            run_id=run_id,
        ),
    )


async def asyncio(
    run_id: UUID | str,
    *,
    client: Client,
) -> models.RunFlowResponse:
    """Get the workflow definition for a run.

    Retrieve the workflow definition associated with a specific run.

    Args:
        run_id: Run ID (UUID).
        client: Where to send it.

    Returns:
        What success gives:

        - 200 `models.RunFlowResponse`: Response containing a flow definition and its hash for run
            endpoints

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No whole answer arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found
    """
    return await client.call_async(
        _OPERATION,
        _request(
            run_id=run_id,
        ),
    )
