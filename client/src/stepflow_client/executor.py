"""Protocols for code that runs unchanged on a laptop and against a cluster.

Annotate with these protocols instead of a client: clients of a server satisfy them, and so does an
embedded runtime.
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
    """Runs flows asynchronously; `StepflowClient` documents the methods."""

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
        """Run a flow once and wait for its result."""
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
        """Run a flow once without waiting."""
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
        """Run a flow once for each input and wait for all results."""
        ...

    async def validate(self, flow: FlowSource) -> FlowValidation:
        """Check a flow without storing it."""
        ...


@runtime_checkable
class SyncStepflowExecutor(Protocol):
    """Runs flows synchronously; `SyncStepflowClient` documents the methods."""

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
        """Run a flow once and wait for its result."""
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
        """Run a flow once without waiting."""
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
        """Run a flow once for each input and wait for all results."""
        ...

    def validate(self, flow: FlowSource) -> FlowValidation:
        """Check a flow without storing it."""
        ...
