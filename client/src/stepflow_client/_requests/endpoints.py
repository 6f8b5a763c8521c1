"""The operations of `stepflow_api` as effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from stepflow_api import models
from stepflow_api.api.blob import get_blob_bytes, store_blob, store_blob_bytes
from stepflow_api.api.component import list_components as _list_components
from stepflow_api.api.flow import get_flow as _get_flow
from stepflow_api.api.flow import get_flow_variables as _get_flow_variables
from stepflow_api.api.flow import store_flow as _store_flow
from stepflow_api.api.health import health_check as _health_check
from stepflow_api.api.run import cancel_run as _cancel_run
from stepflow_api.api.run import create_run as _create_run
from stepflow_api.api.run import get_run, get_run_events, get_run_items, get_run_steps
from stepflow_api.api.run import list_runs as _list_runs
from stepflow_api.lowlevel import Call, Fetch, Open
from stepflow_api.types import UNSET


def health() -> Call[models.HealthResponse]:
    """GET /health."""
    return Call(_health_check.OPERATION, _health_check.build_request(error=UNSET))


def list_components(include_schemas: bool) -> Call[models.ListComponentsResponse]:
    """GET /components."""
    return Call(
        _list_components.OPERATION, _list_components.build_request(include_schemas=include_schemas)
    )


def store_flow(flow: models.Flow, dry_run: bool) -> Call[models.StoreFlowResponse]:
    """POST /flows."""
    body = models.StoreFlowRequest(flow=flow, dry_run=dry_run)
    return Call(_store_flow.OPERATION, _store_flow.build_request(body=body))


def get_flow(flow_id: str) -> Call[models.FlowResponse]:
    """GET /flows/{flow_id}."""
    return Call(_get_flow.OPERATION, _get_flow.build_request(flow_id=flow_id))


def get_variables(flow_id: str) -> Call[models.FlowVariablesResponse]:
    """GET /flows/{flow_id}/variables."""
    return Call(_get_flow_variables.OPERATION, _get_flow_variables.build_request(flow_id=flow_id))


def create_run(body: models.CreateRunRequest) -> Call[models.CreateRunResponse]:
    """POST /runs."""
    return Call(_create_run.OPERATION, _create_run.build_request(body=body))


def run_details(run_id: UUID, wait_seconds: int | None) -> Fetch[models.RunDetails]:
    """GET /runs/{run_id}; the answer names every item of the run, so it comes in pieces."""
    return Fetch(
        get_run.OPERATION,
        get_run.build_request(
            run_id=run_id,
            wait=UNSET if wait_seconds is None else True,
            timeout_secs=UNSET if wait_seconds is None else wait_seconds,
        ),
    )


def run_events(run_id: UUID, since: int) -> Open[Any]:
    """GET /runs/{run_id}/events; older servers answer 404, which is no surprise."""
    request = get_run_events.build_request(run_id=run_id, since=since)
    return Open(get_run_events.OPERATION, replace(request, expected_statuses=(404,)))


def run_items(run_id: UUID) -> Fetch[models.ListItemsResponse]:
    """GET /runs/{run_id}/items."""
    return Fetch(get_run_items.OPERATION, get_run_items.build_request(run_id=run_id))


def run_steps(run_id: UUID, item_index: int | None) -> Call[models.ListStepRunsResponse]:
    """GET /runs/{run_id}/steps."""
    return Call(
        get_run_steps.OPERATION,
        get_run_steps.build_request(
            run_id=run_id, item_index=UNSET if item_index is None else item_index
        ),
    )


def cancel_run(run_id: UUID) -> Call[models.RunSummary]:
    """POST /runs/{run_id}/cancel."""
    return Call(_cancel_run.OPERATION, _cancel_run.build_request(run_id=run_id))


def list_runs(filters: Mapping[str, Any], limit: int, offset: int) -> Call[models.ListRunsResponse]:
    """GET /runs."""
    names = ("status", "flow_name", "root_run_id", "parent_run_id", "roots_only", "max_depth")
    given: dict[str, Any] = dict.fromkeys(names, UNSET) | {**filters}
    return Call(_list_runs.OPERATION, _list_runs.build_request(limit=limit, offset=offset, **given))


def store_json_blob(data: Any, filename: str | None) -> Call[models.StoreBlobResponse]:
    """POST /blobs with JSON."""
    body = models.StoreBlobRequest(data=data)
    if filename is not None:
        body.filename = filename
    return Call(store_blob.OPERATION, store_blob.build_request(body=body))


def store_bytes_blob(content: bytes, filename: str | None) -> Call[models.StoreBlobResponse]:
    """POST /blobs with bytes."""
    return Call(
        store_blob_bytes.OPERATION,
        store_blob_bytes.build_request(content, filename=UNSET if filename is None else filename),
    )


def get_blob(blob_id: str) -> Fetch[bytes]:
    """GET /blobs/{blob_id}, whatever its type: the answer's headers tell."""
    return Fetch(get_blob_bytes.OPERATION, get_blob_bytes.build_request(blob_id))
