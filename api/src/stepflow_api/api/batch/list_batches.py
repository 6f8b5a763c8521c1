"""`GET /runs` for batches: List batches, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from stepflow_api import models
from stepflow_api._hidden import Hidden
from stepflow_api.api.batch._mapping import mapped, metadata
from stepflow_api.api.run import list_runs
from stepflow_api.client import Client
from stepflow_api.errors import InvalidRequest
from stepflow_api.types import UNSET, Response, TimeoutTypes, Unset

__all__ = ["asyncio", "asyncio_detailed", "sync", "sync_detailed"]

_PAGE = 100


class _Search:
    """The batches among pages of runs.

    Attributes:
        position: Where the next page begins.
        done: Whether no further page is needed.
    """

    def __init__(self, limit: int | Unset | None, offset: int | Unset | None) -> None:
        for name, number in (("limit", limit), ("offset", offset)):
            if isinstance(number, int) and number < 0:
                raise InvalidRequest(f"listBatches: {name} is {number}; pass 0 or more")
        self.position = 0
        self.done = False
        self._skip = offset or 0
        self._limit = limit if isinstance(limit, int) else None
        self._found: dict[UUID, models.BatchMetadata] = {}

    def add(self, page: models.ListRunsResponse) -> models.ListBatchesResponse:
        """Add the next page, and return the batches found so far."""
        # A run that is created meanwhile shifts the pages, so that a batch may come twice.
        self._found.update((r.run_id, metadata(r)) for r in page.runs if r.items.total != 1)
        self.position += len(page.runs)
        enough = self._limit is not None and len(self._found) >= self._skip + self._limit
        self.done = enough or len(page.runs) < _PAGE
        found = list(self._found.values())[self._skip :]
        return models.ListBatchesResponse(batches=found[: self._limit])


def sync_detailed(
    *,
    client: Client,
    status: models.ExecutionStatus | Unset | None = UNSET,
    flow_name: str | Unset | None = UNSET,
    limit: int | Unset | None = UNSET,
    offset: int | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListBatchesResponse | models.ErrorResponse]:
    """List batches, newest first.

    A batch is a run with other than one item. The server lists all runs alike, so this reads as
    many pages of runs as are needed to find the batches.

    Args:
        client: Sends the request.
        status: Only batches of this status.
        flow_name: Only batches of the flow of this name.
        limit: Maximum number of batches; all by default.
        offset: How many batches to leave out at the start.
        timeout: For each request, in place of the client's: seconds for all of it, a
            `Timeout` of httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The answer to the last `listRuns` request, with a success's `parsed` as
        `models.ListBatchesResponse`, which has the batches of all pages.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    search = _Search(limit, offset)
    while True:
        response = mapped(
            client.send(
                list_runs.OPERATION,
                list_runs.build_request(
                    status=status,
                    flow_name=flow_name,
                    limit=_PAGE,
                    offset=search.position,
                ),
                timeout=timeout,
                headers=extra,
            ),
            search.add,
        )
        if search.done or not isinstance(response.parsed, models.ListBatchesResponse):
            return response


def sync(
    *,
    client: Client,
    status: models.ExecutionStatus | Unset | None = UNSET,
    flow_name: str | Unset | None = UNSET,
    limit: int | Unset | None = UNSET,
    offset: int | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListBatchesResponse:
    """List batches, newest first.

    A batch is a run with other than one item. The server lists all runs alike, so this reads as
    many pages of runs as are needed to find the batches.

    Args:
        client: Sends the request.
        status: Only batches of this status.
        flow_name: Only batches of the flow of this name.
        limit: Maximum number of batches; all by default.
        offset: How many batches to leave out at the start.
        timeout: For each request, in place of the client's: seconds for all of it, a
            `Timeout` of httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The batches.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    search = _Search(limit, offset)
    while True:
        batches = search.add(
            client.call(
                list_runs.OPERATION,
                list_runs.build_request(
                    status=status,
                    flow_name=flow_name,
                    limit=_PAGE,
                    offset=search.position,
                ),
                timeout=timeout,
                headers=extra,
            )
        )
        if search.done:
            return batches


async def asyncio_detailed(
    *,
    client: Client,
    status: models.ExecutionStatus | Unset | None = UNSET,
    flow_name: str | Unset | None = UNSET,
    limit: int | Unset | None = UNSET,
    offset: int | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Response[models.ListBatchesResponse | models.ErrorResponse]:
    """List batches, newest first.

    A batch is a run with other than one item. The server lists all runs alike, so this reads as
    many pages of runs as are needed to find the batches.

    Args:
        client: Sends the request.
        status: Only batches of this status.
        flow_name: Only batches of the flow of this name.
        limit: Maximum number of batches; all by default.
        offset: How many batches to leave out at the start.
        timeout: For each request, in place of the client's: seconds for all of it, a
            `Timeout` of httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The answer to the last `listRuns` request, with a success's `parsed` as
        `models.ListBatchesResponse`, which has the batches of all pages.

    Raises:
        TransportError: No complete response arrived.
        InvalidAnswer: A success whose body is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
        UnexpectedStatus: The spec does not document the status, and the client is to raise then.
    """
    extra = Hidden(headers)
    del headers
    search = _Search(limit, offset)
    while True:
        response = mapped(
            await client.send_async(
                list_runs.OPERATION,
                list_runs.build_request(
                    status=status,
                    flow_name=flow_name,
                    limit=_PAGE,
                    offset=search.position,
                ),
                timeout=timeout,
                headers=extra,
            ),
            search.add,
        )
        if search.done or not isinstance(response.parsed, models.ListBatchesResponse):
            return response


async def asyncio(
    *,
    client: Client,
    status: models.ExecutionStatus | Unset | None = UNSET,
    flow_name: str | Unset | None = UNSET,
    limit: int | Unset | None = UNSET,
    offset: int | Unset | None = UNSET,
    timeout: TimeoutTypes = UNSET,
    headers: Mapping[str, str] | None = None,
) -> models.ListBatchesResponse:
    """List batches, newest first.

    A batch is a run with other than one item. The server lists all runs alike, so this reads as
    many pages of runs as are needed to find the batches.

    Args:
        client: Sends the request.
        status: Only batches of this status.
        flow_name: Only batches of the flow of this name.
        limit: Maximum number of batches; all by default.
        offset: How many batches to leave out at the start.
        timeout: For each request, in place of the client's: seconds for all of it, a
            `Timeout` of httpx or httpx2 for each wait, or None for no timeout.
        headers: Header fields for this call, in place of the client's of the same names.

    Returns:
        The batches.

    Raises:
        StatusError: The server answered with an error status.
        TransportError: No complete response arrived.
        InvalidAnswer: The answer is not what the spec documents.
        InvalidRequest: An argument cannot be sent.
    """
    extra = Hidden(headers)
    del headers
    search = _Search(limit, offset)
    while True:
        batches = search.add(
            await client.call_async(
                list_runs.OPERATION,
                list_runs.build_request(
                    status=status,
                    flow_name=flow_name,
                    limit=_PAGE,
                    offset=search.position,
                ),
                timeout=timeout,
                headers=extra,
            )
        )
        if search.done:
            return batches
