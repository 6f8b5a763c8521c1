"""`POST /runs/{run_id}/cancel` for a batch: Cancel a running batch."""

from __future__ import annotations

from uuid import UUID

from stepflow_api import models
from stepflow_api.api.batch._mapping import cancelled, mapped
from stepflow_api.api.run import cancel_run
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    batch_id: UUID | str, *, client: Client
) -> Response[models.CancelBatchResponse | models.ErrorResponse]:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The response to `cancelRun`, with a success's `parsed` as
        `models.CancelBatchResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(cancel_run.sync_detailed(batch_id, client=client), cancelled)


def sync(batch_id: UUID | str, *, client: Client) -> models.CancelBatchResponse:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The batch, cancelled.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return cancelled(cancel_run.sync(batch_id, client=client))


async def asyncio_detailed(
    batch_id: UUID | str, *, client: Client
) -> Response[models.CancelBatchResponse | models.ErrorResponse]:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The response to `cancelRun`, with a success's `parsed` as
        `models.CancelBatchResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(await cancel_run.asyncio_detailed(batch_id, client=client), cancelled)


async def asyncio(batch_id: UUID | str, *, client: Client) -> models.CancelBatchResponse:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The batch, cancelled.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return cancelled(await cancel_run.asyncio(batch_id, client=client))
