# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Facts of the spec that this package was compiled from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["API_VERSION", "OPERATIONS", "PATH_PREFIX", "TITLE", "OperationFacts"]

TITLE: Final = "Stepflow API"
"""Title of the API."""

API_VERSION: Final = "0.11.1"
"""Version of the API."""

PATH_PREFIX: Final = "/api/v1"
"""What every path of the API begins with."""


class OperationFacts(NamedTuple):
    """What the spec says of one operation.

    Attributes:
        method: HTTP method.
        path: Path template below `PATH_PREFIX`.
        tag: Tag as the spec spells it.
        module: Module of its functions, below this package.
    """

    method: str
    path: str
    tag: str
    module: str


OPERATIONS: Final[Mapping[str, OperationFacts]] = {
    "healthCheck": OperationFacts("GET", "/health", "Health", "api.health.health_check"),
    "storeBlob": OperationFacts("POST", "/blobs", "Blob", "api.blob.store_blob"),
    "getBlob": OperationFacts("GET", "/blobs/{blob_id}", "Blob", "api.blob.get_blob"),
    "listComponents": OperationFacts(
        "GET", "/components", "Component", "api.component.list_components"
    ),
    "listRuns": OperationFacts("GET", "/runs", "Run", "api.run.list_runs"),
    "createRun": OperationFacts("POST", "/runs", "Run", "api.run.create_run"),
    "getRun": OperationFacts("GET", "/runs/{run_id}", "Run", "api.run.get_run"),
    "deleteRun": OperationFacts("DELETE", "/runs/{run_id}", "Run", "api.run.delete_run"),
    "getRunItems": OperationFacts("GET", "/runs/{run_id}/items", "Run", "api.run.get_run_items"),
    "getRunFlow": OperationFacts("GET", "/runs/{run_id}/flow", "Run", "api.run.get_run_flow"),
    "getRunSteps": OperationFacts("GET", "/runs/{run_id}/steps", "Run", "api.run.get_run_steps"),
    "cancelRun": OperationFacts("POST", "/runs/{run_id}/cancel", "Run", "api.run.cancel_run"),
    "storeFlow": OperationFacts("POST", "/flows", "Flow", "api.flow.store_flow"),
    "getFlow": OperationFacts("GET", "/flows/{flow_id}", "Flow", "api.flow.get_flow"),
    "deleteFlow": OperationFacts("DELETE", "/flows/{flow_id}", "Flow", "api.flow.delete_flow"),
    "getFlowVariables": OperationFacts(
        "GET", "/flows/{flow_id}/variables", "Flow", "api.flow.get_flow_variables"
    ),
    "getRunEvents": OperationFacts("GET", "/runs/{run_id}/events", "Run", "api.run.get_run_events"),
}
"""Every operation by its operationId."""
