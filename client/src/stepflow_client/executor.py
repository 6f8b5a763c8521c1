"""Protocols for code that runs unchanged on a laptop and against a cluster.

Annotate with these protocols instead of a client: clients of a server satisfy them, and so does an
embedded runtime.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, Unpack, runtime_checkable

from stepflow_api.models import FlowResult
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import BatchResults, FlowValidation
from stepflow_client.handle import RunHandle
from stepflow_client.options import (
    RunBatchOptions,
    RunOptions,
    SubmitBatchOptions,
    SubmitOptions,
    show_options,
)
from stepflow_client.sync_handle import SyncRunHandle

__all__ = ["StepflowExecutor", "SyncStepflowExecutor"]


@runtime_checkable
@show_options
class StepflowExecutor(Protocol):
    """Runs flows asynchronously; `StepflowClient` documents the methods."""

    async def run(self, flow: FlowSource, input: Any, **options: Unpack[RunOptions]) -> FlowResult:
        """Run a flow once and wait for its result."""
        ...

    async def submit(
        self, flow: FlowSource, input: Any, **options: Unpack[SubmitOptions]
    ) -> RunHandle:
        """Run a flow once without waiting."""
        ...

    async def run_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[RunBatchOptions]
    ) -> BatchResults:
        """Run a flow once for each input and wait for all results."""
        ...

    async def submit_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[SubmitBatchOptions]
    ) -> RunHandle:
        """Run a flow once for each input without waiting."""
        ...

    async def validate(self, flow: FlowSource) -> FlowValidation:
        """Check a flow without storing it."""
        ...


@runtime_checkable
@show_options
class SyncStepflowExecutor(Protocol):
    """Runs flows synchronously; `SyncStepflowClient` documents the methods."""

    def run(self, flow: FlowSource, input: Any, **options: Unpack[RunOptions]) -> FlowResult:
        """Run a flow once and wait for its result."""
        ...

    def submit(
        self, flow: FlowSource, input: Any, **options: Unpack[SubmitOptions]
    ) -> SyncRunHandle:
        """Run a flow once without waiting."""
        ...

    def run_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[RunBatchOptions]
    ) -> BatchResults:
        """Run a flow once for each input and wait for all results."""
        ...

    def submit_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[SubmitBatchOptions]
    ) -> SyncRunHandle:
        """Run a flow once for each input without waiting."""
        ...

    def validate(self, flow: FlowSource) -> FlowValidation:
        """Check a flow without storing it."""
        ...
