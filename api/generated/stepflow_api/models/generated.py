# Made by `tools/bazel run //api:update` from openapi.json; edits are lost.
"""All models of the spec."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from stepflow_api._base import AnswerModel, Model, RequestModel, SendsConstants, StrEnum
from stepflow_api.types import Timestamp
from typing_extensions import TypeAliasType


class OnErrorRetry(SendsConstants, Model):
    """
    If the step fails, retry it.

    `max_retries` limits retries due to component errors — cases where the
    component ran and returned an error. Transport-level failures (subprocess
    crashes, network errors) are retried separately according to the plugin's
    retry configuration and do not count against this budget.
    """

    max_retries: Annotated[int | None, Field(alias="maxRetries", ge=0)] = None
    """
    Maximum number of retries due to component errors (default: 3).

    Total attempts for component errors = max_retries + 1 (initial).
    """
    action: Literal["retry"] = "retry"


class HealthResponse(AnswerModel):
    """
    Health check response
    """

    status: str
    """
    Service status
    """
    timestamp: str
    """
    Timestamp when health was checked (RFC3339 format)
    """
    version: str
    """
    Service version
    """


class ErrorStackEntry(AnswerModel):
    """
    A single entry in an error stack for detailed error reporting
    """

    error: str
    """
    The error message
    """
    attachments: list[str] | None = None
    """
    Additional context attached to this error
    """
    backtrace: str | None = None
    """
    Backtrace if available
    """


class StoreBlobResponse(AnswerModel):
    """
    Response when a blob is stored
    """

    blob_id: Annotated[str, Field(alias="blobId")]
    """
    The content-based blob ID (SHA-256 hash)
    """
    filename: str | None = None
    """
    The filename if one was provided
    """


class BlobType(StrEnum):
    """
    Type of blob stored in the blob store.

    Cases:
    * `flow`: A workflow/flow definition
    * `data`: Generic data blob
    * `binary`: Raw binary data (base64-encoded in JSON transport)
    """

    FLOW = "flow"
    """
    A workflow/flow definition
    """
    DATA = "data"
    """
    Generic data blob
    """
    BINARY = "binary"
    """
    Raw binary data (base64-encoded in JSON transport)
    """


class OnErrorDefault(SendsConstants, Model):
    """
    If the step fails, use the `defaultValue` instead.
    If `defaultValue` is not specified, the step returns null.
    The default value must be a literal JSON value (not an expression).
    For dynamic defaults, use `$coalesce` in the consuming expression instead.
    """

    default_value: Annotated[Any | None, Field(alias="defaultValue")] = None
    action: Literal["useDefault"] = "useDefault"


class GetBlobResponse(AnswerModel):
    """
    Response when retrieving a blob (JSON mode)
    """

    data: Any
    """
    The blob data
    """
    blob_type: Annotated[BlobType, Field(alias="blobType")]
    """
    The blob type
    """
    blob_id: Annotated[str, Field(alias="blobId")]
    """
    The blob ID (for confirmation)
    """
    filename: str | None = None
    """
    The filename if one was set
    """


class OnErrorFail(SendsConstants, Model):
    """
    If the step fails, the flow will fail.
    """

    action: Literal["fail"] = "fail"


class GeneratedComponentInfo(AnswerModel):
    """
    `ComponentInfo`, which the spec does not describe.
    """

    component: str
    """
    The component ID.
    """
    description: str | None = None
    """
    Optional description of the component.
    """
    input_schema: dict[str, Any] | None = None
    """
    The input schema for the component.

    Can be any valid JSON schema (object, primitive, array, etc.).
    """
    output_schema: dict[str, Any] | None = None
    """
    The output schema for the component.

    Can be any valid JSON schema (object, primitive, array, etc.).
    """


class FlowVariablesResponse(AnswerModel):
    """
    Response containing variable schema and environment variable mappings for a flow.
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow ID
    """
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    """
    The raw variable JSON Schema (null if the flow has no variables)
    """
    env_vars: Annotated[dict[str, str], Field(alias="envVars")]
    """
    Mapping from variable name to the environment variable that populates it.
    Only includes variables that have an `env_var` annotation.
    """


class ExecutionStatus(StrEnum):
    """
    Status of a workflow execution

    Cases:
    * `running`: Execution is currently running
    * `completed`: Execution completed successfully
    * `failed`: Execution failed with an error
    * `cancelled`: Execution was cancelled by user request
    * `paused`: Execution is paused (debug mode)
    * `recoveryFailed`: Execution failed during recovery after orchestrator restart
    """

    RUNNING = "running"
    """
    Execution is currently running
    """
    COMPLETED = "completed"
    """
    Execution completed successfully
    """
    FAILED = "failed"
    """
    Execution failed with an error
    """
    CANCELLED = "cancelled"
    """
    Execution was cancelled by user request
    """
    PAUSED = "paused"
    """
    Execution is paused (debug mode)
    """
    RECOVERY_FAILED = "recoveryFailed"
    """
    Execution failed during recovery after orchestrator restart
    """


class ItemStatistics(AnswerModel):
    """
    Statistics about items in a run.
    """

    total: Annotated[int, Field(ge=0)]
    """
    Total number of items in this run.
    """
    completed: Annotated[int, Field(ge=0)]
    """
    Number of completed items.
    """
    running: Annotated[int, Field(ge=0)]
    """
    Number of currently running items.
    """
    failed: Annotated[int, Field(ge=0)]
    """
    Number of failed items.
    """
    cancelled: Annotated[int, Field(ge=0)]
    """
    Number of cancelled items.
    """


class OverrideType(StrEnum):
    """
    The type of override operation to perform.

    Cases:
    * `merge_patch`: Apply a JSON Merge Patch (RFC 7396) to the step.

    This is the default override type. The value should be a JSON object
    where null values indicate fields to remove and other values are merged
    into the target step.
    * `json_patch`: Apply a JSON Patch (RFC 6902) to the step. (Future extension)

    The value should be an array of JSON Patch operations.
    This is reserved for future use.
    """

    MERGE_PATCH = "merge_patch"
    """
    Apply a JSON Merge Patch (RFC 7396) to the step.

    This is the default override type. The value should be a JSON object
    where null values indicate fields to remove and other values are merged
    into the target step.
    """
    JSON_PATCH = "json_patch"
    """
    Apply a JSON Patch (RFC 6902) to the step. (Future extension)

    The value should be an array of JSON Patch operations.
    This is reserved for future use.
    """


class GeneratedFlowResultSuccess(SendsConstants, Model):
    """
    The step execution was successful.
    """

    outcome: Literal["success"] = "success"
    result: Any
    """
    Any JSON value (object, array, string, number, boolean, or null)
    """


class FlowError(Model):
    """
    An error reported from within a flow or step.
    """

    code: int
    message: str
    data: Any | None = None
    """
    Any JSON value (object, array, string, number, boolean, or null)
    """


class DiagnosticLevel(StrEnum):
    """
    Diagnostic level indicating severity and impact

    Cases:
    * `fatal`: Fatal: Prevents analysis from proceeding
    * `error`: Error: Will definitely fail during execution
    * `warning`: Warning: Likely to cause problems during execution
    """

    FATAL = "fatal"
    """
    Fatal: Prevents analysis from proceeding
    """
    ERROR = "error"
    """
    Error: Will definitely fail during execution
    """
    WARNING = "warning"
    """
    Warning: Likely to cause problems during execution
    """


class StepStatus(StrEnum):
    """
    Status of an individual step within a workflow

    Cases:
    * `blocked`: Step is waiting for dependencies to complete
    * `runnable`: Step is ready to be executed
    * `running`: Step is currently executing
    * `completed`: Step has been executed successfully
    * `skipped`: Step was skipped due to conditions
    * `failed`: Step failed with an error
    """

    BLOCKED = "blocked"
    """
    Step is waiting for dependencies to complete
    """
    RUNNABLE = "runnable"
    """
    Step is ready to be executed
    """
    RUNNING = "running"
    """
    Step is currently executing
    """
    COMPLETED = "completed"
    """
    Step has been executed successfully
    """
    SKIPPED = "skipped"
    """
    Step was skipped due to conditions
    """
    FAILED = "failed"
    """
    Step failed with an error
    """


class ExampleInput(Model):
    """
    An example input for a workflow that can be used in UI dropdowns.
    """

    name: str
    """
    Name of the example input for display purposes.
    """
    description: str | None = None
    """
    Optional description of what this example demonstrates.
    """
    input: Any
    """
    The input data for this example.
    """


class Diagnostic(AnswerModel):
    """
    A diagnostic with error code, message, path, and metadata.

    Created via the `diagnostic!` macro with optional builder methods:

    ```ignore
    diagnostic!(DiagnosticKind::DuplicateStepId, "Duplicate step ID '{step_id}'", { step_id })
        .at(path)
        .experimental()
    ```

    ## JSON Format

    ```json
    {
      "kind": "duplicateStepId",
      "code": 3000,
      "level": "fatal",
      "formatted": "Duplicate step ID 'foo'",
      "data": { "stepId": "foo" },
      "path": "$.steps[0]",
      "experimental": false
    }
    ```
    """

    kind: str
    """
    The diagnostic kind name (camelCase)
    """
    code: Annotated[int, Field(ge=0, le=65535)]
    """
    Numeric error code
    """
    level: DiagnosticLevel
    """
    The severity level
    """
    formatted: str
    """
    Human-readable formatted message
    """
    data: Any | None = None
    """
    Structured data with camelCase keys (null if no data)
    """
    path: str | None = None
    """
    JSON path to the field with the issue
    """
    experimental: bool | None = None
    """
    Whether this diagnostic is experimental (may have false positives)
    """


class ErrorResponse(AnswerModel):
    """
    Error response structure.

    Server handlers should return this, but usually it is better to create it
    by returning an `error_stack::Report<ServerError>` and using the automatic
    conversion to `ErrorResponse`.

    Other `error_stack::Report` types will automatically convert to internal errors.
    """

    code: Annotated[int, Field(ge=0, le=65535)]
    """
    HTTP status code (e.g., 400, 404, 500)
    """
    message: str
    """
    Human-readable error message
    """
    stack: list[ErrorStackEntry] | None = None
    """
    Detailed error stack for debugging
    """


class StoreBlobRequest(RequestModel):
    """
    Request to store a blob (JSON mode)
    """

    data: Any
    """
    The JSON data to store
    """
    blob_type: Annotated[BlobType, Field(alias="blobType")] = BlobType.DATA
    """
    The type of blob (data or flow). Defaults to "data".
    """
    filename: str | None = None
    """
    Optional filename to associate with the blob.
    """


class ListComponentsResponse(AnswerModel):
    """
    Response for listing components
    """

    components: list[ComponentInfo]
    """
    List of available components
    """


class RunSummary(AnswerModel):
    """
    Summary information about a flow run.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    A SHA-256 hash of the blob content, represented as a hexadecimal string.
    """
    flow_name: Annotated[str | None, Field(alias="flowName")] = None
    status: ExecutionStatus
    items: Annotated[ItemStatistics, Field(validate_default=True)] = Field(
        default={"total": 0, "completed": 0, "running": 0, "failed": 0, "cancelled": 0},
        validate_default=True,
    )
    """
    Statistics about items in this run.
    """
    created_at: Annotated[Timestamp, Field(alias="createdAt")]
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    root_run_id: Annotated[UUID, Field(alias="rootRunId")]
    """
    Root run ID for this execution tree.

    For top-level runs, this equals `run_id`.
    For sub-flows, this is the original run that started the tree.
    """
    parent_run_id: Annotated[UUID | None, Field(alias="parentRunId")] = None
    """
    Parent run ID if this is a sub-flow.

    None for top-level runs, Some(parent_id) for sub-flows.
    """
    orchestrator_id: Annotated[str | None, Field(alias="orchestratorId")] = None
    """
    The orchestrator currently managing this run.

    None means the run is orphaned (no orchestrator owns it).
    Set when the run is created and updated during recovery.
    """
    created_at_seqno: Annotated[int, Field(alias="createdAtSeqno", ge=0)]
    """
    Journal sequence number of the event that created this run.

    Records where in the journal this run was created, enabling efficient
    metadata queries during recovery (filter by offset range).
    """
    finished_at_seqno: Annotated[int | None, Field(alias="finishedAtSeqno", ge=0)] = None
    """
    Journal sequence number of the RunCompleted event for this run.

    Set when the run reaches a terminal state. `None` means the run is
    still in progress (or completed before this field was added).
    """


class StepOverride(Model):
    """
    Override specification for a single step.

    Contains the override type (merge patch, json patch, etc.) and the value
    to apply. The type field uses `$type` to avoid collisions with step properties.
    """

    type: Annotated[OverrideType, Field(alias="$type")] = OverrideType.MERGE_PATCH
    """
    The type of override to apply. Defaults to "merge_patch" if not specified.
    """
    value: Any
    """
    The override value to apply, interpreted based on the override type.
    """


class GeneratedFlowResultFailed(SendsConstants, Model):
    """
    The step failed with the given error.
    """

    outcome: Literal["failed"] = "failed"
    error: FlowError


class StepStatusInfo(AnswerModel):
    """
    Status information for a single step execution.
    """

    step_id: Annotated[str, Field(alias="stepId")]
    """
    Step name/identifier.
    """
    status: StepStatus
    """
    Current status of the step.
    """


class Step(Model):
    """
    A step in a workflow that executes a component with specific arguments.

    Note: Step output schemas are stored in the flow's `types.steps` field,
    not on individual steps. This allows for shared `$defs` and avoids duplication.
    """

    id: str
    """
    Identifier for the step
    """
    component: str
    """
    The component to execute in this step
    """
    on_error: Annotated[ErrorAction | None, Field(alias="onError")] = None
    input: Any | None = None
    """
    Arguments to pass to the component for this step
    """
    must_execute: Annotated[bool | None, Field(alias="mustExecute")] = None
    """
    If true, this step must execute even if its output is not used by the workflow output.
    Useful for steps with side effects (e.g., writing to databases, sending notifications).
    """
    metadata: dict[str, Any] | None = None
    """
    Extensible metadata for the step that can be used by tools and frameworks.
    """


class Diagnostics(AnswerModel):
    """
    Collection of diagnostics with utility methods
    """

    diagnostics: list[Diagnostic]
    """
    All diagnostics found
    """
    num_fatal: Annotated[int, Field(alias="numFatal", ge=0)]
    num_error: Annotated[int, Field(alias="numError", ge=0)]
    num_warning: Annotated[int, Field(alias="numWarning", ge=0)]


class ListRunsResponse(AnswerModel):
    """
    Response for listing runs
    """

    runs: list[RunSummary]
    """
    List of run summaries
    """


class GeneratedWorkflowOverrides(Model):
    """
    Workflow overrides that can be applied to modify step behavior at runtime.

    Overrides are keyed by step ID and contain merge patches or other transformation
    specifications to modify step properties before execution.
    """

    steps: dict[str, StepOverride]
    """
    Map of step ID to override specification
    """


class ItemDetails(AnswerModel):
    """
    Detailed information for a single item in a run.

    Includes the item's input, execution status, and step-level details.
    """

    item_index: Annotated[int, Field(alias="itemIndex", ge=0)]
    """
    Index of this item in the input array (0-based).
    """
    input: Any
    """
    Input value for this item.
    """
    status: ExecutionStatus
    """
    Execution status of this item.
    """
    steps: list[StepStatusInfo]
    """
    Step statuses for this item.
    """
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    """
    When this item completed (if completed).
    """


class TestCase(Model):
    """
    A single test case for a workflow.
    """

    name: str
    """
    Unique identifier for the test case.
    """
    description: str | None = None
    """
    Optional description of what this test case verifies.
    """
    input: Any
    """
    Input data for the workflow in this test case.
    """
    output: FlowResult | None = None
    """
    Expected output from the workflow for this test case.
    """


class StepRunResponse(AnswerModel):
    """
    Response for step run details
    """

    step_id: Annotated[str, Field(alias="stepId")]
    """
    Step ID (the stable identifier for this step in the workflow)
    """
    component: str | None = None
    """
    Component name/URL that this step executes
    """
    status: StepStatus
    """
    Current status of the step
    """
    result: FlowResult | None = None
    """
    The result of the step execution (if completed)
    """


class StoreFlowResponse(AnswerModel):
    """
    Response when a flow is stored
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The ID of the flow (computed from content hash, always present)
    """
    stored: bool
    """
    Whether the flow was actually stored (false for dry_run or if validation has fatal errors)
    """
    diagnostics: Diagnostics
    """
    Validation diagnostics
    """


class GeneratedCreateRunRequest(RequestModel):
    """
    Request to create/execute a flow.

    The `input` field is always an array of input values:
    - Single-item array `[value]`: Executes one run with `value` as input
    - Multi-item array `[v1, v2, ...]`: Executes multiple runs (batch mode)

    This design avoids ambiguity: to run a workflow with an array as input,
    wrap it in another array: `[[1, 2, 3]]` runs once with input `[1, 2, 3]`.
    """

    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow hash to execute
    """
    input: list[Any]
    """
    Input data for the flow - always an array (one element per run)
    """
    overrides: WorkflowOverrides | None = None
    """
    Optional workflow overrides to apply before execution
    """
    variables: dict[str, Any] | None = None
    """
    Optional variables to provide for variable references in the workflow
    """
    max_concurrency: Annotated[int | None, Field(alias="maxConcurrency", ge=0)] = None
    """
    Maximum concurrency for batch execution (only used when input is an array)
    """
    wait: bool | None = False
    """
    If true, block until the run completes and return the result (200 OK).
    If false (default), return immediately with status Running (202 Accepted).
    """
    timeout_secs: Annotated[int | None, Field(alias="timeoutSecs", ge=0)] = None
    """
    Maximum seconds to wait when wait=true (default 300). If the timeout elapses,
    returns the current run status rather than an error.
    """


class ItemResult(AnswerModel):
    """
    Result for an individual item in a multi-item run.
    """

    item_index: Annotated[int, Field(alias="itemIndex", ge=0)]
    """
    Index of this item in the input array (0-based).
    """
    status: ExecutionStatus
    """
    Execution status of this item.
    """
    result: FlowResult | None = None
    """
    Result of this item, if completed.
    """
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    """
    When this item completed (if completed).
    """


class GeneratedRunDetails(AnswerModel):
    """
    Detailed flow run information including item details.

    For completed runs, `item_details` contains per-item information including
    inputs and step statuses. For active runs, `item_details` may be `None`
    (query the owning orchestrator for live status).
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    A SHA-256 hash of the blob content, represented as a hexadecimal string.
    """
    flow_name: Annotated[str | None, Field(alias="flowName")] = None
    status: ExecutionStatus
    items: Annotated[ItemStatistics, Field(validate_default=True)] = Field(
        default={"total": 0, "completed": 0, "running": 0, "failed": 0, "cancelled": 0},
        validate_default=True,
    )
    """
    Statistics about items in this run.
    """
    created_at: Annotated[Timestamp, Field(alias="createdAt")]
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    root_run_id: Annotated[UUID, Field(alias="rootRunId")]
    """
    Root run ID for this execution tree.

    For top-level runs, this equals `run_id`.
    For sub-flows, this is the original run that started the tree.
    """
    parent_run_id: Annotated[UUID | None, Field(alias="parentRunId")] = None
    """
    Parent run ID if this is a sub-flow.

    None for top-level runs, Some(parent_id) for sub-flows.
    """
    orchestrator_id: Annotated[str | None, Field(alias="orchestratorId")] = None
    """
    The orchestrator currently managing this run.

    None means the run is orphaned (no orchestrator owns it).
    Set when the run is created and updated during recovery.
    """
    created_at_seqno: Annotated[int, Field(alias="createdAtSeqno", ge=0)]
    """
    Journal sequence number of the event that created this run.

    Records where in the journal this run was created, enabling efficient
    metadata queries during recovery (filter by offset range).
    """
    finished_at_seqno: Annotated[int | None, Field(alias="finishedAtSeqno", ge=0)] = None
    """
    Journal sequence number of the RunCompleted event for this run.

    Set when the run reaches a terminal state. `None` means the run is
    still in progress (or completed before this field was added).
    """
    item_details: Annotated[list[ItemDetails] | None, Field(alias="itemDetails")] = None
    """
    Item details with inputs and step statuses.
    - `None`: details not requested, or run is active (query executor)
    - `Some`: item-level details available
    """
    overrides: WorkflowOverrides | None = None
    """
    Optional workflow overrides applied to this run (per-run, not per-item).
    """


class ListItemsResponse(AnswerModel):
    """
    Response for listing run items
    """

    item_count: Annotated[int, Field(alias="itemCount", ge=0)]
    """
    Total number of items in this run
    """
    items: list[ItemResult]
    """
    Individual item results ordered by item index
    """


class TestConfig(Model):
    """
    Configuration for testing a workflow.
    """

    config_file: Annotated[str | None, Field(alias="configFile")] = None
    """
    Path to an external stepflow config file for tests.
    Relative paths are resolved from the workflow file's directory.
    Mutually exclusive with `config` - validated at runtime.
    """
    config: Any | None = None
    """
    Inline stepflow configuration for tests.
    Mutually exclusive with `config_file` - validated at runtime.
    """
    cases: list[TestCase] | None = None
    """
    Test cases for the workflow.
    """


class ListStepRunsResponse(AnswerModel):
    """
    Response for listing step runs
    """

    steps: dict[str, StepRunResponse]
    """
    Dictionary of step run results keyed by step ID
    """


class GeneratedCreateRunResponse(AnswerModel):
    """
    Response for create run operations.

    Shares the same base fields as `RunDetails` (GET /runs/{id}) via `RunSummary`,
    with optional item results when `wait=true`.
    """

    run_id: Annotated[UUID, Field(alias="runId")]
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    A SHA-256 hash of the blob content, represented as a hexadecimal string.
    """
    flow_name: Annotated[str | None, Field(alias="flowName")] = None
    status: ExecutionStatus
    items: Annotated[ItemStatistics, Field(validate_default=True)] = Field(
        default={"total": 0, "completed": 0, "running": 0, "failed": 0, "cancelled": 0},
        validate_default=True,
    )
    """
    Statistics about items in this run.
    """
    created_at: Annotated[Timestamp, Field(alias="createdAt")]
    completed_at: Annotated[Timestamp | None, Field(alias="completedAt")] = None
    root_run_id: Annotated[UUID, Field(alias="rootRunId")]
    """
    Root run ID for this execution tree.

    For top-level runs, this equals `run_id`.
    For sub-flows, this is the original run that started the tree.
    """
    parent_run_id: Annotated[UUID | None, Field(alias="parentRunId")] = None
    """
    Parent run ID if this is a sub-flow.

    None for top-level runs, Some(parent_id) for sub-flows.
    """
    orchestrator_id: Annotated[str | None, Field(alias="orchestratorId")] = None
    """
    The orchestrator currently managing this run.

    None means the run is orphaned (no orchestrator owns it).
    Set when the run is created and updated during recovery.
    """
    created_at_seqno: Annotated[int, Field(alias="createdAtSeqno", ge=0)]
    """
    Journal sequence number of the event that created this run.

    Records where in the journal this run was created, enabling efficient
    metadata queries during recovery (filter by offset range).
    """
    finished_at_seqno: Annotated[int | None, Field(alias="finishedAtSeqno", ge=0)] = None
    """
    Journal sequence number of the RunCompleted event for this run.

    Set when the run reaches a terminal state. `None` means the run is
    still in progress (or completed before this field was added).
    """
    results: list[ItemResult] | None = None
    """
    Item results, only populated when `wait=true` and the run has completed.
    Each entry contains the item's index, status, and result.
    """


class GeneratedFlow(Model):
    """
    A workflow consisting of a sequence of steps and their outputs.

    A flow represents a complete workflow that can be executed. It contains:
    - A sequence of steps to execute
    - Named outputs that can reference step outputs

    Flows should not be cloned. They should generally be stored and passed as a
    reference or inside an `Arc`.
    """

    name: str | None = None
    """
    The name of the flow.
    """
    description: str | None = None
    """
    The description of the flow.
    """
    version: str | None = None
    """
    The version of the flow.
    """
    schemas: dict[str, Any] | None = None
    """
    Consolidated schema information for the flow.
    Contains input/output schemas, step output schemas, and shared `$defs`.
    """
    steps: list[Step] | None = None
    """
    The steps to execute for the flow.
    """
    output: Any | None = None
    """
    The outputs of the flow, mapping output names to their values.
    """
    test: TestConfig | None = None
    """
    Test configuration for the flow.
    """
    examples: list[ExampleInput] | None = None
    """
    Example inputs for the workflow that can be used for testing and UI dropdowns.
    """
    metadata: dict[str, Any] | None = None
    """
    Extensible metadata for the flow that can be used by tools and frameworks.
    """


class StoreFlowRequest(RequestModel):
    """
    Request to store a flow
    """

    flow: Flow
    """
    The flow to store
    """
    dry_run: Annotated[bool, Field(alias="dryRun")] = False
    """
    If true, only validate the flow without storing it
    """


class GeneratedFlowResponse(AnswerModel):
    """
    Response containing a flow definition and its ID
    """

    flow: Flow
    """
    The flow definition
    """
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow ID
    """
    all_examples: Annotated[list[ExampleInput], Field(alias="allExamples")]
    """
    All available examples (includes both examples and test cases)
    """


class RunFlowResponse(AnswerModel):
    """
    Response containing a flow definition and its hash for run endpoints
    """

    flow: Flow
    """
    The flow definition
    """
    flow_id: Annotated[str, Field(alias="flowId")]
    """
    The flow hash
    """


ErrorAction = TypeAliasType(
    "ErrorAction",
    "Annotated[OnErrorFail | OnErrorDefault | OnErrorRetry, Field(discriminator='action')]",
)
"""
Error action determines what happens when a step fails.
"""

FlowResult = TypeAliasType(
    "FlowResult", "Annotated[FlowResultSuccess | FlowResultFailed, Field(discriminator='outcome')]"
)
"""
`FlowResult`, which the spec does not describe.
"""

from stepflow_api.models.component_info import ComponentInfo as ComponentInfo
from stepflow_api.models.create_run_request import CreateRunRequest as CreateRunRequest
from stepflow_api.models.create_run_response import CreateRunResponse as CreateRunResponse
from stepflow_api.models.flow import Flow as Flow
from stepflow_api.models.flow_response import FlowResponse as FlowResponse
from stepflow_api.models.flow_result_failed import FlowResultFailed as FlowResultFailed
from stepflow_api.models.flow_result_success import FlowResultSuccess as FlowResultSuccess
from stepflow_api.models.run_details import RunDetails as RunDetails
from stepflow_api.models.workflow_overrides import WorkflowOverrides as WorkflowOverrides
