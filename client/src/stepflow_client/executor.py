"""What code needs that runs unchanged on a laptop and against a cluster.

Annotate with these protocols, not with a client: `StepflowClient` satisfies one by talking to a
server, an embedded runtime by being one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from stepflow_api.models import FlowResult, WorkflowOverrides
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import BatchResults, FlowValidation, Progress
from stepflow_client.handle import RunHandle
from stepflow_client.sync_handle import SyncRunHandle

__all__ = ["StepflowExecutor", "SyncStepflowExecutor"]


@runtime_checkable
class StepflowExecutor(Protocol):
    """Runs flows, without blocking; see `StepflowClient` for what each method does."""

    async def run(
        self,
        flow: FlowSource,
        input: Any,
        *,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
        raise_on_failure: bool = False,
    ) -> FlowResult:
        """Runs a flow once and waits for its result."""
        ...

    async def submit(
        self,
        flow: FlowSource,
        input: Any,
        *,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
    ) -> RunHandle:
        """Runs a flow once and does not wait."""
        ...

    async def run_batch(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
    ) -> BatchResults:
        """Runs a flow once for each input and waits for all results."""
        ...

    async def validate(self, flow: FlowSource) -> FlowValidation:
        """Has a flow checked, without storing it."""
        ...


@runtime_checkable
class SyncStepflowExecutor(Protocol):
    """Runs flows, blocking; see `SyncStepflowClient` for what each method does."""

    def run(
        self,
        flow: FlowSource,
        input: Any,
        *,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
        raise_on_failure: bool = False,
    ) -> FlowResult:
        """Runs a flow once and waits for its result."""
        ...

    def submit(
        self,
        flow: FlowSource,
        input: Any,
        *,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
    ) -> SyncRunHandle:
        """Runs a flow once and does not wait."""
        ...

    def run_batch(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
    ) -> BatchResults:
        """Runs a flow once for each input and waits for all results."""
        ...

    def validate(self, flow: FlowSource) -> FlowValidation:
        """Has a flow checked, without storing it."""
        ...
