"""`POST /runs` for a batch: Run a flow once for each of many inputs."""

from __future__ import annotations

from collections.abc import Mapping

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api.api.batch._mapping import created, mapped, run_request
from stepflow_api.api.run import create_run
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]


def sync_detailed(
    *,
    client: Client,
    body: models.CreateBatchRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.CreateBatchResponse | models.ErrorResponse]:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response to `createRun`, with a success's `parsed` as
        `models.CreateBatchResponse`.

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
            create_run.OPERATION,
            create_run.build_request(body=run_request(body)),
            timeout=timeout,
            headers=extra,
        ),
        created,
    )


def sync(
    *,
    client: Client,
    body: models.CreateBatchRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.CreateBatchResponse:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The new batch, running.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return created(
        client.call(
            create_run.OPERATION,
            create_run.build_request(body=run_request(body)),
            timeout=timeout,
            headers=extra,
        )
    )


async def asyncio_detailed(
    *,
    client: Client,
    body: models.CreateBatchRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.CreateBatchResponse | models.ErrorResponse]:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response to `createRun`, with a success's `parsed` as
        `models.CreateBatchResponse`.

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
            create_run.OPERATION,
            create_run.build_request(body=run_request(body)),
            timeout=timeout,
            headers=extra,
        ),
        created,
    )


async def asyncio(
    *,
    client: Client,
    body: models.CreateBatchRequest,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.CreateBatchResponse:
    """Run a flow once for each of many inputs.

    Args:
        client: Sends the request.
        body: The flow and its inputs.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The new batch, running.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    return created(
        await client.call_async(
            create_run.OPERATION,
            create_run.build_request(body=run_request(body)),
            timeout=timeout,
            headers=extra,
        )
    )
