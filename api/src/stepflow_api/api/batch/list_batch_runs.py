"""`GET /runs/{run_id}/items` for a batch: List the runs of a batch, one for each input."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api.api.batch._mapping import mapped, runs
from stepflow_api.api.run import get_run_items
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListBatchRunsResponse | models.ErrorResponse]:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response to `getRunItems`, with a success's `parsed` as
        `models.ListBatchRunsResponse`.

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
            get_run_items.OPERATION,
            get_run_items.build_request(batch_id),
            timeout=timeout,
            headers=extra,
        ),
        partial(runs, batch_id),
    )


def sync(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListBatchRunsResponse:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        One run for each input, in the order of the inputs.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return runs(
        batch_id,
        client.call(
            get_run_items.OPERATION,
            get_run_items.build_request(batch_id),
            timeout=timeout,
            headers=extra,
        ),
    )


async def asyncio_detailed(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListBatchRunsResponse | models.ErrorResponse]:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response to `getRunItems`, with a success's `parsed` as
        `models.ListBatchRunsResponse`.

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
            get_run_items.OPERATION,
            get_run_items.build_request(batch_id),
            timeout=timeout,
            headers=extra,
        ),
        partial(runs, batch_id),
    )


async def asyncio(
    batch_id: UUID | str,
    *,
    client: Client,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListBatchRunsResponse:
    """List the runs of a batch, one for each input.

    Args:
        batch_id: Id of the batch.
        client: Sends the request.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        One run for each input, in the order of the inputs.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return runs(
        batch_id,
        await client.call_async(
            get_run_items.OPERATION,
            get_run_items.build_request(batch_id),
            timeout=timeout,
            headers=extra,
        ),
    )
