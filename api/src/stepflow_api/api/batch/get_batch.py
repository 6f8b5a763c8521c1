"""`GET /runs/{run_id}` for a batch: Get a batch and its progress."""

from __future__ import annotations

from uuid import UUID

from stepflow_api import models
from stepflow_api.api.batch._mapping import details, mapped
from stepflow_api.api.run import get_run
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    batch_id: UUID | str, *, client: Client
) -> Response[models.BatchDetails | models.ErrorResponse]:
    """Get a batch and its progress.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The response to `getRun`, with a success's `parsed` as
        `models.BatchDetails`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(get_run.sync_detailed(batch_id, client=client), details)


def sync(batch_id: UUID | str, *, client: Client) -> models.BatchDetails:
    """Get a batch and its progress.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The batch.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return details(get_run.sync(batch_id, client=client))


async def asyncio_detailed(
    batch_id: UUID | str, *, client: Client
) -> Response[models.BatchDetails | models.ErrorResponse]:
    """Get a batch and its progress.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The response to `getRun`, with a success's `parsed` as
        `models.BatchDetails`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(await get_run.asyncio_detailed(batch_id, client=client), details)


async def asyncio(batch_id: UUID | str, *, client: Client) -> models.BatchDetails:
    """Get a batch and its progress.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.

    Returns:
        The batch.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return details(await get_run.asyncio(batch_id, client=client))
