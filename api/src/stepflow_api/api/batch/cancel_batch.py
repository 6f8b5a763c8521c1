"""`POST /runs/{run_id}/cancel` for a batch: Cancel a running batch."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api.api.batch._mapping import cancelled, mapped
from stepflow_api.api.run import cancel_run
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.CancelBatchResponse | models.ErrorResponse]:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response to `cancelRun`, with a success's `parsed` as
        `models.CancelBatchResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return mapped(
        client.send(
            cancel_run.OPERATION, cancel_run.build_request(batch_id), timeout=timeout, headers=extra
        ),
        cancelled,
    )


def sync(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.CancelBatchResponse:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The batch, cancelled.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return cancelled(
        client.call(
            cancel_run.OPERATION, cancel_run.build_request(batch_id), timeout=timeout, headers=extra
        )
    )


async def asyncio_detailed(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.CancelBatchResponse | models.ErrorResponse]:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response to `cancelRun`, with a success's `parsed` as
        `models.CancelBatchResponse`.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    return mapped(
        await client.send_async(
            cancel_run.OPERATION, cancel_run.build_request(batch_id), timeout=timeout, headers=extra
        ),
        cancelled,
    )


async def asyncio(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.CancelBatchResponse:
    """Cancel a running batch.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The batch, cancelled.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return cancelled(
        await client.call_async(
            cancel_run.OPERATION, cancel_run.build_request(batch_id), timeout=timeout, headers=extra
        )
    )
