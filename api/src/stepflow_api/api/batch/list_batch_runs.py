"""`GET /runs/{run_id}/items` for a batch: List the runs of a batch, one for each input."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from stepflow_api import models
from stepflow_api.api.batch._mapping import mapped, runs
from stepflow_api.api.run import get_run_items
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    batch_id: UUID | str, *, client: Client
) -> Response[models.ListBatchRunsResponse | models.ErrorResponse]:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The response to `getRunItems`, with a success's `parsed` as
        `models.ListBatchRunsResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(get_run_items.sync_detailed(batch_id, client=client), partial(runs, batch_id))


def sync(batch_id: UUID | str, *, client: Client) -> models.ListBatchRunsResponse:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        One run for each input, in the order of the inputs.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return runs(batch_id, get_run_items.sync(batch_id, client=client))


async def asyncio_detailed(
    batch_id: UUID | str, *, client: Client
) -> Response[models.ListBatchRunsResponse | models.ErrorResponse]:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The response to `getRunItems`, with a success's `parsed` as
        `models.ListBatchRunsResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(
        await get_run_items.asyncio_detailed(batch_id, client=client), partial(runs, batch_id)
    )


async def asyncio(batch_id: UUID | str, *, client: Client) -> models.ListBatchRunsResponse:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        One run for each input, in the order of the inputs.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return runs(batch_id, await get_run_items.asyncio(batch_id, client=client))
