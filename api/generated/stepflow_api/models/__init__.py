# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Models of requests and answers.

Each is imported when it is first used, with those that it refers to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepflow_api.models.batch import (
        BatchDetails,
        BatchMetadata,
        BatchRunInfo,
        CancelBatchResponse,
        CreateBatchRequest,
        CreateBatchResponse,
        ListBatchesResponse,
        ListBatchRunsResponse,
    )
    from stepflow_api.models.batch_output_info import BatchOutputInfo
    from stepflow_api.models.blob_type import BlobType
    from stepflow_api.models.component_info import ComponentInfo
    from stepflow_api.models.create_run_request import CreateRunRequest
    from stepflow_api.models.create_run_response import CreateRunResponse
    from stepflow_api.models.diagnostic import Diagnostic
    from stepflow_api.models.diagnostic_level import DiagnosticLevel
    from stepflow_api.models.diagnostics import Diagnostics
    from stepflow_api.models.error_action import ErrorAction
    from stepflow_api.models.error_response import ErrorResponse
    from stepflow_api.models.error_stack_entry import ErrorStackEntry
    from stepflow_api.models.example_input import ExampleInput
    from stepflow_api.models.execution_status import ExecutionStatus
    from stepflow_api.models.flow import Flow
    from stepflow_api.models.flow_error import FlowError
    from stepflow_api.models.flow_response import FlowResponse
    from stepflow_api.models.flow_result import FlowResult
    from stepflow_api.models.flow_result_failed import FlowResultFailed
    from stepflow_api.models.flow_result_success import FlowResultSuccess
    from stepflow_api.models.flow_variables_response import FlowVariablesResponse
    from stepflow_api.models.get_blob_response import GetBlobResponse
    from stepflow_api.models.health_response import HealthResponse
    from stepflow_api.models.item_details import ItemDetails
    from stepflow_api.models.item_result import ItemResult
    from stepflow_api.models.item_statistics import ItemStatistics
    from stepflow_api.models.list_batch_outputs_response import ListBatchOutputsResponse
    from stepflow_api.models.list_components_response import ListComponentsResponse
    from stepflow_api.models.list_items_response import ListItemsResponse
    from stepflow_api.models.list_runs_response import ListRunsResponse
    from stepflow_api.models.list_step_runs_response import ListStepRunsResponse
    from stepflow_api.models.on_error_default import OnErrorDefault
    from stepflow_api.models.on_error_fail import OnErrorFail
    from stepflow_api.models.on_error_retry import OnErrorRetry
    from stepflow_api.models.other_error_action import OtherErrorAction
    from stepflow_api.models.other_flow_result import OtherFlowResult
    from stepflow_api.models.override_type import OverrideType
    from stepflow_api.models.run_details import RunDetails
    from stepflow_api.models.run_flow_response import RunFlowResponse
    from stepflow_api.models.run_summary import RunSummary
    from stepflow_api.models.step import Step
    from stepflow_api.models.step_override import StepOverride
    from stepflow_api.models.step_run_response import StepRunResponse
    from stepflow_api.models.step_status import StepStatus
    from stepflow_api.models.step_status_info import StepStatusInfo
    from stepflow_api.models.store_blob_request import StoreBlobRequest
    from stepflow_api.models.store_blob_response import StoreBlobResponse
    from stepflow_api.models.store_flow_request import StoreFlowRequest
    from stepflow_api.models.store_flow_response import StoreFlowResponse
    from stepflow_api.models.test_case import TestCase
    from stepflow_api.models.test_config import TestConfig
    from stepflow_api.models.workflow_overrides import WorkflowOverrides

__all__ = [
    "BatchDetails",
    "BatchMetadata",
    "BatchOutputInfo",
    "BatchRunInfo",
    "BlobType",
    "CancelBatchResponse",
    "ComponentInfo",
    "CreateBatchRequest",
    "CreateBatchResponse",
    "CreateRunRequest",
    "CreateRunResponse",
    "Diagnostic",
    "DiagnosticLevel",
    "Diagnostics",
    "ErrorAction",
    "ErrorResponse",
    "ErrorStackEntry",
    "ExampleInput",
    "ExecutionStatus",
    "Flow",
    "FlowError",
    "FlowResponse",
    "FlowResult",
    "FlowResultFailed",
    "FlowResultSuccess",
    "FlowVariablesResponse",
    "GetBlobResponse",
    "HealthResponse",
    "ItemDetails",
    "ItemResult",
    "ItemStatistics",
    "ListBatchOutputsResponse",
    "ListBatchRunsResponse",
    "ListBatchesResponse",
    "ListComponentsResponse",
    "ListItemsResponse",
    "ListRunsResponse",
    "ListStepRunsResponse",
    "OnErrorDefault",
    "OnErrorFail",
    "OnErrorRetry",
    "OtherErrorAction",
    "OtherFlowResult",
    "OverrideType",
    "RunDetails",
    "RunFlowResponse",
    "RunSummary",
    "Step",
    "StepOverride",
    "StepRunResponse",
    "StepStatus",
    "StepStatusInfo",
    "StoreBlobRequest",
    "StoreBlobResponse",
    "StoreFlowRequest",
    "StoreFlowResponse",
    "TestCase",
    "TestConfig",
    "WorkflowOverrides",
]

_MODULES = {
    "BatchDetails": "batch",
    "BatchMetadata": "batch",
    "BatchOutputInfo": "batch_output_info",
    "BatchRunInfo": "batch",
    "BlobType": "blob_type",
    "CancelBatchResponse": "batch",
    "ComponentInfo": "component_info",
    "CreateBatchRequest": "batch",
    "CreateBatchResponse": "batch",
    "CreateRunRequest": "create_run_request",
    "CreateRunResponse": "create_run_response",
    "Diagnostic": "diagnostic",
    "DiagnosticLevel": "diagnostic_level",
    "Diagnostics": "diagnostics",
    "ErrorAction": "error_action",
    "ErrorResponse": "error_response",
    "ErrorStackEntry": "error_stack_entry",
    "ExampleInput": "example_input",
    "ExecutionStatus": "execution_status",
    "Flow": "flow",
    "FlowError": "flow_error",
    "FlowResponse": "flow_response",
    "FlowResult": "flow_result",
    "FlowResultFailed": "flow_result_failed",
    "FlowResultSuccess": "flow_result_success",
    "FlowVariablesResponse": "flow_variables_response",
    "GetBlobResponse": "get_blob_response",
    "HealthResponse": "health_response",
    "ItemDetails": "item_details",
    "ItemResult": "item_result",
    "ItemStatistics": "item_statistics",
    "ListBatchOutputsResponse": "list_batch_outputs_response",
    "ListBatchRunsResponse": "batch",
    "ListBatchesResponse": "batch",
    "ListComponentsResponse": "list_components_response",
    "ListItemsResponse": "list_items_response",
    "ListRunsResponse": "list_runs_response",
    "ListStepRunsResponse": "list_step_runs_response",
    "OnErrorDefault": "on_error_default",
    "OnErrorFail": "on_error_fail",
    "OnErrorRetry": "on_error_retry",
    "OtherErrorAction": "other_error_action",
    "OtherFlowResult": "other_flow_result",
    "OverrideType": "override_type",
    "RunDetails": "run_details",
    "RunFlowResponse": "run_flow_response",
    "RunSummary": "run_summary",
    "Step": "step",
    "StepOverride": "step_override",
    "StepRunResponse": "step_run_response",
    "StepStatus": "step_status",
    "StepStatusInfo": "step_status_info",
    "StoreBlobRequest": "store_blob_request",
    "StoreBlobResponse": "store_blob_response",
    "StoreFlowRequest": "store_flow_request",
    "StoreFlowResponse": "store_flow_response",
    "TestCase": "test_case",
    "TestConfig": "test_config",
    "WorkflowOverrides": "workflow_overrides",
}


def __getattr__(name: str) -> object:
    import importlib

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
