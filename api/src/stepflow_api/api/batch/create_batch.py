"""`POST /runs` for a batch: Run a flow once for each of many inputs."""

from __future__ import annotations

from stepflow_api import models
from stepflow_api.api.batch._mapping import created, mapped, run_request
from stepflow_api.api.run import create_run
from stepflow_api.client import Client
from stepflow_api.types import Response

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    *, client: Client, body: models.CreateBatchRequest
) -> Response[models.CreateBatchResponse | models.ErrorResponse]:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.

    Returns:
        The response to `createRun`, with a success's `parsed` as
        `models.CreateBatchResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(create_run.sync_detailed(client=client, body=run_request(body)), created)


def sync(*, client: Client, body: models.CreateBatchRequest) -> models.CreateBatchResponse:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.

    Returns:
        The new batch, running.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return created(create_run.sync(client=client, body=run_request(body)))


async def asyncio_detailed(
    *, client: Client, body: models.CreateBatchRequest
) -> Response[models.CreateBatchResponse | models.ErrorResponse]:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.

    Returns:
        The response to `createRun`, with a success's `parsed` as
        `models.CreateBatchResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    return mapped(await create_run.asyncio_detailed(client=client, body=run_request(body)), created)


async def asyncio(*, client: Client, body: models.CreateBatchRequest) -> models.CreateBatchResponse:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.

    Returns:
        The new batch, running.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    return created(await create_run.asyncio(client=client, body=run_request(body)))
