# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""`GET /runs/{run_id}/events`: Stream the events of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api._operation import Event, Json, Operation, Request, text
from stepflow_api._transport.event_stream import AsyncEventStream, EventStream
from stepflow_api.client import Client
from stepflow_api.types import UNSET, Response, TimeoutTypes, Unset

__all__ = [
    "OPERATION",
    "asyncio",
    "asyncio_detailed",
    "asyncio_stream",
    "build_request",
    "stream",
    "sync",
    "sync_detailed",
]

OPERATION: Operation[str, str | models.ErrorResponse] = Operation(
    id="getRunEvents",
    method="GET",
    path="/runs/{run_id}/events",
    answers={
        "200": text,
        "404": Json(models.ErrorResponse),
    },
    produces=(
        "text/event-stream",
        "application/json",
    ),
    event=Event(dict[str, Any]),
)
"""The operation, for `stepflow_api.lowlevel`."""


def build_request(
    run_id: UUID | str,
    *,
    since: int | None | Unset = UNSET,
) -> Request:
    """Return the request that `sync` sends, which is described there, without sending it."""
    return OPERATION.request(
        path={
            "run_id": run_id,
        },
        query={
            "since": since,
        },
    )


def sync_detailed(
    run_id: UUID | str,
    *,
    client: Client,
    since: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[str | models.ErrorResponse]:
    """Stream the events of a run.

    Servers from 0.12 on support it; others respond with 404.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        since: Sequence number of the first event to send.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `str`: The events of the run, from its creation to its end
        - 404 `models.ErrorResponse`: Run not found, or events not supported

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
            since=since,
        ),
        timeout=timeout,
        headers=extra,
    )


def sync(
    run_id: UUID | str,
    *,
    client: Client,
    since: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Stream the events of a run.

    Servers from 0.12 on support it; others respond with 404.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        since: Sequence number of the first event to send.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `str`: The events of the run, from its creation to its end

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found, or events not supported
    """
    extra = Hidden(headers)
    del headers
    return client.call(
        OPERATION,
        build_request(
            run_id=run_id,
            since=since,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_detailed(
    run_id: UUID | str,
    *,
    client: Client,
    since: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[str | models.ErrorResponse]:
    """Stream the events of a run.

    Servers from 0.12 on support it; others respond with 404.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        since: Sequence number of the first event to send.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The response, whatever its status. The type of `parsed` depends on the status:

        - 200 `str`: The events of the run, from its creation to its end
        - 404 `models.ErrorResponse`: Run not found, or events not supported

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
            since=since,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio(
    run_id: UUID | str,
    *,
    client: Client,
    since: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Stream the events of a run.

    Servers from 0.12 on support it; others respond with 404.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        since: Sequence number of the first event to send.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        On success:

        - 200 `str`: The events of the run, from its creation to its end

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found, or events not supported
    """
    extra = Hidden(headers)
    del headers
    return await client.call_async(
        OPERATION,
        build_request(
            run_id=run_id,
            since=since,
        ),
        timeout=timeout,
        headers=extra,
    )


def stream(
    run_id: UUID | str,
    *,
    client: Client,
    since: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> EventStream:
    """Stream the events of a run.

    Servers from 0.12 on support it; others respond with 404.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        since: Sequence number of the first event to send.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The stream, to be closed, as by a `with` block. Iterate over it: each event is a
        `dict[str, Any]`, or other JSON or text if the server sends such.

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found, or events not supported
    """
    extra = Hidden(headers)
    del headers
    return client.open(
        OPERATION,
        build_request(
            run_id=run_id,
            since=since,
        ),
        timeout=timeout,
        headers=extra,
    )


async def asyncio_stream(
    run_id: UUID | str,
    *,
    client: Client,
    since: int | None | Unset = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> AsyncEventStream:
    """Stream the events of a run.

    Servers from 0.12 on support it; others respond with 404.

    Args:
        run_id: Run ID (UUID).
        client: Sends the request.
        since: Sequence number of the first event to send.
        timeout: For this call, in place of the client's: seconds for all of it, a `Timeout` of
            httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The stream, to be closed, as by a `with` block. Iterate over it: each event is a
        `dict[str, Any]`, or other JSON or text if the server sends such.

    Raises:
        InvalidRequest: An argument cannot be sent.
        TransportError: No complete response arrived.
        InvalidAnswer: The body is not what the spec documents.
        StatusError: The server answered with another status. The spec documents:

            - 404 `models.ErrorResponse`: Run not found, or events not supported
    """
    extra = Hidden(headers)
    del headers
    return await client.open_async(
        OPERATION,
        build_request(
            run_id=run_id,
            since=since,
        ),
        timeout=timeout,
        headers=extra,
    )
