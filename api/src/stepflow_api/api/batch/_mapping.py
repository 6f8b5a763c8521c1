"""Turns what the run operations answer into what the batch operations answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from stepflow_api import models
from stepflow_api.types import Response

A = TypeVar("A")
B = TypeVar("B")


def mapped(
    response: Response[A | models.ErrorResponse], change: Callable[[A], B]
) -> Response[B | models.ErrorResponse]:
    """Return the response with a success's value changed, an error's left as it is."""
    parsed = response.parsed
    value: B | models.ErrorResponse | None
    value = parsed if parsed is None or isinstance(parsed, models.ErrorResponse) else change(parsed)
    return Response(response.status_code, response.headers, response.content, value)


def run_request(body: models.CreateBatchRequest) -> models.CreateRunRequest:
    """Return the request for a batch's run; what was not set stays so."""
    fields = {name: getattr(body, name) for name in body.model_fields_set}
    return models.CreateRunRequest(input=fields.pop("inputs"), **fields)


def created(run: models.CreateRunResponse) -> models.CreateBatchResponse:
    """Return a new run as a batch."""
    return models.CreateBatchResponse(
        batch_id=run.run_id, total_inputs=run.items.total, status=run.status
    )


def metadata(run: models.RunSummary) -> models.BatchMetadata:
    """Return a listed run as a batch."""
    return models.BatchMetadata(
        batch_id=run.run_id,
        total_inputs=run.items.total,
        status=run.status,
        flow_id=run.flow_id,
        flow_name=run.flow_name,
        created_at=run.created_at,
    )


def details(run: models.RunDetails) -> models.BatchDetails:
    """Return a run as a batch."""
    return models.BatchDetails(
        batch_id=run.run_id,
        total_inputs=run.items.total,
        status=run.status,
        flow_id=run.flow_id,
        flow_name=run.flow_name,
        created_at=run.created_at,
        completed_at=run.completed_at,
        statistics=run.items,
    )


def outputs(items: models.ListItemsResponse) -> models.ListBatchOutputsResponse:
    """Return the items of a batch's run as its outputs."""
    return models.ListBatchOutputsResponse(
        outputs=[
            models.BatchOutputInfo(
                batch_input_index=item.item_index, status=item.status, result=item.result
            )
            for item in items.items
        ]
    )


def cancelled(run: models.RunSummary) -> models.CancelBatchResponse:
    """Return a cancelled run as a batch."""
    return models.CancelBatchResponse(batch_id=run.run_id, status=run.status)


def runs(batch_id: UUID | str, items: models.ListItemsResponse) -> models.ListBatchRunsResponse:
    """Return the items of a batch's run as runs."""
    run_id = UUID(str(batch_id))
    return models.ListBatchRunsResponse(
        runs=[
            models.BatchRunInfo(
                batch_input_index=item.item_index,
                run_id=run_id,
                status=item.status,
                completed_at=item.completed_at,
            )
            for item in items.items
        ]
    )
